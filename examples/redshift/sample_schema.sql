-- The tables and views of the other files with three sales, to try a program or a query in seconds.
DROP VIEW IF EXISTS difference, revenue_now;
DROP MATERIALIZED VIEW IF EXISTS revenue_by_quarter;
DROP TABLE IF EXISTS sales, sales_unsorted, product, calendar CASCADE;

CREATE TABLE product (product_id INT, category VARCHAR(10), price DECIMAL(8, 2)) DISTSTYLE ALL;
CREATE TABLE calendar (sold_on DATE, quarter SMALLINT) DISTSTYLE ALL;
CREATE TABLE sales (
  sale_id BIGINT NOT NULL, customer_id INT DISTKEY, product_id INT, sold_on DATE SORTKEY,
  channel VARCHAR(5), quantity SMALLINT, amount DECIMAL(10, 2), coupon VARCHAR(8)
);
INSERT INTO product VALUES (1, 'book', 12.50), (2, 'toy', 30.00);
INSERT INTO calendar VALUES ('2025-01-31', 1), ('2025-07-01', 3);
INSERT INTO sales VALUES
  (1, 7, 2, '2025-07-01', 'web', 1, 30.00, NULL),
  (2, 8, 1, '2025-01-31', 'web', 2, 25.00, 'WELCOME'),
  (3, 7, 1, '2025-07-01', 'app', 1, 12.50, NULL);
CREATE TABLE sales_unsorted DISTSTYLE EVEN AS SELECT * FROM sales;

CREATE MATERIALIZED VIEW revenue_by_quarter AS
SELECT quarter, category, COUNT(*) AS sales_count, SUM(amount) AS revenue
FROM sales JOIN calendar USING (sold_on) JOIN product USING (product_id)
GROUP BY quarter, category;
CREATE VIEW revenue_now AS
SELECT quarter, category, COUNT(*) AS sales_count, SUM(amount) AS revenue
FROM sales JOIN calendar USING (sold_on) JOIN product USING (product_id)
GROUP BY quarter, category;
SELECT * FROM revenue_by_quarter ORDER BY quarter, category;
