-- Console sign-ins for which AWS asked for no second factor. Federated ones (IAM Identity Center,
-- SAML) bear "No" even if their identity provider asked for one: only that provider knows.
SELECT
    substr(eventtime, 1, 10) AS day,
    COALESCE(
        NULLIF(regexp_extract(useridentity.arn, '[^:/]+(/[^:/]+)?$'), ''),
        useridentity.username, useridentity.onbehalfof.userid,
        useridentity.accountid || '/' || useridentity.principalid,
        useridentity.invokedby, useridentity.accountid, useridentity.type
    ) AS who,
    sourceipaddress AS address,
    CASE
        WHEN useridentity.type IN ('IAMUser', 'Root') THEN 'no MFA'
        ELSE 'ask the identity provider'
    END AS verdict,
    count(*) AS sign_ins
FROM cloudtrail_logs
WHERE "timestamp" BETWEEN '${first_day}' AND '${last_day}'
    AND eventname = 'ConsoleLogin'
    AND json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success'
    AND COALESCE(json_extract_scalar(additionaleventdata, '$.MFAUsed'), 'No') <> 'Yes'
GROUP BY 1, 2, 3, 4
ORDER BY verdict DESC, day, who, address
