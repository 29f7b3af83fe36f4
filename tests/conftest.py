"""What all tests need of the process in which they run."""

from __future__ import annotations

import signal

# A shell that starts something in the background has it ignore SIGINT, and what is ignored stays so in every child: tests
# that interrupt a command would wait for ever. A handler, unlike that, ends with the child's first exec.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
