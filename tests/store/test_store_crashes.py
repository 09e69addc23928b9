"""Writers that are killed, or in the way: no half table, no waiting reader."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tables import day
from writer import OFFERS, generation

from providers.store import PriceStore, open_store

WRITER = Path(__file__).with_name("writer.py")


def start(url: str, *arguments: object) -> subprocess.Popen[str]:
    code = f"import sys; sys.path[:0] = {[str(WRITER.parent), *sys.path]!r}; import writer; "
    command = [sys.executable, "-c", f"{code} writer.main()", url, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> int:
    _, said = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def newest(store: PriceStore) -> int:
    """The generation that the store answers with; it must be whole."""
    found = store.offers(as_of=day(10_000))["north"]
    (price,) = {offer.price.amount for offer in found}
    number = int(price) - 1
    assert {offer.sku for offer in found} == {offer.sku for offer in generation(number).offers}
    assert len(found) == OFFERS
    assert store.check() == []
    return number


def test_a_writer_killed_before_any_statement_leaves_the_old_table_or_the_new(url: str) -> None:
    assert finish(start(url, "publish", 0)) == 0
    statement, killed, number = 0, 0, 1
    while True:
        code = finish(start(url, "publish", number, statement))
        with open_store(url) as store:
            assert newest(store) == (number - 1 if code else number)
            assert len(store.runs()) == number + (code == 0)
        if code == 0:
            break
        killed += 1
        statement += 1
    assert killed > 12, "fewer statements than a table takes: were they seen?"


def test_writers_killed_at_any_moment_leave_a_whole_table(url: str) -> None:
    moments = random.Random(3)
    assert finish(start(url, "publish", 0)) == 0
    last, patience = 0, 0.25
    for _ in range(12):
        process = start(url, "forever", last + 1)
        assert line(process) == "ready"
        time.sleep(moments.uniform(0, patience))
        process.kill()
        finish(process)
        with open_store(url) as store:
            found = newest(store)
            assert found >= last
            assert len(store.runs(limit=10_000)) == found + 1
            last = found
        patience *= 1 if last else 2  # a machine with much to do takes its time
    assert last > 0, "nothing was ever published"


def test_readers_do_not_wait_for_a_writer(url: str) -> None:
    assert finish(start(url, "publish", 0)) == 0
    with open_store(url) as store, open_store(url, read_only=True) as reader:
        process = start(url, "hold", 1)
        assert (line(process), line(process)) == ("ready", "holding")
        for each in (store, reader):
            assert newest(each) == 0
            assert each.history(sku="sku-1")
            assert [known.consecutive_failures for known in each.status()] == [0]
        # It still holds its lock: whoever had to wait for it would have given up with an error.
        assert process.poll() is None
        process.communicate("go\n", timeout=60)
        assert [newest(each) for each in (store, reader)] == [1, 1]


def test_several_processes_may_make_the_store_and_publish_at_once(url: str) -> None:
    writers = [start(url, "several", number) for number in (100, 200, 300)]
    assert [finish(process) for process in writers] == [0, 0, 0]
    with open_store(url) as store:
        assert len(store.runs()) == 15
        assert store.check() == []
        tables = store.offers(as_of=day(10_000))
        assert {name: len(offers) for name, offers in tables.items()} == {
            f"source-{number}": OFFERS for number in (100, 200, 300)
        }
