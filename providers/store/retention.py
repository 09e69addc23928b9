"""Letting go of old answers. Prices, runs and hashes stay for good."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select, update

from providers.store import runs
from providers.store.schema import blob, run, run_snapshot


def prune_snapshots(connection: Connection, before: int) -> int:
    """Empty the bodies that only runs known `before` that moment refer to; returns how many.

    Never those of an adapter's newest published table, nor of one that waits for its release.
    """
    names = runs.adapters(connection)
    newest = [found.id for name in names if (found := runs.newest(connection, name)) is not None]
    waiting = [held.id for held in runs.pending(connection, names)]
    needed = (
        select(run_snapshot.c.blob_id)
        .join_from(run_snapshot, run)
        .where(or_(run.c.known_at >= before, run.c.id.in_(newest + waiting)))
    )
    other = select(run.c.rejected_id).where(run.c.rejected_id.is_not(None))
    held = select(run.c.held_id).where(run.c.held_id.is_not(None))
    done = connection.execute(
        update(blob)
        .where(
            blob.c.body.is_not(None),
            blob.c.id.in_(select(run_snapshot.c.blob_id)),
            blob.c.id.not_in(needed),
            blob.c.id.not_in(other),
            blob.c.id.not_in(held),
        )
        .values(body=None)
    )
    return done.rowcount
