"""Making, finding, migrating and refusing stores; copies of them; damage that is noticed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from older import make_older
from sqlalchemy import text
from tables import day, prices, table

from providers.store import Decision, PriceStore, StoreError, StoreMissingError, open_store, opening
from providers.store.database import database
from providers.store.schema import metadata


def publish(store: PriceStore, number: int, found: dict[str, str]) -> None:
    at = day(number)
    store.publish(table(at, found), started_at=at, now=at)


@pytest.fixture
def filled(path: Path) -> Path:
    """A store of three days."""
    with open_store(path) as store:
        for number in range(3):
            publish(store, number, {"a": str(number + 1), "b": "7"})
    return path


def test_the_migrations_make_the_tables_that_the_code_asks(url: str) -> None:
    open_store(url).close()
    place = database(url, read_only=True)
    with place.reading() as connection:
        options = {"version_table": opening.REVISION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    place.close()


def test_the_code_knows_every_migration_in_its_order() -> None:
    config = Config()
    folder = Path(opening.__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert [script.revision for script in scripts] == list(reversed(opening.REVISIONS))


def test_no_store_is_made_where_none_was_asked_for(tmp_path: Path) -> None:
    for how in ({"create": False}, {"read_only": True}):
        with pytest.raises(StoreMissingError, match="there is no price store at") as found:
            open_store(tmp_path / "sub" / "prices.db", **how)
        assert found.value.exit_code == 4
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_becomes_a_store_only_when_one_may_be_made(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreMissingError, match=r"no price store in .* yet"):
        open_store(path, create=False)
    open_store(path).close()
    open_store(path, create=False).close()


def test_folders_are_made_and_told_when_they_cannot_be(tmp_path: Path) -> None:
    open_store(tmp_path / "a" / "b" / "prices.db").close()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(tmp_path / "file" / "prices.db")


def test_a_path_a_text_and_a_url_name_the_same_file(filled: Path) -> None:
    for name in (filled, str(filled), f"sqlite:///{filled}"):
        with open_store(name, create=False) as store:
            assert len(store.runs()) == 3
            assert store.where == str(filled)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://root@host/prices", "not mysql://"),
        ("sqlite://", "not sqlite://"),
        ("https://host/prices.db", "not https://"),
        ("post gres://", "cannot be read"),
    ],
)
def test_a_url_of_something_else_is_refused(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        open_store(url)


def test_a_server_that_does_not_answer_is_named_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql://planner:s3cret@/prices?host={tmp_path}&connect_timeout=2"
    with pytest.raises(StoreError, match="planner:") as found:
        open_store(url)
    assert "s3cret" not in str(found.value)
    assert found.value.exit_code == 4


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"provider,sku,price\n" * 100)
    with pytest.raises(StoreError, match="this is no price store"):
        open_store(path)
    assert path.read_bytes() == b"provider,sku,price\n" * 100


def test_the_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (title TEXT)")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="it has tables of its own \\(songs\\)"):
        open_store(path)
    other = sqlite3.connect(path)
    names = [row[0] for row in other.execute("SELECT name FROM sqlite_master")]
    other.close()
    assert names == ["songs"]


def test_a_store_of_a_newer_program_is_refused_and_left_alone(url: str) -> None:
    with open_store(url) as store:
        publish(store, 0, {"a": "1"})
    place = database(url, read_only=False)
    with place.writing() as connection:
        connection.execute(text("UPDATE rentopt_schema SET version_num = '9000'"))
    place.close()
    for read_only in (False, True):
        with pytest.raises(StoreError, match="schema 9000, made by a newer rentopt") as found:
            open_store(url, read_only=read_only, migrate=True)
        assert found.value.exit_code == 4


def test_an_older_store_is_copied_and_then_brought_up_to_date(filled: Path) -> None:
    make_older(filled)
    with pytest.raises(StoreError, match="open it for writing once"):
        open_store(filled, read_only=True)
    with open_store(filled) as store:
        made = Decision(
            "s", "0" * 64, day(1), day(1), (3,), "CNY", store.runs()[0].n_offers * 1, "{}"
        )
        assert prices(store.offers(as_of=day(9))["north"]) == {"a": "3", "b": "7"}
        assert store.decisions("s") == []
        assert store.record_decision(made) == 1
        assert store.check() == []
    copy = filled.with_name("prices.db.schema-0001")
    kept = sqlite3.connect(copy)
    assert kept.execute("SELECT version_num FROM rentopt_schema").fetchall() == [("0001",)]
    assert kept.execute("SELECT count(*) FROM run").fetchall() == [(3,)]
    kept.close()
    open_store(filled).close()
    assert sorted(file.name for file in filled.parent.iterdir()) == ["prices.db", copy.name]


def test_a_migration_that_fails_changes_nothing(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_older(filled)
    in_the_way = sqlite3.connect(filled)
    in_the_way.execute("CREATE TABLE decision (id INTEGER)")
    in_the_way.commit()
    before = in_the_way.execute("SELECT name, sql FROM sqlite_master ORDER BY 1").fetchall()
    in_the_way.close()
    with pytest.raises(StoreError, match="decision already exists"):
        open_store(filled)
    after = sqlite3.connect(filled)
    assert after.execute("SELECT name, sql FROM sqlite_master ORDER BY 1").fetchall() == before
    after.close()


def test_threads_open_a_new_store_at_once(path: Path) -> None:
    faults: list[BaseException] = []

    def visit(number: int) -> None:
        try:
            with open_store(path) as store:
                store.record_failure(f"source-{number}", "no route", started_at=day(0))
        except StoreError as error:
            faults.append(error)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with open_store(path) as store:
        assert len(store.runs()) == 6


def test_all_who_make_a_file_at_the_same_moment_get_it(tmp_path: Path) -> None:
    """SQLite gives up at once where two turn its write-ahead log on: one round in ten failed."""
    faults: list[BaseException] = []
    for number in range(60):
        place = tmp_path / f"{number}.db"
        together = threading.Barrier(6)

        def visit(place: Path = place, together: threading.Barrier = together) -> None:
            here = database(place, read_only=False)
            together.wait()
            try:
                with here.writing():
                    pass
            except StoreError as error:
                faults.append(error)
            here.close()

        threads = [threading.Thread(target=visit) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert faults == []


def test_a_copy_is_a_whole_store_while_a_writer_goes_on(filled: Path, tmp_path: Path) -> None:
    stop, begun = threading.Event(), threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        with open_store(filled) as store:
            while not stop.is_set():
                publish(store, 3 + written, {"a": str(4 + written), "b": "7"})
                written += 1
                begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(60)
    target = tmp_path / "copies" / "prices.db"
    target.parent.mkdir()
    seen = []
    with open_store(filled) as store:
        for _ in range(10):
            store.backup(target)
            assert [file.name for file in target.parent.iterdir()] == ["prices.db"]
            with open_store(target, read_only=True) as copy:
                assert copy.check() == []
                runs = len(copy.runs(limit=10_000))
                assert prices(copy.offers(as_of=day(10_000))["north"]) == {"a": str(runs), "b": "7"}
                seen.append(runs)
    stop.set()
    writer.join()
    assert seen == sorted(seen)


def test_a_copy_that_cannot_be_written_says_so_and_leaves_the_old_one(
    filled: Path, tmp_path: Path
) -> None:
    with open_store(filled) as store:
        with pytest.raises(StoreError, match="cannot be written"):
            store.backup(tmp_path / "nowhere" / "copy.db")
        folder = tmp_path / "folder.db"
        (folder / "inside").mkdir(parents=True)
        with pytest.raises(StoreError, match="cannot be written"):
            store.backup(folder)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder.db", "prices.db"]


def harm(path: Path, *statements: str) -> list[str]:
    """What the store's check says after somebody changed it by hand."""
    by_hand = sqlite3.connect(path)
    for statement in statements:
        by_hand.execute(statement)
    by_hand.commit()
    by_hand.close()
    with open_store(path) as store:
        return store.check()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE run SET status = 'failed' WHERE id = 2", "does not belong to run 2"),
        ("DELETE FROM version WHERE run_id = 2", "run 2 has 0 changes and 0 ends of 1 and 0"),
        ("UPDATE version SET price = 'dear' WHERE run_id = 3", "cannot be read"),
        ("UPDATE version SET valid_from = valid_from + 1 WHERE run_id = 2", "and no table does"),
        ("UPDATE sku SET seen_to = 5 WHERE sku = 'b'", "'b' is not listed from and to when"),
        ("UPDATE sku SET adapter = 'south' WHERE sku = 'b'", "does not belong to run 1"),
        ("UPDATE run SET n_offers = 9 WHERE id = 3", "run 3 has 2 of 9 offers"),
        ("UPDATE run SET known_at = 1 WHERE id = 3", "run 3 is known before"),
        ("UPDATE blob SET body = x'00' WHERE id = 1", "is damaged"),
        ("UPDATE version SET terms_id = 77 WHERE run_id = 3", "names a row of terms"),
        ("INSERT INTO fx_rate VALUES ('2026-01-01', 'CNY', 1, '-7', '')", "is '-7'"),
    ],
)
def test_what_was_changed_by_hand_is_noticed(filled: Path, statement: str, said: str) -> None:
    faults = harm(filled, statement)
    assert any(said in fault for fault in faults), faults


