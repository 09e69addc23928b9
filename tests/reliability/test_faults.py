"""Faults at every source at once: nothing is lost, nothing is half, no secret is kept.

A part of the campaign (`make campaign`), which injects each kind of fault at each source.
"""

from __future__ import annotations

import itertools

from faults import KINDS
from rig import Tally, leaks, rounds

ROUNDS = 11
"""Of those in which nothing waits for a time-out."""


def test_sources_at_fault_hold_up_no_other_and_keep_their_tables(market):
    market.learn()
    quick = {name: kind for name, kind in KINDS.items() if not kind.slow}
    tally = Tally()
    wrong = [
        fault
        for kinds in itertools.islice(rounds(market.names, quick), ROUNDS)
        for fault in market.inject(kinds, tally)
    ]
    assert wrong == []
    assert tally.faults > 300
    assert leaks(market.everything_kept()) == []
    assert market.hook_server.requests, "nobody was told of the failures"


def test_silence_at_every_source_at_once_ends_with_their_tables(market):
    market.learn()
    tally = Tally()
    kinds = {n: KINDS["hang" if KINDS["hang"].fits(n) else "grpc-hang"] for n in market.names}
    assert market.inject(kinds, tally) == []
    assert tally.faults == len(market.names)


def test_a_refresh_after_all_faults_is_whole_again(market):
    market.learn()
    good = market.tables()
    for key in ("empty", "x100", "currency"):
        kinds = {name: KINDS[key] for name in market.names if KINDS[key].fits(name)}
        assert market.inject(kinds, Tally()) == []
    market.spoil({})
    done, rows = market.faulty_refresh()
    assert done.exit_code == 0, rows
    assert market.tables() == good
