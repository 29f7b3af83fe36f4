"""The composition root: one cached function per Lambda, the only place where domains and adapters meet.

A handler calls its function here; nothing is read from the environment and nothing is imported before that. Each
function imports what its own Lambda needs, because every import here is paid for at every cold start.
"""