def test_a_damaged_answer_is_not_handed_out(filled: Path) -> None:
    harm(filled, "UPDATE blob SET body = (SELECT body FROM blob WHERE id = 2) WHERE id = 1")
    with open_store(filled) as store, pytest.raises(StoreError, match="is damaged"):
        list(store.snapshots(1))


def test_a_file_with_a_torn_page_is_told_in_a_sentence(filled: Path) -> None:
    with open_store(filled) as store:
        many = {f"s{number}": "1" for number in range(3000)}
        publish(store, 9, many)
    content = bytearray(filled.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40_000] = b"\xff" * 40_000
    filled.write_bytes(content)
    with open_store(filled) as store:
        try:
            faults = store.check()
        except StoreError as error:
            faults = [str(error)]
    assert any("malformed" in fault or "SQLite" in fault for fault in faults), faults


def test_the_seek_of_a_table_looks_at_no_offer_that_is_gone(filled: Path) -> None:
    """Nor does SQLite read a whole table for it, whatever is in the store."""
    place = database(filled, read_only=True)
    with place.reading() as connection:
        from providers.store import asof

        captured: list[str] = []
        plain = connection.execute

        class Spy:
            dialect = connection.dialect

            @staticmethod
            def execute(statement: object) -> object:
                compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
                captured.append(str(compiled))
                return plain(statement)

        asof.standing_rows(Spy(), "north", at=2**60, last_run=3)  # type: ignore[arg-type]
        plan = plain(text(f"EXPLAIN QUERY PLAN {captured[0]}")).fetchall()
    place.close()
    steps = [row[3] for row in plan]
    assert not [step for step in steps if step.startswith("SCAN")], steps
    assert any("sku_alive (adapter=? AND seen_to>?)" in step for step in steps), steps


def test_planning_without_a_store_loads_no_database_library() -> None:
    code = (
        "import sys, providers.book, optimizer.api, optimizer.cli.main; "
        "print([n for n in ('sqlalchemy', 'alembic', 'psycopg') if n in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_versions_stay_few_however_long_nothing_changes(path: Path) -> None:
    with open_store(path) as store:
        for number in range(30):
            at = day(number)
            found = table(at, {f"s{each}": "1" for each in range(50)}, body=b"same")
            store.publish(found, started_at=at, now=at)
        assert len(store.history()) == 50
    with open_store(path) as store:  # its journal is gone with the first one's end
        assert store.size_bytes() < 250_000
