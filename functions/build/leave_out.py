"""Leave out of the installed packages what no function can use and every cold start pays for; runs while the image is built.

usage: leave_out.py SITE_PACKAGES

Found with ``python -X importtime``: together about a fifth of what making an AWS client imports. Each replacement keeps
the names that the rest of its package imports; a package that has changed its shape stops the build.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

# botocore.docs writes the docstrings of clients for help(): an HTML parser, its entities, and a writer for each kind of
# section. botocore itself needs three names from it, and utils.py for handlers of events that only documentation sends.
_DOCSTRINGS = '''"""Stand-ins: this image has no interactive help. See functions/build/leave_out.py."""


class _Nothing(str):
    def __new__(cls, *_args, **_kwargs):
        return super().__new__(cls)


class ClientMethodDocstring(_Nothing): ...


class PaginatorDocstring(_Nothing): ...


class WaiterDocstring(_Nothing): ...
'''
# urllib3.http2 asks importlib.metadata for h2's version while it is imported, whether or not HTTP/2 is ever wanted; its
# probe, which urllib3 does import, needs nothing of that. Without h2 installed the package can do nothing else.
_HTTP2 = '"""Left out: h2 is not installed. See functions/build/leave_out.py."""\n'


def leave_out(packages: Path) -> None:
    """Replace both in place. Raises FileNotFoundError where a package no longer has what is to be replaced."""
    docs = packages / "botocore" / "docs"
    kept = (docs / "utils.py").read_text()
    (docs / "docstring.py").stat()
    shutil.rmtree(docs)
    docs.mkdir()
    (docs / "__init__.py").write_text("")
    (docs / "utils.py").write_text(kept)
    (docs / "docstring.py").write_text(_DOCSTRINGS)
    http2 = packages / "urllib3" / "http2"
    (http2 / "probe.py").stat()
    (http2 / "__init__.py").write_text(_HTTP2)


if __name__ == "__main__":
    leave_out(Path(sys.argv[1]))
