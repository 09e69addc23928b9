"""Stores to test with: the same tests on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import postgres_server
import pytest

from providers.store import PriceStore, open_store

BACKENDS = ["sqlite"]
if postgres_server.binaries() or postgres_server.required():
    BACKENDS.append("postgresql")
collect_ignore = [] if "postgresql" in BACKENDS else ["test_store_on_postgres.py"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    with postgres_server.running() as server:
        yield server


@pytest.fixture(scope="module", params=BACKENDS)
def fresh_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Makes places where no store is yet."""
    if request.param == "postgresql":
        server: postgres_server.Server = request.getfixturevalue("postgres")
        return server.fresh_url
    return lambda: str(tmp_path_factory.mktemp("store") / "prices.db")


@pytest.fixture
def url(fresh_url: Callable[[], str]) -> str:
    return fresh_url()


@pytest.fixture
def store(url: str) -> Iterator[PriceStore]:
    with open_store(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_store(fresh_url: Callable[[], str]) -> Iterator[PriceStore]:
    """One store for many examples, each with an adapter of its own; sound after all of them."""
    with open_store(fresh_url()) as opened:
        yield opened
        assert opened.check() == []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prices.db"
