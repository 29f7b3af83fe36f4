-- What procedures.sql is for MariaDB, for MySQL 8.4 and 9: the procedures by which an administrator without SUPER changes
-- replication, by their newer names alone, as Aurora has them from version 3 on. Nothing here is written to the binlog.
SET SESSION sql_log_bin = 0;

CREATE USER IF NOT EXISTS rdsadmin@localhost ACCOUNT LOCK;
GRANT ALL ON *.* TO rdsadmin@localhost WITH GRANT OPTION;

CREATE TABLE IF NOT EXISTS mysql.rds_configuration (
  name VARCHAR(100) NOT NULL PRIMARY KEY, value VARCHAR(100), description VARCHAR(300) NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO mysql.rds_configuration VALUES ('binlog retention hours', NULL,
  'binlog retention hours specifies the duration in hours before binary logs are automatically deleted.');

DELIMITER $$

DROP PROCEDURE IF EXISTS mysql.rds_lab_refuse$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_lab_refuse(reason VARCHAR(128))
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = reason$$

-- ON: both threads run (a connection that is being made counts). BROKEN: one of them. OFF: none. NOT_EXIST: not configured.
DROP FUNCTION IF EXISTS mysql.rds_lab_replication$$
CREATE DEFINER = rdsadmin@localhost FUNCTION mysql.rds_lab_replication() RETURNS VARCHAR(10) READS SQL DATA
BEGIN
  DECLARE halves INT;
  SELECT SUM(c.SERVICE_STATE <> 'OFF') + SUM(a.SERVICE_STATE <> 'OFF') INTO halves
    FROM performance_schema.replication_connection_configuration r
    JOIN performance_schema.replication_connection_status c USING (CHANNEL_NAME)
    JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME) WHERE r.HOST <> '';
  RETURN IF(halves IS NULL, 'NOT_EXIST', ELT(1 + halves, 'OFF', 'BROKEN', 'ON'));
END$$

DROP PROCEDURE IF EXISTS mysql.rds_lab_await_start$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_lab_await_start()
BEGIN
  DECLARE looks INT DEFAULT 0;
  WHILE looks < 20 AND mysql.rds_lab_replication() <> 'ON' DO
    DO SLEEP(0.1);
    SET looks = looks + 1;
  END WHILE;
END$$

DROP PROCEDURE IF EXISTS mysql.rds_set_external_source$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_set_external_source(
  host VARCHAR(255), port INT, user TEXT, passwd TEXT, name TEXT, pos BIGINT UNSIGNED, enable_ssl_encryption TINYINT(1))
BEGIN
  IF mysql.rds_lab_replication() IN ('ON', 'BROKEN') THEN
    CALL mysql.rds_lab_refuse('You can''t modify replication because replication is running. First call mysql.rds_stop_replication.');
  END IF;
  -- An argument that is NULL makes the whole statement NULL: error 1064, as there.
  SET @rds_lab = CONCAT(
    'CHANGE REPLICATION SOURCE TO SOURCE_HOST = ', QUOTE(TRIM(host)), ', SOURCE_PORT = ', port,
    ', SOURCE_USER = ', QUOTE(TRIM(user)), ', SOURCE_PASSWORD = ', QUOTE(TRIM(passwd)),
    ', SOURCE_LOG_FILE = ', QUOTE(TRIM(name)), ', SOURCE_LOG_POS = ', pos,
    ', SOURCE_SSL = ', IF(enable_ssl_encryption, 1, 0), ', SOURCE_CONNECT_RETRY = 1, SOURCE_AUTO_POSITION = 0');
  PREPARE rds_lab FROM @rds_lab;
  EXECUTE rds_lab;
  DEALLOCATE PREPARE rds_lab;
  SET @rds_lab = NULL;
END$$

DROP PROCEDURE IF EXISTS mysql.rds_reset_external_source$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_reset_external_source()
BEGIN
  IF mysql.rds_lab_replication() IN ('ON', 'BROKEN') THEN
    STOP REPLICA;
  END IF;
  RESET REPLICA ALL;
  SELECT 'Replica has been reset' AS message;
END$$

