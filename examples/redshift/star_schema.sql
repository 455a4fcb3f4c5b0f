-- A star schema for Amazon Redshift: a fact table of 1,000,000 sales and three small dimensions.
DROP TABLE IF EXISTS sales, customer, product, calendar, numbers CASCADE;

-- Dimensions: DISTSTYLE ALL keeps a copy on every node, so that no join moves rows.
CREATE TABLE customer (customer_id INT SORTKEY, segment VARCHAR(10) NOT NULL) DISTSTYLE ALL;
CREATE TABLE product (
  product_id INT SORTKEY, category VARCHAR(10) NOT NULL, price DECIMAL(8, 2) NOT NULL
) DISTSTYLE ALL;
CREATE TABLE calendar (sold_on DATE SORTKEY, quarter SMALLINT NOT NULL) DISTSTYLE ALL;

-- Facts: the rows of a customer lie on one slice, and on each slice in the order of the day.
CREATE TABLE sales (
  sale_id BIGINT NOT NULL, customer_id INT DISTKEY, product_id INT, sold_on DATE SORTKEY,
  channel VARCHAR(5), quantity SMALLINT, amount DECIMAL(10, 2), coupon VARCHAR(8)
);

-- 0 to 999,999. (generate_series runs on the leader node only and cannot fill a table.)
CREATE TEMP TABLE numbers AS
WITH digits AS (
  SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
  UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
)
SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + CAST(100000 * g.d AS BIGINT) AS n
FROM digits a, digits b, digits c, digits e, digits f, digits g;

INSERT INTO customer SELECT n, CASE MOD(n, 4) WHEN 0 THEN 'business' ELSE 'private' END
FROM numbers WHERE n < 10000;
INSERT INTO product SELECT n, CASE MOD(n, 4) WHEN 0 THEN 'book' WHEN 1 THEN 'food' WHEN 2 THEN 'toy'
  ELSE 'wear' END, 5 + MOD(n * 37, 200) FROM numbers WHERE n < 200;
INSERT INTO calendar SELECT DATE '2025-01-01' + CAST(n AS INT),
  DATE_PART(quarter, DATE '2025-01-01' + CAST(n AS INT)) FROM numbers WHERE n < 365;
INSERT INTO sales
SELECT n, MOD(n * 7919, 10000), product_id, DATE '2025-01-01' + CAST(MOD(n * 97, 365) AS INT),
  CASE WHEN MOD(n / 1000, 10) < 6 THEN 'web' WHEN MOD(n / 1000, 10) < 9 THEN 'app' ELSE 'store' END,
  1 + MOD(n, 5), (1 + MOD(n, 5)) * price, CASE WHEN MOD(n, 7) = 0 THEN 'WELCOME' END
FROM numbers JOIN product ON product_id = MOD(n * 31 + n / 7, 200);

SELECT 'calendar' AS table_name, COUNT(*) AS row_count FROM calendar
UNION ALL SELECT 'customer', COUNT(*) FROM customer
UNION ALL SELECT 'product', COUNT(*) FROM product
UNION ALL SELECT 'sales', COUNT(*) FROM sales ORDER BY 1;
