"""Handlers that do what handlers should not."""

import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class NotAnError(BaseException):
    pass


class CloneNotReady(Exception):
    pass


def raises(event, context):
    raise CloneNotReady("the clone is still being made")


def exits(event, context):
    sys.exit(3)


def exits_at_once(event, context):
    os._exit(9)


def forks(event, context):
    child = os.fork()
    return {"parent": child > 0}


def prints_garbage(event, context):
    sys.stdout.write("\x00\x1b[31m\udcff no newline")
    os.write(1, b"\xff\xfe\n")
    sys.stdout.close()
    return "fine"


def base_exception(event, context):
    raise NotAnError("who would do that?")


def interrupts(event, context):
    raise KeyboardInterrupt


def unspeakable(event, context):
    raise Unspeakable


def long_message(event, context):
    raise ValueError("x" * 7_000_000)


def recurses(event, context):
    return recurses(event, context)


def swallows(event, context):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    except BaseException:
        return "swallowed"


def sleeps(event, context):
    time.sleep(event)
    return "awake"


def unserialisable(event, context):
    return {"items": [{"when": 1}, {"when": datetime.now(UTC)}]}


def not_a_number(event, context):
    return {"share": {"of nothing": [float("nan")]}}


def bad_key(event, context):
    return {"a": {(1, 2): 3}}


def circular(event, context):
    loop = []
    loop.append(loop)
    return loop


def large(event, context):
    return "x" * 7_000_000


def stream_late_error(event, context):
    yield "half"
    raise CloneNotReady("in the middle")


def stream_early_error(event, context):
    raise CloneNotReady("before the first byte")
    yield


def stream_number(event, context):
    yield 1


def leaves_a_thread(event, context):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return "left"


not_callable = 3
