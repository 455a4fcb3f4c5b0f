-- Who acts here: each user and role session, root and AWS's own services.
SELECT
    COALESCE(
        NULLIF(regexp_extract(useridentity.arn, '[^:/]+(/[^:/]+)?$'), ''),
        useridentity.username, useridentity.onbehalfof.userid,
        useridentity.accountid || '/' || useridentity.principalid,
        useridentity.invokedby, useridentity.accountid, useridentity.type
    ) AS who,
    useridentity.type AS type,
    count(*) AS events,
    count(COALESCE(errorcode, errormessage)) AS errors,
    count(DISTINCT sourceipaddress) AS addresses,
    max(regexp_extract(eventtime, '^\d{4}-\d\d-\d\d')) AS last_day
FROM cloudtrail_logs
WHERE "timestamp" BETWEEN '${first_day}' AND '${last_day}'
GROUP BY 1, 2
ORDER BY events DESC, who, type
