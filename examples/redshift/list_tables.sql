-- The tables of the database and their physical design. Run it as a superuser: SVV_TABLE_INFO is
-- hidden from other users, and it shows no table that is empty.
SELECT "table" AS table_name, diststyle, sortkey1, tbl_rows, unsorted, skew_rows
FROM svv_table_info
WHERE schema = 'public'
ORDER BY tbl_rows DESC, table_name;
