from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from deployed import Deployed, lab_with_both_stacks
from harness import LabInProcess, lab_in_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.mackerel import FakeMackerel, Served


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInProcess]:
    """One lab for the whole session; each test deploys stacks under names of its own."""
    with lab_in_process(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def stacks() -> Iterator[tuple[Deployed, Served]]:
    """Both stacks in a lab of containers, deployed once for all tests of the session."""
    with lab_with_both_stacks() as both:
        yield both


@pytest.fixture(scope="session")
def deployed(stacks: tuple[Deployed, Served]) -> Deployed:
    """What a person at the lab's shell has."""
    return stacks[0]


@pytest.fixture
def mackerel(stacks: tuple[Deployed, Served]) -> FakeMackerel:
    """The Mackerel that the stacks send to, without faults."""
    fake = stacks[1].mackerel
    fake.faults.clear()
    return fake
