"""The process: uvicorn around the wire, the configuration watched, a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from surefoot.app import App
from surefoot.config.load import Config
from surefoot.config.watch import watch
from surefoot.errors import ConfigError
from surefoot.server.asgi import Wire

_GRACE_SECONDS = 10


def serve(
    config: Config,
    *,
    host: str | None = None,
    port: int | None = None,
    on_ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until a signal ends it. Raises ConfigError, StoreError when it cannot begin.

    Args:
        config: what is served; its file is watched and served anew when it changes.
        host, port: instead of the configuration's; port 0 takes a free one.
        on_ready: told the address once requests are taken.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(config, host or config.settings.server.host, port, on_ready))


def _calm_collector() -> None:
    """Collect garbage less often: what a request makes is freed by its reference counts, and what start-up made stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _serve(config: Config, host: str, port: int | None, on_ready: Callable[[str], None]) -> None:
    app = await App.start(config)
    try:
        if not app.keyed() and not is_loopback(host):
            raise ConfigError(
                f"without a key only loopback is served, not {host}; make one with `surefoot key create`",
                file=config.file,
            )
        settings = config.settings.server
        server = _Server(
            uvicorn.Config(
                Wire(app, settings), host=host, port=settings.port if port is None else port, http="httptools",
                lifespan="off", ws="none", access_log=False, log_level="warning", server_header=False, proxy_headers=False,
                backlog=2048, timeout_keep_alive=75, timeout_graceful_shutdown=_GRACE_SECONDS,
            ),
            on_ready,
        )  # fmt: skip
        watching = asyncio.create_task(watch(Path(config.file), config.digest, app.reload))
        _calm_collector()
        try:
            await server.serve()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        await app.close()


class _Server(uvicorn.Server):
    """uvicorn's server; it says when it is ready, and where."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but the signal is not raised again: that would end the process before the store is closed."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Begin to listen."""
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        for server in getattr(self, "servers", []):
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                self._on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
                return


def is_loopback(host: str) -> bool:
    """Whether a host to listen on can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.new_event_loop
    return uvloop.new_event_loop
