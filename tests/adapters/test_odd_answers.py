"""Answers with one thing wrong anywhere: parsing ends in fates or a clear error."""

from __future__ import annotations

import copy
import json
import re
from decimal import Decimal
from functools import partial
from random import Random

import pytest
from sources import SOURCES
from test_contract import LIVE, fetched

from providers.adapter import Snapshot
from providers.http import FetchError
from providers.offers import Offer, Rejected

ODD = [
    None, True, False, "", " ", "NaN", "Infinity", "-1", "x" * 50, 0, -1, 0.5, 7, 1e300,
    -1e-300, [], {}, [None], [[]], {"": None}, [{}], 10**30, "\u0000", "8 of 9", "1e5",
]  # fmt: skip
MISSING = object()
ROUNDS = 150


def places(node, path=()):
    """Every path in a JSON document."""
    yield path
    if isinstance(node, dict | list):
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(inner, (*path, key))


def with_odd(node, path, value):
    """The document with another value at that path; with `MISSING`, without the field."""
    if not path:
        return None if value is MISSING else value
    changed = copy.copy(node)
    if value is MISSING and len(path) == 1:
        del changed[path[0]]
    else:
        changed[path[0]] = with_odd(node[path[0]], path[1:], value)
    return changed


def fields(body):
    """A function for every field: new value → the whole answer with it."""
    document = json.loads(body)
    return [lambda new, at=at: json.dumps(with_odd(document, at, new)) for at in places(document)]


def pieces(body):
    """The same for every tag and every text of a web page."""
    page = body.decode()
    spots = [spot.span() for spot in re.finditer(r"<[^>]*>|[^<>]*[^<>\s][^<>]*", page)]

    def change(new, at):
        return page[: at[0]] + ("" if new is MISSING else str(new)) + page[at[1] :]

    return [partial(change, at=at) for at in spots]


@pytest.mark.parametrize("name", LIVE)
def test_one_odd_value_anywhere_is_told_and_not_crashed_on(name):
    dice = Random(name)
    adapter, snapshots = fetched(name)
    spots = pieces if SOURCES[name].page else fields
    everywhere = [(snap, change) for snap in snapshots for change in spots(snap.body)]
    for _ in range(ROUNDS):
        snapshot, change = dice.choice(everywhere)
        value = dice.choice([*ODD, MISSING])
        body = change(value).encode()
        try:
            fates = list(adapter.parse(Snapshot(snapshot.address, snapshot.observed_at, body)))
        except FetchError:
            continue
        for fate in fates:
            if isinstance(fate, Rejected):
                assert fate.reason
            else:  # nothing per hour only where the term was paid at its start
                assert (fate.price.amount or fate.upfront.amount) > 0, (change, value)


@pytest.mark.parametrize("name", LIVE)
def test_an_answer_cut_anywhere_is_refused_whole(name):
    """Half a list must not be taken for a short one."""
    dice = Random(name)
    adapter, snapshots = fetched(name)
    for snapshot in snapshots:
        for _ in range(10):
            body = snapshot.body[: dice.randrange(len(snapshot.body.rstrip()))]
            with pytest.raises(FetchError, match=SOURCES[name].unreadable):
                list(adapter.parse(Snapshot(snapshot.address, snapshot.observed_at, body)))


@pytest.mark.parametrize("name", LIVE)
def test_prices_are_the_digits_of_the_answer(name):
    """No float in between: a price is exact, or exactly derived from exact ones."""
    adapter, snapshots = fetched(name)
    for snapshot in snapshots:
        for fate in adapter.parse(snapshot):
            if isinstance(fate, Offer):
                assert type(fate.price.amount) is Decimal
                assert len(fate.price.amount.as_tuple().digits) <= 12
