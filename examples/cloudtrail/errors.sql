-- What fails, and for whom. A failed sign-in has a message and no code.
SELECT
    COALESCE(errorcode, errormessage) AS error,
    eventsource,
    eventname,
    COALESCE(
        NULLIF(regexp_extract(useridentity.arn, '[^:/]+(/[^:/]+)?$'), ''),
        useridentity.username, useridentity.onbehalfof.userid,
        useridentity.accountid || '/' || useridentity.principalid,
        useridentity.invokedby, useridentity.accountid, useridentity.type
    ) AS who,
    count(*) AS events,
    max(regexp_extract(eventtime, '^\d{4}-\d\d-\d\d')) AS last_day
FROM cloudtrail_logs
WHERE "timestamp" BETWEEN '${first_day}' AND '${last_day}'
    AND COALESCE(errorcode, errormessage) IS NOT NULL
GROUP BY 1, 2, 3, 4
ORDER BY events DESC, error, eventsource, eventname, who
