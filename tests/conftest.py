"""No test reaches beyond this machine; tests on real data read the folder of SUREFOOT_DATA, or say why they are skipped."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("laws", deadline=None)  # a law holds on a busy machine too
settings.load_profile("laws")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # processes that tests start would compile the source, each of them
os.environ.pop("COLUMNS", None)  # a console that is made at import keeps that width, whatever a test asks for


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Connections beyond loopback fail at once."""
    patch = pytest.MonkeyPatch()
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not _is_local(str(address[0])):
            raise OSError(f"tests may not reach {address[0]}")
        connect(self, address)  # type: ignore[arg-type]

    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


def _is_local(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host.partition("%")[0]).is_loopback


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of the public sets."""
    folder = os.environ.get("SUREFOOT_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SUREFOOT_DATA names no folder with the public sets")
    return Path(folder)
