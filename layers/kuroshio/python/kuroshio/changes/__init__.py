r"""What a pull request changes: which deployable units, and why.

Pure: nothing here runs git, reads a file or meets AWS. It reads top-down::

    detection.detect(repository, base, head) -> Plan        observe, then decide
        snapshot     the units of one commit, with their inputs
            analysis     one template's content -> its units (depends on nothing but the content)
        comparison   two snapshots and the changed files -> reasons

The world is met through ``ports.Repository``. Paths are ``str`` as ``os.fsdecode`` makes them: bytes that are not
UTF-8 survive as lone surrogates and are written as ``\\xNN`` where a plan is rendered.
"""
