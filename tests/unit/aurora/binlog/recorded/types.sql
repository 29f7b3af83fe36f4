-- Every type that a primary key may have, at its edges; what is left at the end is written in test_recorded.py.
SET time_zone = '+00:00';
CREATE TABLE texts (i BIGINT UNSIGNED, s VARCHAR(20) CHARSET latin1, v VARCHAR(300) CHARSET utf8mb4, pad JSON, PRIMARY KEY (v, i, s));
CREATE TABLE moments (d DATETIME(3), t TIME(2), y YEAR, dt DATE, ts TIMESTAMP(6), d0 DATETIME, ts0 TIMESTAMP, t0 TIME, note TEXT, PRIMARY KEY (d, t, y, dt, ts, d0, ts0, t0));
CREATE TABLE numbers (note TEXT, b BIT(12), n DECIMAL(20,5), m MEDIUMINT, ti TINYINT, f DOUBLE, si SMALLINT UNSIGNED, big DECIMAL(65,30), PRIMARY KEY (b, n, m, ti, si, big));
CREATE TABLE kinds (f FLOAT, e ENUM('x','y'), st SET('p','q'), c CHAR(10) CHARSET utf8mb4, wide CHAR(100) CHARSET utf8mb4, bin BINARY(5), vb VARBINARY(10), blobby MEDIUMBLOB, PRIMARY KEY (e, st, c, wide, bin, vb));
INSERT INTO texts VALUES (18446744073709551615, 'é', '日本語', '{}'), (0, '', 'x', NULL), (5, 'o''b', 'a\\b', '[1]');
INSERT INTO moments VALUES
 ('2026-11-21 10:11:12.345', '-12:34:56.78', 2026, '2024-02-29', '2026-01-02 03:04:05.000006', '2026-11-21 00:00:01', '2026-01-02 03:04:05', '-00:00:01', 'n'),
 ('1000-01-01 00:00:00.000', '838:59:59.00', 1901, '9999-12-31', '1970-01-01 00:00:01', '9999-12-31 23:59:59', '2038-01-19 03:14:07', '838:59:59', NULL),
 ('9999-12-31 23:59:59.999', '-00:00:00.01', 2155, '0001-01-01', '2038-01-19 03:14:07.999999', '1000-01-01 00:00:00', '1970-01-01 00:00:01', '-838:59:59', NULL);
INSERT INTO numbers VALUES ('n', b'101010101010', -12345678901.00005, -5, -128, 1.5, 65535, 0.5), (NULL, b'0', 0.00001, 8388607, 127, NULL, 0, -99999999999999999999999999999999999.000000000000000000000000000001),
 (NULL, b'1', 99999999999999.99999, -8388608, 0, 2, 1, 0);
INSERT INTO kinds VALUES (1, 'y', 'p,q', 'ab ', REPEAT('語', 100), 'ab', 'z', 'zz'), (NULL, 'x', '', '', '', '', '', NULL), (2, 'x', 'q', '日', 'w', '12345', X'00', NULL);
UPDATE moments SET note = REPEAT('k', 300) WHERE y = 2026;
UPDATE texts SET i = 7 WHERE i = 5;
DELETE FROM texts WHERE i = 0;
