import pytest
import pytest_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    """Unit tests meet no world: a socket that a test opens is an error."""
    pytest_socket.disable_socket(allow_unix_socket=True)
