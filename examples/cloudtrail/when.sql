-- When people and programs act: each hour of the day, in UTC (Japan is nine hours ahead).
SELECT
    substr(eventtime, 12, 2) AS hour_utc,
    count(*) AS events,
    count_if(readonly = 'false') AS writes,
    count_if(eventname = 'ConsoleLogin') AS sign_ins,
    count(COALESCE(errorcode, errormessage)) AS errors
FROM cloudtrail_logs
WHERE "timestamp" BETWEEN '${first_day}' AND '${last_day}'
GROUP BY 1
ORDER BY 1
