"""Which rows a binlog touched, read as a replica reads it: the ground of delta verification.

``events`` cuts the stream, ``tables`` and ``rows`` find the primary keys in row events, ``statements`` says what a
statement may have touched, ``touched`` adds it all up, ``literals`` writes a key as SQL finds it again.

Sources: MySQL's "Replication protocol" and "Binary log" pages of its source documentation, MariaDB's "Replication
protocol" pages. No layout here is ours.
"""
