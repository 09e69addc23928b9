"""Commands that are killed: whole tables, a free lock, and a next refresh that succeeds.

A part of the campaign (`make campaign`), which kills more of each.
"""

from __future__ import annotations

import random
import time

import pytest
from deaths import SOURCES_ASKED, Death, at_commits, at_random, at_statements

from providers.store import open_store

REFRESH = ("prices", "refresh", *SOURCES_ASKED, "fx")


@pytest.fixture
def known(ward):
    """A ward whose sources changed their prices since the last refresh."""
    ward.learn()
    ward.dearer = True
    return ward


def test_a_killed_refresh_leaves_each_table_old_or_new(known):
    dice = random.Random(3)
    began = time.monotonic()
    counted = known.statements(*REFRESH)
    took = time.monotonic() - began
    deaths = [
        *at_statements(counted, 8, "SIGKILL", dice),
        *at_commits(counted, "SIGKILL"),
        *at_random(6, took, dice),
        *at_statements(counted, 3, "SIGTERM", dice),
        *at_statements(counted, 3, "SIGINT", dice),
    ]
    assert known.all_wrong(deaths, *REFRESH) == []
    assert known.counts["tables old"] > 20
    assert known.counts["tables new"] > 20


@pytest.mark.parametrize(("sign", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_refresh_that_is_told_to_end_says_so_by_its_exit_code(known, sign, code):
    assert known.kill(Death(sign, {"statement": 30, "signal": sign}), *REFRESH) == code
    assert "Traceback" not in (known.folder / "err").read_text()


def test_the_first_refresh_may_be_killed_while_it_makes_the_store(known):
    known.new_store()
    counted = known.statements(*REFRESH)
    for number in range(1, counted["statement"], max(1, counted["statement"] // 8)):
        death = Death("SIGKILL in the first refresh", {"statement": number, "signal": "SIGKILL"})
        assert known.killed_at_birth(death, *REFRESH) == []


def test_vacuum_backup_and_import_may_be_killed(known):
    dice = random.Random(4)
    for command in known.other_commands():
        began = time.monotonic()
        counted = known.statements(*command)
        took = time.monotonic() - began
        deaths = [*at_statements(counted, 4, "SIGKILL", dice), *at_random(2, took, dice)]
        assert known.all_wrong(deaths, *command) == []
    with open_store(known.folder / "copy.db", create=False) as copy:
        assert copy.check() == []


def test_readers_go_on_while_a_writer_stands_still_in_its_transaction(known):
    counted = known.statements(*REFRESH)
    known.dearer = False
    known.prices("refresh", *SOURCES_ASKED, "fx")
    known.dearer = True
    for end in ({"statement": counted["statement"] // 2}, {"commit": counted["commit"] // 2}):
        with known.stopped(end, *REFRESH):
            # Each would wait for two minutes, and then fail, if a writer were in its way.
            for _ in range(5):
                assert known.half_tables() == []
        assert known.unsound() == []


def test_a_reader_never_sees_a_half_table_nor_an_error_while_writers_die(known):
    counted = known.statements(*REFRESH)
    with known.reading() as seen:
        for death in [*at_commits(counted, "SIGKILL")][::3]:
            assert known.all_wrong([death], *REFRESH) == []
    assert seen["faults"] == []
    assert len(seen["seconds"]) > 2
    assert known.unknown_tables(seen["tables"]) == []
