"""Proof that a clone holds what its source holds, while both are written to, without a lock.

``tables`` says what a table is, ``fingerprint`` how rows are summed up, ``spans`` how a table is cut, ``full`` looks at
every row, ``delta`` at those that a binlog touched, ``rows`` at single ones until they agree or stay different.
"""
