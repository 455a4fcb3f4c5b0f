-- Where data events come from, the source that costs most first: each one is billed.
SELECT
    eventsource,
    COALESCE(
        json_extract_scalar(requestparameters, '$.bucketName'), element_at(resources, 1).arn
    ) AS resource,
    count(*) AS data_events,
    CAST(round(100e0 * count(*) / sum(count(*)) OVER ()) AS integer) AS percent,
    count_if(readonly = 'true') AS reads
FROM cloudtrail_logs
WHERE "timestamp" BETWEEN '${first_day}' AND '${last_day}' AND eventcategory = 'Data'
GROUP BY 1, 2
ORDER BY data_events DESC, eventsource, resource
