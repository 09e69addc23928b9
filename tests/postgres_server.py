"""A PostgreSQL server of the tests' own, from Debian's package, on a socket in its own folder."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOW = "apt-get install postgresql"


def binaries() -> Path | None:
    """Where `initdb` and `pg_ctl` are: Debian does not put them on the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


def required() -> bool:
    """Whether its absence is a failure, as in the gate."""
    return bool(os.environ.get("CI") or os.environ.get("RENTOPT_TEST_POSTGRES"))


def left_out() -> list[str]:
    """For the header of a run."""
    if binaries() or required():
        return []
    return [f"the price store is tested on SQLite only; for PostgreSQL: {HOW}"]


class Server:
    """A running server; `fresh_url` makes a database and says where it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def fresh_url(self) -> str:
        import psycopg

        name = f"store_{next(self._numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._address(name)

    def _address(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._folder}"


@contextmanager
def running() -> Iterator[Server]:
    """A server that ends with the block. As root it runs as `postgres`: it refuses root.

    Raises:
        AssertionError: it is not installed.
    """
    programs = binaries()
    assert programs is not None, f"PostgreSQL is not installed: {HOW}"
    folder = Path(tempfile.mkdtemp(prefix="rentopt-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"

    def call(program: str, *arguments: str | Path) -> None:
        command = [*as_user, str(programs / program), *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    try:
        call("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync",
             "--locale=C.UTF-8")  # fmt: skip
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        call("pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield Server(folder)
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)
