-- The same sales distributed in three ways. Run star_schema.sql first, as a superuser. The recorded
-- figures, here and in sort_key.sql, are those of two ra3.xlplus nodes, which have four slices.
DROP TABLE IF EXISTS sales_even, sales_by_channel;

-- In turn, a row on each slice.
CREATE TABLE sales_even DISTSTYLE EVEN AS SELECT * FROM sales;
-- By a bad key: three values, one of them in 60 of 100 rows.
CREATE TABLE sales_by_channel DISTKEY (channel) AS SELECT * FROM sales;
-- By a good key, customer_id with 10,000 values: the table sales itself.

SELECT slice,
  MAX(CASE WHEN TRIM(name) = 'sales_even' THEN rows END) AS even,
  MAX(CASE WHEN TRIM(name) = 'sales' THEN rows END) AS key_customer_id,
  MAX(CASE WHEN TRIM(name) = 'sales_by_channel' THEN rows END) AS key_channel
FROM stv_tbl_perm
WHERE TRIM(name) IN ('sales', 'sales_even', 'sales_by_channel')
GROUP BY slice ORDER BY slice;

-- Rows of the fullest slice for each row of the emptiest.
SELECT "table", diststyle, tbl_rows, skew_rows
FROM svv_table_info
WHERE "table" IN ('sales', 'sales_even', 'sales_by_channel') ORDER BY skew_rows;

SELECT channel, COUNT(*) AS row_count FROM sales GROUP BY channel ORDER BY row_count DESC;
