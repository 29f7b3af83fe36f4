"""A handler's module that leaves."""

import sys

sys.exit(4)
