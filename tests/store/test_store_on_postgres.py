"""What is special about a store that a team shares. Left out where PostgreSQL is not installed."""

from __future__ import annotations

from pathlib import Path

import postgres_server
import pytest
from older import make_older
from sqlalchemy import create_engine, text
from tables import day, prices, table

from providers.store import StoreBusyError, StoreError, open_store


@pytest.fixture
def postgres_url(postgres: postgres_server.Server) -> str:
    return postgres.fresh_url()


def test_an_older_store_of_a_team_is_migrated_only_when_told_to(postgres_url: str) -> None:
    with open_store(postgres_url) as store:
        store.publish(table(day(0), {"a": "1"}), started_at=day(0), now=day(0))
    make_older(postgres_url)
    with pytest.raises(StoreError, match="pg_dump"):
        open_store(postgres_url)
    with open_store(postgres_url, migrate=True) as store:
        assert store.decisions("s") == []
        assert prices(store.offers(as_of=day(1))["north"]) == {"a": "1"}


def test_a_store_of_a_team_lives_beside_the_tables_of_other_programs(postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE songs (title TEXT)"))
    open_store(postgres_url).close()
    open_store(postgres_url, create=False).close()
    engine.dispose()


def test_a_store_of_a_team_is_copied_by_its_own_tools(postgres_url: str, path: Path) -> None:
    with open_store(postgres_url) as store, pytest.raises(StoreError, match="pg_dump"):
        store.backup(path)
    assert not path.exists()


def test_one_refresh_at_a_time_works_on_the_store_of_a_team(postgres_url: str) -> None:
    with open_store(postgres_url) as here, open_store(postgres_url) as there:
        with here.alone(), pytest.raises(StoreBusyError) as busy, there.alone():
            pass
        assert busy.value.exit_code == 6
        with there.alone():
            here.publish(table(day(0), {"a": "1"}), started_at=day(0), now=day(0))
