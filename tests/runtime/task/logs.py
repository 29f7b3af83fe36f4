"""Handlers that log."""


def warns(event, context):
    import logging

    logging.getLogger("ours").info("not %s", "seen")
    logging.getLogger("ours").warning("seen %s", "well", extra={"table": "runs"})
    try:
        raise KeyError("k")
    except KeyError:
        logging.getLogger("ours").exception("failed")


def prints(event, context):
    print("out")
