"""Images built once, and containers of a label of their own, all removed at the end."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import engine as engines
from lab.engine import Engine

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def engine() -> Engine:
    return engines.find()


@pytest.fixture(scope="session")
def label(engine: Engine) -> Iterator[str]:
    label = f"kuroshio-tests-{secrets.token_hex(4)}"
    yield label
    engine.kill(*engine.containers(label))
    engine.remove_network(label)
    for target in ("python", "initial", "misbehave"):
        engine.remove_image(f"localhost/{label}:{target}")


@pytest.fixture(scope="session")
def image(engine: Engine, label: str) -> str:
    """The image of all functions, from its recipe."""
    engine.build(ROOT, ROOT / "functions" / "Dockerfile", f"localhost/{label}:python", target="python")
    return f"localhost/{label}:python"


@pytest.fixture(scope="session")
def initial(engine: Engine, label: str) -> str:
    """The image of the very first deployment."""
    engine.build(ROOT, ROOT / "functions" / "Dockerfile", f"localhost/{label}:initial", target="initial")
    return f"localhost/{label}:initial"


@pytest.fixture(scope="session")
def misbehaving(engine: Engine, label: str, image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The functions' image with one more function, which does what its event says."""
    context = tmp_path_factory.mktemp("misbehave")
    (context / "misbehave.py").write_bytes((Path(__file__).parent / "task" / "misbehave.py").read_bytes())
    (context / "Dockerfile").write_text(f"FROM {image}\nCOPY misbehave.py /var/task/\n")
    engine.build(context, context / "Dockerfile", f"localhost/{label}:misbehave")
    return f"localhost/{label}:misbehave"
