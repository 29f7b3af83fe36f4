"""What happened to a clone, from the ledger's records alone: one page that a team can hand on.

``records`` gathers, ``story`` tells in order, ``doubts`` says what is not known and what is left, ``sections`` writes it down
as blocks, ``page`` and ``markdown`` show blocks. Names, keys and messages come from databases and people: they are data
everywhere, and only ``markup`` makes HTML.
"""