DROP PROCEDURE IF EXISTS mysql.rds_start_replication$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_start_replication()
BEGIN
  CASE mysql.rds_lab_replication()
    WHEN 'NOT_EXIST' THEN
      CALL mysql.rds_lab_refuse('You can''t start replication because the replica isn''t configured. First call mysql.rds_set_external_source.');
    WHEN 'ON' THEN
      CALL mysql.rds_lab_refuse('Replica may already running. Call rds_stop_replication to stop replication');
    ELSE
      START REPLICA;
      CALL mysql.rds_lab_await_start();
  END CASE;
  IF mysql.rds_lab_replication() = 'ON' THEN
    SELECT 'Replica running normally.' AS Message;
  ELSE
    SELECT 'Replica has encountered an error. Run SHOW REPLICA STATUS\\G; to see the error.' AS Message;
  END IF;
END$$

DROP PROCEDURE IF EXISTS mysql.rds_stop_replication$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_stop_replication()
BEGIN
  IF mysql.rds_lab_replication() IN ('OFF', 'NOT_EXIST') THEN
    CALL mysql.rds_lab_refuse('Replica is already stopped or may not be configured. Run SHOW REPLICA STATUS\\G;');
  END IF;
  STOP REPLICA;
  SELECT 'Replica is down or disabled' AS Message;
END$$

-- Skips the event group in error, which is a whole transaction. The error of a second one comes behind the first result.
DROP PROCEDURE IF EXISTS mysql.rds_skip_repl_error$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_skip_repl_error()
BEGIN
  DECLARE looks INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    DO RELEASE_LOCK('rds_skip_repl_error');
    RESIGNAL;
  END;
  IF NOT GET_LOCK('rds_skip_repl_error', 0) THEN
    CALL mysql.rds_lab_refuse('A mysql.rds_skip_repl_error procedure is in progress.');
  END IF;
  CASE mysql.rds_lab_replication()
    WHEN 'NOT_EXIST' THEN
      CALL mysql.rds_lab_refuse('You can''t skip a replication error because the replica isn''t configured. First call mysql.rds_set_external_source.');
    WHEN 'ON' THEN
      CALL mysql.rds_lab_refuse('Slave is running normally.  No errors detected to skip.');
    WHEN 'OFF' THEN
      CALL mysql.rds_lab_refuse('Slave is down or disabled.');
    ELSE
      STOP REPLICA;
  END CASE;
  SET GLOBAL sql_replica_skip_counter = 1;
  START REPLICA;
  SELECT 'Statement in error has been skipped' AS Message;
  -- Two seconds there. No list of MySQL says that a replica has come to its log's end, so here half of one.
  WHILE looks < 5 AND mysql.rds_lab_replication() = 'ON' DO
    DO SLEEP(0.1);
    SET looks = looks + 1;
  END WHILE;
  IF mysql.rds_lab_replication() <> 'ON' THEN
    CALL mysql.rds_lab_refuse('Slave has encountered a new error. Please use SHOW SLAVE STATUS to see the error.');
  END IF;
  DO RELEASE_LOCK('rds_skip_repl_error');
  SELECT 'Slave is now running normally' AS Message;
END$$

-- A name that is not there, or differs in case, changes nothing and is no error: read back what you set.
DROP PROCEDURE IF EXISTS mysql.rds_set_configuration$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_set_configuration(IN setting VARCHAR(100), IN wanted INT)
BEGIN
  IF BINARY setting = 'binlog retention hours' AND NOT wanted BETWEEN 1 AND 2160 THEN
    CALL mysql.rds_lab_refuse('For binlog retention hours the value must be between 1 and 2160 inclusive or be NULL');
  END IF;
  UPDATE mysql.rds_configuration SET value = wanted WHERE BINARY name = setting;
  COMMIT;
END$$

DROP PROCEDURE IF EXISTS mysql.rds_show_configuration$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_show_configuration()
  SELECT name, value, description FROM mysql.rds_configuration$$

DROP PROCEDURE IF EXISTS mysql.rds_kill$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_kill(thread BIGINT)
  KILL CONNECTION thread$$

DROP PROCEDURE IF EXISTS mysql.rds_set_read_only$$
CREATE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_set_read_only(mode BOOLEAN)
  SET GLOBAL read_only = mode$$

DELIMITER ;
