"""A plan as a document for programs, and as text for people."""
