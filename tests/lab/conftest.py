from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import LabInProcess, lab_in_process

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInProcess]:
    """One lab for the whole session; each test deploys stacks under names of its own."""
    with lab_in_process(tmp_path_factory.mktemp("lab")) as running:
        yield running
