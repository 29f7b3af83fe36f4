"""The lab's RDS: Aurora MySQL clusters that are MariaDB servers in containers, asked and changed through the API of RDS."""
