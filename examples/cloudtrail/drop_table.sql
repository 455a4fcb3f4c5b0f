-- Forgets the table; the log files stay.
DROP TABLE IF EXISTS cloudtrail_logs
