"""A handler's module that needs what is not installed."""

import no_such_module_anywhere  # noqa: F401


def handle(event, context):
    return None
