"""The servers behind the lab's RDS: real MariaDB in containers, with TLS, a binlog and Aurora's names for its files."""
