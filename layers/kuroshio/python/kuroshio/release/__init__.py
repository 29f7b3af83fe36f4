"""After the merge: what must be deployed now, what is still owed from before, and what came of it."""
