"""The handler of all Python runtimes in the benchmark."""


def handle(event: object, _context: object) -> object:
    """Give the event back."""
    return event
