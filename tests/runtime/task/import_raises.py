"""A handler's module that raises at import."""

raise LookupError("nothing to serve")
