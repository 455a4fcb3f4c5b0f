-- A query whose result is kept: right until a table changes, and again after a refresh.
-- Run star_schema.sql first.
DROP VIEW IF EXISTS difference, revenue_now;
DROP MATERIALIZED VIEW IF EXISTS revenue_by_quarter;
DELETE FROM sales WHERE sale_id >= 1000000; -- of a run that broke off

-- Otherwise Redshift answers the base query from the materialized view as soon as there is one.
SET mv_enable_aqmv_for_session TO FALSE;

CREATE MATERIALIZED VIEW revenue_by_quarter AS
SELECT quarter, category, COUNT(*) AS sales_count, SUM(amount) AS revenue
FROM sales JOIN calendar USING (sold_on) JOIN product USING (product_id)
GROUP BY quarter, category;

-- The same query, run anew whenever it is asked.
CREATE VIEW revenue_now AS
SELECT quarter, category, COUNT(*) AS sales_count, SUM(amount) AS revenue
FROM sales JOIN calendar USING (sold_on) JOIN product USING (product_id)
GROUP BY quarter, category;

CREATE VIEW difference AS
SELECT 'right now' AS found_in, * FROM (
  SELECT * FROM revenue_now EXCEPT SELECT * FROM revenue_by_quarter) AS missing
UNION ALL
SELECT 'kept', * FROM (
  SELECT * FROM revenue_by_quarter EXCEPT SELECT * FROM revenue_now) AS outdated;

SELECT * FROM revenue_by_quarter ORDER BY quarter, category;
SELECT COUNT(*) AS different_rows FROM difference;

INSERT INTO sales VALUES (1000000, 1, 1, '2025-12-31', 'web', 1, 42.00, NULL);
SELECT TRIM(name) AS view_name, is_stale FROM svv_mv_info WHERE TRIM(name) = 'revenue_by_quarter';
SELECT * FROM difference ORDER BY found_in;

REFRESH MATERIALIZED VIEW revenue_by_quarter;
SELECT TRIM(name) AS view_name, is_stale FROM svv_mv_info WHERE TRIM(name) = 'revenue_by_quarter';
SELECT COUNT(*) AS different_rows FROM difference;

-- Leave the sales as they were.
DELETE FROM sales WHERE sale_id >= 1000000;
REFRESH MATERIALIZED VIEW revenue_by_quarter;
