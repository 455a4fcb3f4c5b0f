-- What was changed: management events that are no mere reading, with their last day.
SELECT
    eventsource,
    eventname,
    count(*) AS events,
    count(COALESCE(errorcode, errormessage)) AS errors,
    count(DISTINCT useridentity.arn) AS callers,
    max(regexp_extract(eventtime, '^\d{4}-\d\d-\d\d')) AS last_day
FROM cloudtrail_logs
WHERE "timestamp" BETWEEN '${first_day}' AND '${last_day}'
    AND eventcategory = 'Management' AND readonly = 'false'
GROUP BY 1, 2
ORDER BY events DESC, eventsource, eventname
