"""Whether a cluster can be cloned and followed: facts are read first, and then all is judged at once."""
