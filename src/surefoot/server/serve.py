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
from surefoot.app.people import People
from surefoot.app.peoplerules import Rules
from surefoot.config.load import Config
from surefoot.config.watch import watch
from surefoot.errors import ConfigError
from surefoot.server.asgi import Wire
from surefoot.server.console.app import Console

_GRACE_SECONDS = 10


def serve(
    config: Config,
    *,
    host: str | None = None,
    port: int | None = None,
    on_ready: Callable[[str], None] = lambda url: None,
    on_first: Callable[[str], None] = lambda link: None,
) -> None:
    """Serve until a signal ends it. Raises ConfigError, StoreError when it cannot begin.

    Args:
        config: what is served; its file is watched and served anew when it changes.
        host, port: instead of the configuration's; port 0 takes a free one.
        on_ready: told the address once requests are taken.
        on_first: told the one-time link that makes the first account, when there is none. It is a secret:
            show it, never log it.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(config, host or config.settings.server.host, port, on_ready, on_first))


def _calm_collector() -> None:
    """Collect garbage less often: what a request makes is freed by its reference counts, and what start-up made stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _serve(
    config: Config, host: str, port: int | None, on_ready: Callable[[str], None], on_first: Callable[[str], None]
) -> None:
    app = await App.start(config)
    try:
        if not app.keyed() and not is_loopback(host):
            raise ConfigError(
                f"without a key only loopback is served, not {host}; make one with `surefoot key create`",
                file=config.file,
            )
        settings = config.settings.server
        people = People(app.store, Rules(idle_seconds=settings.idle_seconds))
        token = await people.staff.first_link()

        def ready(url: str) -> None:
            on_ready(url)
            if token is not None:
                on_first(f"{_reachable(url)}/welcome/{token}")

        console = Console(app, people, settings)

        def end() -> None:
            app.held.release()
            console.release()

        server = _Server(
            uvicorn.Config(
                Wire(app, settings, console), host=host,
                port=settings.port if port is None else port, http="httptools",
                lifespan="off", ws="none", access_log=False, log_level="warning", server_header=False, proxy_headers=False,
                backlog=2048, timeout_keep_alive=75, timeout_graceful_shutdown=_GRACE_SECONDS,
            ),
            ready, end,
        )  # fmt: skip
        tasks = [
            asyncio.create_task(watch(Path(config.file), config.digest, app.reload)),
            asyncio.create_task(people.keep_tidy(app.settler.lost)),
        ]
        _calm_collector()
        try:
            await server.serve()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await app.close()


class _Server(uvicorn.Server):
    """uvicorn's server; it says when it is ready, and where, and when it is about to end."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[str], None], on_end: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self._on_ready, self._on_end = on_ready, on_end

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but the signal is not raised again: that would end the process before the store is closed."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Let go of held connections first: they are not waited for."""
        self._on_end()
        await super().shutdown(sockets=sockets)  # type: ignore[arg-type]

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Begin to listen."""
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        for server in getattr(self, "servers", []):
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                self._on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
                return


def _reachable(url: str) -> str:
    """An address that a browser on this machine can open, also when every address is listened on."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


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
