"""Writing a table: only what differs from the table that held before it.

A table says what an adapter listed from one moment on, until its next table. Publishing one that
lies before others (a back-fill, a late answer) must not change what those say: an offer it
changes gets a second version at the next table, with what held there before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, case, func, insert, select, update

from providers.offers import Offer
from providers.store.asof import last_known_run, offer_of_row, standing_rows
from providers.store.blobs import Packed, PackedSnapshot, next_id, put
from providers.store.records import VISIBLE, Published, StoreError
from providers.store.rows import (
    PRICED,
    TERMS,
    Reader,
    priced_row,
    said,
    storable,
    terms_row,
    texts,
)
from providers.store.runs import add_run, behind, next_run
from providers.store.schema import FOREVER, note, run, sku, terms, version

_AT_ONCE = 5000
"""Values in one question; SQLite takes at most 32,766."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A whole table with the run it comes of, ready to be written. Moments are microseconds."""

    adapter: str
    status: str
    started_at: int
    valid_from: int
    now: int
    day: date
    """Of `valid_from`, as the source's answers are dated."""
    asked: bool
    """Whether the source itself was asked, so that its offers hold good until it is asked again."""
    offers: Sequence[Offer]
    snapshots: Sequence[PackedSnapshot] = ()
    rejected: Packed | None = None
    n_rejected: int = 0
    note: str = ""
    releases: int | None = None


@dataclass(frozen=True, slots=True)
class _Standing:
    """An offer that holds, and where it is written."""

    sku_id: int
    terms_id: int
    offer: Offer
    observed_on: str | None


@dataclass(slots=True)
class _Change:
    """One offer before and after; a side is None where it is not listed."""

    before: _Standing | None
    after: Offer | None
    observed_on: str | None = None
    sku_id: int = 0
    terms_id: int = 0

    @property
    def latest(self) -> Offer:
        """What is told of it: of an offer that vanished, its last terms and price."""
        if self.after is not None:
            return self.after
        assert self.before is not None
        return self.before.offer


def check_offers(adapter: str, offers: Sequence[Offer]) -> None:
    """Raises:
    StoreError: a table has an sku twice, and nobody could say which of the two held; or a text
        that no database takes.
    """
    seen: set[str] = set()
    for offer in offers:
        if offer.sku in seen:
            raise StoreError(f"{adapter}: the table has sku '{offer.sku}' twice")
        seen.add(offer.sku)
    if not _storable("".join(map(_words, offers))):
        odd = next(offer.sku for offer in offers if not _storable(_words(offer)))
        raise StoreError(f"{adapter}: sku {odd!r} has characters that cannot be stored")


def _words(offer: Offer) -> str:
    return "".join(texts(offer))


def _storable(text: str) -> bool:
    return storable(text) == text


def publish(connection: Connection, table: Table) -> Published:
    """Add a run and the versions that its table makes necessary."""
    run_id, known_at = next_run(connection, table.adapter, table.now)
    changes, unchanged = _compare(_standing(connection, table), table)
    done = Published(
        run_id=run_id,
        added=sum(change.before is None for change in changes),
        changed=sum(None not in (change.before, change.after) for change in changes),
        vanished=sum(change.after is None for change in changes),
        unchanged=unchanged,
    )
    values = {
        "id": run_id,
        "adapter": table.adapter,
        "status": table.status,
        "started_at": table.started_at,
        "valid_from": table.valid_from,
        "day": str(table.day),
        "known_at": known_at,
        "n_offers": len(table.offers),
        "n_rejected": table.n_rejected,
        "added": done.added,
        "changed": done.changed,
        "vanished": done.vanished,
        "note": table.note,
        "rejected_id": put(connection, table.rejected) if table.rejected else None,
        "releases": table.releases,
    }
    following = _following(connection, table)
    add_run(connection, values, table.snapshots)
    if changes:
        _number(connection, table, changes, following)
        _settle_terms(connection, changes)
        _write(connection, table.valid_from, run_id, changes, following)
    return done


def _standing(connection: Connection, table: Table) -> dict[str, _Standing]:
    """What holds at the table's moment so far."""
    before = behind(connection, table.adapter, as_of=table.valid_from, known_at=None)
    if before is None:
        return {}
    last_run = last_known_run(connection, table.adapter, None)
    reader, at = Reader(), before.valid_from
    rows = standing_rows(connection, table.adapter, at=at, last_run=last_run)
    return {
        row[0]: _Standing(row[1], row[2], offer_of_row(row, before.day, reader), row[3])
        for row in rows
    }


def _compare(standing: dict[str, _Standing], table: Table) -> tuple[list[_Change], int]:
    """The changes, in the order of the table and then of what is gone; and how many stay."""
    changes = []
    for offer in table.offers:
        before, observed_on = standing.pop(offer.sku, None), _observed_on(offer, table)
        if before is None or before.observed_on != observed_on or said(before.offer) != said(offer):
            changes.append(_Change(before, offer, observed_on))
    unchanged = len(table.offers) - len(changes)
    gone = [_Change(before, None, before.observed_on) for before in standing.values()]
    return changes + gone, unchanged


def _observed_on(offer: Offer, table: Table) -> str | None:
    """None where the visit itself saw the price. A visit may run past midnight."""
    own = offer.observed_at
    seen = own >= table.day if table.asked else own == table.day
    return None if seen else str(own)


