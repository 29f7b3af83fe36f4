-- What stands in a binlog besides rows.
CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(50));
CREATE TABLE parts (id INT PRIMARY KEY, order_id INT, FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE);
CREATE TABLE others (id INT);
INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO parts VALUES (10, 1), (11, 2);
SET SESSION binlog_format = STATEMENT;
UPDATE orders SET note = 'BEGIN' WHERE id = 3;
SET SESSION binlog_format = ROW;
BEGIN;
DELETE FROM orders WHERE id = 1;
COMMIT;
INSERT INTO others VALUES (1), (2);
CREATE USER 'others'@'localhost';
DROP USER 'others'@'localhost';
CREATE VIEW seen AS SELECT * FROM parts;
ALTER TABLE others ADD COLUMN more INT;
TRUNCATE TABLE others;
