-- What Amazon puts into schema mysql of Aurora MySQL, for MariaDB 11.8: the account that owns it, and the procedures by
-- which an administrator without SUPER changes replication. Texts and refusals are RDS's own where they are known
-- (docs/fine-print.md says where they are not). Nothing here is written to the binlog.
SET SESSION sql_log_bin = 0;

-- Nobody can log in with it; as a definer it works.
CREATE OR REPLACE USER rdsadmin@localhost ACCOUNT LOCK;
GRANT ALL ON *.* TO rdsadmin@localhost WITH GRANT OPTION;

CREATE TABLE IF NOT EXISTS mysql.rds_configuration (
  name VARCHAR(100) NOT NULL PRIMARY KEY, value VARCHAR(100), description VARCHAR(300) NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO mysql.rds_configuration VALUES ('binlog retention hours', NULL,
  'binlog retention hours specifies the duration in hours before binary logs are automatically deleted.');
CREATE TABLE IF NOT EXISTS mysql.rds_history (
  action_timestamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, called_by_user VARCHAR(352) NOT NULL, action VARCHAR(64) NOT NULL,
  mysql_version VARCHAR(64) NOT NULL, master_host VARCHAR(255), master_port INT, master_user VARCHAR(128),
  master_log_file VARCHAR(64), master_log_pos BIGINT UNSIGNED, master_ssl BOOLEAN
) ENGINE = InnoDB;

DELIMITER $$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_lab_refuse(reason VARCHAR(128))
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = reason$$

-- ON: both threads run (a connection that is being made counts). BROKEN: one of them. OFF: none. NOT_EXIST: not configured.
CREATE OR REPLACE DEFINER = rdsadmin@localhost FUNCTION mysql.rds_lab_replication() RETURNS VARCHAR(10) READS SQL DATA
  RETURN (
    SELECT CASE WHEN COUNT(*) = 0 THEN 'NOT_EXIST'
      ELSE ELT(1 + SUM(Slave_IO_Running <> 'No') + SUM(Slave_SQL_Running <> 'No'), 'OFF', 'BROKEN', 'ON') END
    FROM information_schema.SLAVE_STATUS WHERE Master_Host <> '')$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_lab_note(
  who VARCHAR(352), what VARCHAR(64), host VARCHAR(255), port INT, user VARCHAR(128), file VARCHAR(64), pos BIGINT UNSIGNED, tls BOOLEAN)
BEGIN
  DECLARE logged BOOLEAN DEFAULT @@SESSION.sql_log_bin;
  SET SESSION sql_log_bin = 0;
  INSERT INTO mysql.rds_history VALUES (DEFAULT, who, what, VERSION(), host, port, user, file, pos, tls);
  COMMIT;
  SET SESSION sql_log_bin = logged;
END$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_lab_did(what VARCHAR(64))
  CALL mysql.rds_lab_note(USER(), what, NULL, NULL, NULL, NULL, NULL, NULL)$$

-- Wait until both threads run, at most two seconds.
CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_lab_await_start()
BEGIN
  DECLARE looks INT DEFAULT 0;
  WHILE looks < 20 AND mysql.rds_lab_replication() <> 'ON' DO
    DO SLEEP(0.1);
    SET looks = looks + 1;
  END WHILE;
END$$

-- Replication -----------------------------------------------------------------------------------------------------------

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_set_external_master(
  host VARCHAR(255), port INT, user TEXT, passwd TEXT, name TEXT, pos BIGINT UNSIGNED, enable_ssl_encryption TINYINT(1))
BEGIN
  IF mysql.rds_lab_replication() IN ('ON', 'BROKEN') THEN
    CALL mysql.rds_lab_refuse('You can''t modify replication because replication is running. First call mysql.rds_stop_replication.');
  END IF;
  -- An argument that is NULL makes the whole statement NULL: error 1064, as there.
  EXECUTE IMMEDIATE CONCAT(
    'CHANGE MASTER TO MASTER_HOST = ', QUOTE(TRIM(host)), ', MASTER_PORT = ', port,
    ', MASTER_USER = ', QUOTE(TRIM(user)), ', MASTER_PASSWORD = ', QUOTE(TRIM(passwd)),
    ', MASTER_LOG_FILE = ', QUOTE(TRIM(name)), ', MASTER_LOG_POS = ', pos,
    ', MASTER_SSL = ', IF(enable_ssl_encryption, 1, 0), ', MASTER_SSL_VERIFY_SERVER_CERT = 0, MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = no');
  CALL mysql.rds_lab_note(USER(), 'set master', TRIM(host), port, TRIM(user), TRIM(name), pos, enable_ssl_encryption);
END$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_set_external_source(
  host VARCHAR(255), port INT, user TEXT, passwd TEXT, name TEXT, pos BIGINT UNSIGNED, enable_ssl_encryption TINYINT(1))
  CALL mysql.rds_set_external_master(host, port, user, passwd, name, pos, enable_ssl_encryption)$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_reset_external_master()
BEGIN
  IF mysql.rds_lab_replication() IN ('ON', 'BROKEN') THEN
    STOP SLAVE;
  END IF;
  RESET SLAVE ALL;
  CALL mysql.rds_lab_did('reset slave');
  SELECT 'Slave has been reset' AS message;
END$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_reset_external_source()
  CALL mysql.rds_reset_external_master()$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_start_replication()
BEGIN
  CASE mysql.rds_lab_replication()
    WHEN 'NOT_EXIST' THEN
      CALL mysql.rds_lab_refuse('You can''t start replication because the replica isn''t configured. First call mysql.rds_set_external_master.');
    WHEN 'ON' THEN
      CALL mysql.rds_lab_refuse('Slave may already running. Call rds_stop_replication to stop replication');
    ELSE
      START SLAVE;
      CALL mysql.rds_lab_await_start();
  END CASE;
  IF mysql.rds_lab_replication() = 'ON' THEN
    CALL mysql.rds_lab_did('start slave');
    SELECT 'Slave running normally.' AS Message;
  ELSE
    CALL mysql.rds_lab_did('start slave:ERR');
    SELECT 'Slave has encountered an error. Run SHOW SLAVE STATUS\\G; to see the error.' AS Message;
  END IF;
END$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_start_replication_until(
  replication_log_file TEXT, replication_stop_point BIGINT)
BEGIN
  IF mysql.rds_lab_replication() = 'NOT_EXIST' THEN
    CALL mysql.rds_lab_refuse('You can''t start replication because the replica isn''t configured. First call mysql.rds_set_external_master.');
  END IF;
  EXECUTE IMMEDIATE CONCAT(
    'START SLAVE UNTIL MASTER_LOG_FILE = ', QUOTE(TRIM(replication_log_file)), ', MASTER_LOG_POS = ', replication_stop_point);
  CALL mysql.rds_lab_did('start slave until');
  SELECT CONCAT('Replication started until MASTER_LOG_FILE = ', replication_log_file, ' and MASTER_LOG_POS = ',
    replication_stop_point) AS Message;
END$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_stop_replication()
BEGIN
  IF mysql.rds_lab_replication() IN ('OFF', 'NOT_EXIST') THEN
    CALL mysql.rds_lab_refuse('Slave is already stopped or may not be configured. Run SHOW SLAVE STATUS\\G;');
  END IF;
  STOP SLAVE;
  CALL mysql.rds_lab_did('stop slave');
  SELECT 'Slave is down or disabled' AS Message;
END$$

-- Skips the event group in error, which is a whole transaction. The error of a second one comes behind the first result.
CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_skip_repl_error()
BEGIN
  DECLARE looks INT DEFAULT 0;
  DECLARE idle BOOLEAN DEFAULT FALSE;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    DO RELEASE_LOCK('rds_skip_repl_error');
    RESIGNAL;
  END;
  IF NOT GET_LOCK('rds_skip_repl_error', 0) THEN
    CALL mysql.rds_lab_refuse('A mysql.rds_skip_repl_error procedure is in progress.');
  END IF;
  CALL mysql.rds_lab_did('Starting: skip_repl_error');
  CASE mysql.rds_lab_replication()
    WHEN 'NOT_EXIST' THEN
      CALL mysql.rds_lab_refuse('You can''t skip a replication error because the replica isn''t configured. First call mysql.rds_set_external_master.');
    WHEN 'ON' THEN
      CALL mysql.rds_lab_refuse('Slave is running normally.  No errors detected to skip.');
    WHEN 'OFF' THEN
      CALL mysql.rds_lab_refuse('Slave is down or disabled.');
    ELSE
      STOP SLAVE;
  END CASE;
  SET GLOBAL sql_slave_skip_counter = 1;
  START SLAVE;
  SELECT 'Statement in error has been skipped' AS Message;
  -- Two seconds there; here less where the relay log is at its end, or the next error has come.
  WHILE looks < 20 AND NOT idle DO
    DO SLEEP(0.1);
    SET looks = looks + 1;
    SELECT Slave_SQL_Running = 'No' OR (Slave_IO_Running = 'Yes' AND Slave_SQL_State LIKE 'Slave has read all relay log%')
      INTO idle FROM information_schema.SLAVE_STATUS LIMIT 1;
  END WHILE;
  IF mysql.rds_lab_replication() <> 'ON' THEN
    CALL mysql.rds_lab_did('skip_repl_error:ERR');
    CALL mysql.rds_lab_refuse('Slave has encountered a new error. Please use SHOW SLAVE STATUS to see the error.');
  END IF;
  CALL mysql.rds_lab_did('skip_repl_error:OK');
  DO RELEASE_LOCK('rds_skip_repl_error');
  SELECT 'Slave is now running normally' AS Message;
END$$

-- Goes to the beginning of the file after the one of that number; what lies between is lost.
CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_next_master_log(curr_master_log INT)
BEGIN
  IF mysql.rds_lab_replication() = 'NOT_EXIST' THEN
    CALL mysql.rds_lab_refuse('You can''t set the next log because the replica isn''t configured. First call mysql.rds_set_external_master.');
  END IF;
  STOP SLAVE;
  EXECUTE IMMEDIATE CONCAT(
    'CHANGE MASTER TO MASTER_LOG_FILE = ''mysql-bin-changelog.', LPAD(curr_master_log + 1, 6, '0'), ''', MASTER_LOG_POS = 4');
  START SLAVE;
  CALL mysql.rds_lab_did('next master log');
  SELECT 'Master Log Position has been set to start of next log' AS Message;
END$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_next_source_log(curr_source_log INT)
  CALL mysql.rds_next_master_log(curr_source_log)$$

-- Configuration and connections -----------------------------------------------------------------------------------------

-- A name that is not there, or differs in case, changes nothing and is no error: read back what you set.
CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_set_configuration(IN setting VARCHAR(100), IN wanted INT)
BEGIN
  DECLARE logged BOOLEAN DEFAULT @@SESSION.sql_log_bin;
  IF BINARY setting = 'binlog retention hours' AND NOT wanted BETWEEN 1 AND 2160 THEN
    CALL mysql.rds_lab_refuse('For binlog retention hours the value must be between 1 and 2160 inclusive or be NULL');
  END IF;
  SET SESSION sql_log_bin = 0;
  UPDATE mysql.rds_configuration SET value = wanted WHERE BINARY name = setting;
  COMMIT;
  SET SESSION sql_log_bin = logged;
END$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_show_configuration()
  SELECT name, value, description FROM mysql.rds_configuration$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_kill(thread BIGINT)
  EXECUTE IMMEDIATE CONCAT('KILL CONNECTION ', thread)$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_kill_query(thread BIGINT)
  EXECUTE IMMEDIATE CONCAT('KILL QUERY ', thread)$$

CREATE OR REPLACE DEFINER = rdsadmin@localhost PROCEDURE mysql.rds_set_read_only(mode BOOLEAN)
  SET GLOBAL read_only = mode$$

DELIMITER ;
