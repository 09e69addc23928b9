"""Tables of the price store, the same in SQLite and PostgreSQL.

Moments are microseconds since 1970 in UTC, days ISO texts, numbers of money the texts of their
Decimals. Rows are only ever added; what may change later is a body that is pruned, and the two
bounds in `sku`, which say nothing that `version` does not.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

FOREVER = 2**63 - 1
"""End of what has not ended."""

AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"
"""A row of any columns; its types end where it is read."""

metadata = MetaData()


def _id() -> Column[int]:
    # Given out under the one writer's lock, so that a later run always has a larger id.
    return Column("id", Integer, primary_key=True, autoincrement=False)


def _moment(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


blob = Table(
    "blob",
    metadata,
    _id(),
    Column("sha256", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=True),
)
"""Bytes by their hash, compressed; `body` is empty once pruned, `size` is of the plain bytes."""

run = Table(
    "run",
    metadata,
    _id(),
    _text("adapter"),
    _text("status"),
    _moment("started_at"),
    _moment("valid_from", nullable=True),
    _text("day", nullable=True),
    _moment("known_at"),
    Column("n_offers", Integer, nullable=False),
    Column("n_rejected", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("vanished", Integer, nullable=False),
    _text("note"),
    Column("rejected_id", Integer, ForeignKey("blob.id"), nullable=True),
    Column("held_id", Integer, ForeignKey("blob.id"), nullable=True),
    Column("releases", Integer, ForeignKey("run.id"), nullable=True),
    Index("run_of_adapter", "adapter", "valid_from", "id"),
)
"""`day` is the date of `valid_from` where the source was asked; `held_id` a quarantined table."""

run_snapshot = Table(
    "run_snapshot",
    metadata,
    Column("run_id", Integer, ForeignKey("run.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _text("address"),
    _moment("observed_at"),
    Column("blob_id", Integer, ForeignKey("blob.id"), nullable=False, index=True),
)

sku = Table(
    "sku",
    metadata,
    _id(),
    _text("adapter"),
    _text("sku"),
    _moment("seen_from"),
    _moment("seen_to"),
    UniqueConstraint("sku", "adapter"),
    Index("sku_alive", "adapter", "seen_to"),
)
"""From when, and up to when, an offer was ever listed: marketplaces have millions that are gone,
and no question about one day may have to look at each."""

terms = Table(
    "terms",
    metadata,
    _id(),
    Column("sku_id", Integer, ForeignKey("sku.id"), nullable=False, index=True),
    _text("provider"),
    _text("instance_type"),
    _text("region"),
    _text("tier"),
    Column("gpu", Text, nullable=False, index=True),
    Column("gpu_count", Integer, nullable=False),
    _text("interconnect"),
    _text("vcpu", nullable=True),
    _text("ram_gb", nullable=True),
    _text("purchase_model"),
    _text("increment"),
    _text("tenor"),
    _text("currency"),
    Column("tax_included", Boolean, nullable=True),
    Column("min_units", Integer, nullable=False),
    Column("max_gpus_per_host", Integer, nullable=False),
    _text("confidence"),
    _text("source"),
)
"""What rarely changes of an offer."""

note = Table("note", metadata, _id(), Column("text", Text, nullable=False, unique=True))

version = Table(
    "version",
    metadata,
    Column("sku_id", Integer, ForeignKey("sku.id"), primary_key=True),
    Column("valid_from", BigInteger, primary_key=True),
    Column("run_id", Integer, ForeignKey("run.id"), primary_key=True),
    Column("terms_id", Integer, ForeignKey("terms.id"), nullable=False),
    Column("present", SmallInteger, nullable=False),
    _text("price"),
    _text("upfront"),
    Column("max_units", BigInteger, nullable=True),
    _text("valid_until", nullable=True),
    _text("observed_on", nullable=True),
    Column("note_id", Integer, ForeignKey("note.id"), nullable=True),
    # Kept in the order of its key: all that was ever known of one offer lies together.
    sqlite_with_rowid=False,
)
"""An offer from `valid_from` on, as the run knew it; `present` 0: no longer listed, with the last
terms and price. `observed_on` is empty where the source itself was asked: then it is the day of
the last run that still had it."""

fx_rate = Table(
    "fx_rate",
    metadata,
    Column("day", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("known_at", BigInteger, primary_key=True),
    _text("per_eur"),
    _text("source"),
)

decision = Table(
    "decision",
    metadata,
    _id(),
    _text("schedule"),
    _text("schedule_sha256"),
    _moment("made_at"),
    _moment("as_of"),
    _text("run_ids"),
    _text("currency"),
    _text("total"),
    _text("summary"),
    Index("decision_of_schedule", "schedule", "id"),
)
