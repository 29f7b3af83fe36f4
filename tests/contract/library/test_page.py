"""What the page shows of the library runs, as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from tests.contract.library.conftest import Queue

PAGE = Path(__file__).parents[3] / "docs/metrics.md"
CONTEXT = SimpleNamespace(aws_request_id="r1")


def test_the_functions_of_the_page_send_what_they_say(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUROSHIO_METRICS_EMF", "off")
    monkeypatch.setattr("kuroshio.metrics._PATIENCE", 300.0)  # a busy machine is no silent SQS
    first, second = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(first, scope)  # noqa: S102 - it is our own page
    assert scope["handler"]({}, CONTEXT) == "done"
    exec(second, scope)  # noqa: S102
    scope["handler"]({"Records": [{"messageId": "m1"}, {"messageId": "m2"}]}, CONTEXT)
    documents = sorted((json.loads(body) for body in queue.bodies()), key=len)
    assert [[point["name"] for point in document["points"]] for document in documents] == [
        ["orders.shipped", "orders.shipped"],
        ["orders.shipped", "queue.length"],
    ]
    assert documents[1]["reports"][0]["name"] == "nightly_import"


def test_the_variables_of_the_page_are_those_that_the_library_reads() -> None:
    package = Path(__file__).parents[3] / "layers/kuroshio/python/kuroshio"
    read = {
        name
        for path in (package / "metrics.py", package / "adapters/emf.py")
        for name in re.findall(r"KUROSHIO_[A-Z_]+", path.read_text())
    }
    assert set(re.findall(r"^\| `(KUROSHIO_[A-Z_]+)`", PAGE.read_text(), re.MULTILINE)) == read
