"""A process that writes to a store, for tests that kill it or look past it.

python writer.py URL publish GENERATION [STATEMENT]   publish one table; end by SIGKILL just
                                                      before that statement, 0: the commit
python writer.py URL forever GENERATION               publish one table after another
python writer.py URL hold GENERATION                  write, and commit once told to
python writer.py URL several GENERATION               publish five tables
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sqlalchemy import Connection, Engine, event
from tables import day, table

from providers.adapter import ProviderTable
from providers.offers import Rejected
from providers.store import PriceStore, open_store
from providers.store.database import Database

OFFERS = 400


def generation(number: int, adapter: str = "north") -> ProviderTable:
    """A table whose every price is its number; each has offers the one before it had not."""
    skus = [f"sku-{(number * 7 + each) % 500}" for each in range(OFFERS)]
    rejected = tuple(Rejected(f"row {each}", f"no price in {number}") for each in range(20))
    found = {sku: str(number + 1) for sku in skus}
    return table(day(number), found, adapter=adapter, rejected=rejected)


def publish(store: PriceStore, number: int, adapter: str = "north") -> None:
    at = day(number)
    store.publish(generation(number, adapter), started_at=at, now=at)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(statement: int) -> None:
    seen = 0

    def before(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            die()

    event.listen(Engine, "before_cursor_execute", before)
    if statement == 0:
        event.listen(Engine, "commit", lambda _: die())


def hold(store: PriceStore, number: int) -> None:
    plain = Database.writing

    @contextmanager
    def writing(place: Database) -> Iterator[Connection]:
        with plain(place) as connection:
            yield connection
            print("holding", flush=True)
            sys.stdin.readline()

    with mock.patch.object(Database, "writing", writing):
        publish(store, number)
    print("done", flush=True)


def main() -> None:
    url, what, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open_store(url) as store:
        print("ready", flush=True)
        if what == "publish":
            if len(sys.argv) > 4:
                die_at(int(sys.argv[4]))
            publish(store, number)
        elif what == "forever":
            while True:
                publish(store, number)
                print(number, flush=True)
                number += 1
        elif what == "hold":
            hold(store, number)
        else:
            for each in range(5):
                publish(store, number + each, adapter=f"source-{number}")


if __name__ == "__main__":
    main()
