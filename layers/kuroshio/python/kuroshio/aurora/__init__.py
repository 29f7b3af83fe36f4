"""Aurora MySQL: a clone that follows its live source, proven equal."""
