"""Bytes kept once by their hash, compressed: answers of sources, rejected rows, held tables."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from providers.adapter import Snapshot
from providers.offers import Rejected
from providers.store.records import StoreError, to_micros
from providers.store.rows import storable
from providers.store.schema import blob, run_snapshot

_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Packed:
    """Bytes ready to be stored. Packing takes the time, and is done before a transaction."""

    sha256: str
    size: int
    body: bytes


@dataclass(frozen=True, slots=True)
class PackedSnapshot:
    address: str
    observed_at: int
    content: Packed


def pack(content: bytes) -> Packed:
    digest = hashlib.sha256(content).hexdigest()
    return Packed(digest, len(content), zlib.compress(content, _LEVEL))


def pack_snapshots(snapshots: Sequence[Snapshot]) -> list[PackedSnapshot]:
    return [
        PackedSnapshot(storable(s.address), to_micros(s.observed_at), pack(s.body))
        for s in snapshots
    ]


def pack_document(document: object) -> Packed:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return pack(text.encode("utf-8", "surrogatepass"))


def pack_rejected(rejected: Sequence[Rejected]) -> Packed | None:
    """One list a run: night after night it is the same, and is then kept once."""
    return pack_document([[r.row, r.reason, r.source] for r in rejected]) if rejected else None


def put(connection: Connection, packed: Packed) -> int:
    """The id of these bytes, stored if they are new or were pruned."""
    known = connection.execute(
        select(blob.c.id, blob.c.body.is_(None)).where(blob.c.sha256 == packed.sha256)
    ).one_or_none()
    if known is None:
        number = next_id(connection, blob.c.id)
        connection.execute(
            insert(blob).values(id=number, sha256=packed.sha256, size=packed.size, body=packed.body)
        )
        return number
    number, pruned = known
    if pruned:
        connection.execute(update(blob).where(blob.c.id == number).values(body=packed.body))
    return int(number)


def put_snapshots(connection: Connection, run_id: int, snapshots: Sequence[PackedSnapshot]) -> None:
    rows = [
        {
            "run_id": run_id,
            "position": position,
            "address": snapshot.address,
            "observed_at": snapshot.observed_at,
            "blob_id": put(connection, snapshot.content),
        }
        for position, snapshot in enumerate(snapshots)
    ]
    if rows:
        connection.execute(insert(run_snapshot), rows)


def get(connection: Connection, number: int) -> bytes:
    """The bytes, checked against their hash.

    Raises:
        StoreError: they were pruned, or are damaged.
    """
    digest, body = connection.execute(
        select(blob.c.sha256, blob.c.body).where(blob.c.id == number)
    ).one()
    if body is None:
        raise StoreError(f"snapshot {digest[:12]}… was pruned; only its hash is kept")
    content = unpacked(body)
    if content is None or hashlib.sha256(content).hexdigest() != digest:
        raise StoreError(f"snapshot {digest[:12]}… is damaged: it is not what was stored")
    return content


def get_document(connection: Connection, number: int) -> Any:
    return json.loads(get(connection, number).decode("utf-8", "surrogatepass"))


def unpacked(body: bytes) -> bytes | None:
    """None where the bytes are no longer what was compressed."""
    try:
        return zlib.decompress(body)
    except zlib.error:
        return None


def next_id(connection: Connection, column: Any) -> int:
    """One more than any; under the writer's lock nobody else takes it."""
    return int(connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()) + 1