def _following(connection: Connection, table: Table) -> int | None:
    """The moment of the adapter's next table, if there is one already."""
    return connection.execute(
        select(func.min(run.c.valid_from)).where(
            run.c.adapter == table.adapter,
            run.c.valid_from > table.valid_from,
            run.c.status.in_(VISIBLE),
        )
    ).scalar()


def _number(
    connection: Connection, table: Table, changes: Sequence[_Change], following: int | None
) -> None:
    """Give every change the id of its sku, and keep the bounds of when each was listed."""
    added = [change for change in changes if change.before is None]
    names = [change.latest.sku for change in added]
    columns = (sku.c.sku, sku.c.id)
    known = dict(_lookup(connection, columns, sku.c.sku, names, sku.c.adapter == table.adapter))
    at, until = table.valid_from, FOREVER if following is None else following
    _stretch(connection, [known[name] for name in names if name in known], at, until)
    new = [name for name in names if name not in known]
    fresh = {name: number for number, name in enumerate(new, next_id(connection, sku.c.id))}
    if fresh:
        rows = [
            {"id": number, "adapter": table.adapter, "sku": name, "seen_from": at, "seen_to": until}
            for name, number in fresh.items()
        ]
        connection.execute(insert(sku), rows)
    for change in changes:
        name = change.latest.sku
        change.sku_id = change.before.sku_id if change.before else known.get(name) or fresh[name]
    if following is None:
        gone = [change.sku_id for change in changes if change.after is None]
        for some in _chunks(gone):
            connection.execute(update(sku).where(sku.c.id.in_(some)).values(seen_to=at))


def _stretch(connection: Connection, ids: Sequence[int], at: int, until: int) -> None:
    since, to = sku.c.seen_from, sku.c.seen_to
    for some in _chunks(ids):
        connection.execute(
            update(sku)
            .where(sku.c.id.in_(some))
            .values(
                seen_from=case((since > at, at), else_=since),
                seen_to=case((to < until, until), else_=to),
            )
        )


def _settle_terms(connection: Connection, changes: Sequence[_Change]) -> None:
    """Give every change the id of its terms; those an offer ever had are not written again."""
    unsettled: dict[tuple[object, ...], _Change] = {}
    for change in changes:
        before, row = change.before, terms_row(change.latest)
        if before is not None and (change.after is None or terms_row(before.offer) == row):
            change.terms_id = before.terms_id
        else:
            unsettled[change.sku_id, *row] = change
    if not unsettled:
        return
    columns = (terms.c.sku_id, *(terms.c[name] for name in TERMS), terms.c.id)
    ids = [change.sku_id for change in unsettled.values()]
    for row in _lookup(connection, columns, terms.c.sku_id, ids):
        change_of = unsettled.pop(tuple(row[:-1]), None)
        if change_of is not None:
            change_of.terms_id = row[-1]
    rows = []
    for number, (key, change) in enumerate(unsettled.items(), next_id(connection, terms.c.id)):
        change.terms_id = number
        rows.append({"id": number, **dict(zip(("sku_id", *TERMS), key, strict=True))})
    if rows:
        connection.execute(insert(terms), rows)


def _write(
    connection: Connection,
    valid_from: int,
    run_id: int,
    changes: Sequence[_Change],
    following: int | None,
) -> None:
    notes = _notes(connection, changes)

    def row(
        change: _Change, at: int, offer: Offer, terms_id: int, present: bool, observed: str | None
    ) -> dict[str, Any]:
        return {
            "sku_id": change.sku_id,
            "valid_from": at,
            "run_id": run_id,
            "terms_id": terms_id,
            "present": int(present),
            **dict(zip(PRICED, priced_row(offer), strict=True)),
            "observed_on": observed,
            "note_id": notes.get(offer.note),
        }

    rows = [
        row(c, valid_from, c.latest, c.terms_id, c.after is not None, c.observed_on)
        for c in changes
    ]
    if following is not None:
        ids = [change.sku_id for change in changes]
        at_next = version.c.valid_from == following
        said_there = set(_lookup(connection, (version.c.sku_id,), version.c.sku_id, ids, at_next))
        for c in changes:
            if (c.sku_id,) in said_there:
                continue
            if c.before is None:
                rows.append(row(c, following, c.latest, c.terms_id, False, c.observed_on))
            else:
                old = c.before
                rows.append(row(c, following, old.offer, old.terms_id, True, old.observed_on))
    connection.execute(insert(version), rows)


def _notes(connection: Connection, changes: Sequence[_Change]) -> dict[str, int]:
    """Ids of the notes that will be written; those of no words need none."""
    texts = {change.latest.note for change in changes}
    texts |= {change.before.offer.note for change in changes if change.before is not None}
    texts.discard("")
    found = dict(_lookup(connection, (note.c.text, note.c.id), note.c.text, sorted(texts)))
    new = sorted(texts - set(found))
    fresh = {text: number for number, text in enumerate(new, next_id(connection, note.c.id))}
    if fresh:
        connection.execute(insert(note), [{"id": n, "text": text} for text, n in fresh.items()])
    return found | fresh


def _lookup(
    connection: Connection,
    columns: Sequence[Any],
    within: Column[Any],
    values: Collection[Any],
    *where: Any,
) -> Iterator[Any]:
    for some in _chunks(list(values)):
        yield from map(tuple, connection.execute(select(*columns).where(within.in_(some), *where)))


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
