-- The same sales with and without a sort key: what a query by day reads. Run star_schema.sql first.
DROP TABLE IF EXISTS sales_unsorted;
CREATE TABLE sales_unsorted (LIKE sales);
ALTER TABLE sales_unsorted ALTER SORTKEY NONE;
INSERT INTO sales_unsorted SELECT * FROM sales ORDER BY sale_id;

-- A cached result reads nothing.
SET enable_result_cache_for_session TO off;

SELECT SUM(amount) AS revenue FROM sales WHERE sold_on < DATE '2025-01-01' + 1;
SELECT SUM(amount) AS revenue FROM sales WHERE sold_on < DATE '2025-01-01' + 7;
SELECT SUM(amount) AS revenue FROM sales WHERE sold_on < DATE '2025-01-01' + 30;
SELECT SUM(amount) AS revenue FROM sales WHERE sold_on < DATE '2025-01-01' + 90;
SELECT SUM(amount) AS revenue FROM sales WHERE sold_on < DATE '2025-01-01' + 365;
SELECT SUM(amount) AS revenue FROM sales_unsorted WHERE sold_on < DATE '2025-01-01' + 1;
SELECT SUM(amount) AS revenue FROM sales_unsorted WHERE sold_on < DATE '2025-01-01' + 7;
SELECT SUM(amount) AS revenue FROM sales_unsorted WHERE sold_on < DATE '2025-01-01' + 30;
SELECT SUM(amount) AS revenue FROM sales_unsorted WHERE sold_on < DATE '2025-01-01' + 90;
SELECT SUM(amount) AS revenue FROM sales_unsorted WHERE sold_on < DATE '2025-01-01' + 365;

SELECT CAST(TRIM(SPLIT_PART(query_text, '+ ', 2)) AS INT) AS days, MAX(output_rows) AS rows_wanted,
  MAX(CASE WHEN query_text LIKE '% sales WHERE %' THEN input_rows END) AS rows_sorted,
  MAX(CASE WHEN query_text LIKE '% sales_unsorted %' THEN input_rows END) AS rows_unsorted,
  MAX(CASE WHEN query_text LIKE '% sales WHERE %' THEN blocks_read END) AS blocks_sorted,
  MAX(CASE WHEN query_text LIKE '% sales_unsorted %' THEN blocks_read END) AS blocks_unsorted
FROM sys_query_detail JOIN sys_query_history USING (query_id)
WHERE session_id = pg_backend_pid() -- the queries of this run alone
  AND query_text LIKE '%SUM(amount) AS revenue FROM sales%' AND query_text NOT LIKE '%sys_query%'
GROUP BY 1 ORDER BY 1;
