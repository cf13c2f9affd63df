"""Runs a Python program that may reach nothing but this machine: `python tools/offline.py -m surefoot demo --once`.

Every process it starts is held to the same: the guard travels in PYTHONPATH as a `sitecustomize`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

GUARD = '''
"""Refuses every connection that leaves this machine."""
import ipaddress
import socket

_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex


def _check(address):
    if isinstance(address, tuple):
        host = str(address[0])
        if host not in ("localhost", "") and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            raise OSError(f"offline: a connection to {host} was refused")


def _guarded(self, address):
    _check(address)
    return _connect(self, address)


def _guarded_ex(self, address):
    _check(address)
    return _connect_ex(self, address)


def _resolve(host, *rest, **options):
    if host not in (None, "localhost", "127.0.0.1", "::1", "0.0.0.0", ""):
        raise socket.gaierror(f"offline: looking up {host} was refused")
    return _lookup(host, *rest, **options)


_lookup = socket.getaddrinfo
socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = _guarded, _guarded_ex, _resolve
'''


def main() -> int:
    """Start the program with the guard; its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(GUARD, "utf-8")
        path = os.pathsep.join(part for part in (folder, os.environ.get("PYTHONPATH", "")) if part)
        return subprocess.run([sys.executable, *sys.argv[1:]], env={**os.environ, "PYTHONPATH": path}).returncode


if __name__ == "__main__":
    raise SystemExit(main())
