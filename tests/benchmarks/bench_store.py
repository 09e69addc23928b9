"""Time the price store on years of daily tables, and the same questions asked of Parquet by DuckDB.

    python tests/benchmarks/bench_store.py [--offers 20000] [--days 1826] [--change 0.08] [--runs 5]

Prints a Markdown table; asserts only that both give the same offers. The history is written by a
bulk load into the store's own tables, one run a day, as that many publishings would have left it;
the store's check reads all of it afterwards, and the last days are published through its door.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from bench_plan import machine
from sqlalchemy import insert

from providers.adapter import ProviderTable, Snapshot
from providers.hardware import accelerators
from providers.money import Money
from providers.offers import Offer
from providers.store import PriceStore, open_store
from providers.store import schema as t
from providers.store.database import database
from providers.store.records import to_micros
from providers.store.rows import PRICED, TERMS, Reader, priced_row, terms_row
from providers.terms import Increment, PurchaseModel, Tenor, Tier

FIRST = datetime(2021, 11, 1, 3, 17, tzinfo=UTC)
ADAPTER = "bench"
EACH = 100_000
"""Rows in one statement of the bulk load."""


def moment(day: int) -> datetime:
    return FIRST + timedelta(days=day)


def first_offers(count: int, dice: random.Random) -> list[Offer]:
    """Offers like those of the big clouds: many regions, models and sizes."""
    models = [
        (PurchaseModel.ON_DEMAND, Tenor()),
        (PurchaseModel.SPOT, Tenor()),
        (PurchaseModel.RESERVED, Tenor(months=12)),
        (PurchaseModel.RESERVED, Tenor(months=36)),
        (PurchaseModel.SAVINGS_PLAN, Tenor(months=12)),
    ]
    cards = sorted(accelerators())
    made = []
    for number in range(count):
        model, tenor = models[number % len(models)]
        gpus = 2 ** (number % 4)
        region, machine_type = f"region-{number % 97}", f"gpu{number % 61}.{gpus}x"
        sku = f"cloud{number % 7}/{machine_type}/{region}/{model.value}/{number}"
        made.append(
            Offer(
                provider=f"cloud{number % 7}",
                sku=sku,
                instance_type=machine_type,
                region=region,
                tier=Tier.HYPERSCALER,
                gpu=cards[number % len(cards)],
                gpu_count=gpus,
                interconnect="nvlink",
                vcpu=Decimal(12 * gpus),
                ram_gb=Decimal(128 * gpus),
                purchase_model=model,
                increment=Increment.HOUR,
                tenor=tenor,
                price=Money(any_price(dice), "USD"),
                upfront=Money(Decimal(0), "USD"),
                tax_included=False,
                min_units=1,
                max_units=None,
                max_gpus_per_host=gpus,
                observed_at=FIRST.date(),
                valid_until=None,
                confidence="A",
                source=f"https://prices.example/cloud{number % 7}",
                note="list price" if number % 3 else "",
            )
        )
    return made


def any_price(dice: random.Random) -> Decimal:
    return Decimal(dice.randint(1_000, 900_000)).scaleb(-4)


@dataclass(frozen=True)
class Version:
    """A price that begins on a day."""

    day: int
    number: int
    """Of the offer."""
    price: str


def history(offers: list[Offer], days: int, change: float, dice: random.Random) -> list[Version]:
    """Every first price, then so many new ones each day."""
    versions = [Version(0, n, str(offer.price.amount)) for n, offer in enumerate(offers)]
    daily = round(len(offers) * change)
    for day in range(1, days):
        changed = dice.sample(range(len(offers)), daily)
        versions += [Version(day, number, str(any_price(dice))) for number in changed]
    return versions


def load(path: Path, offers: list[Offer], versions: list[Version], days: int) -> None:
    """What publishing each day would have written."""
    open_store(path).close()
    place = database(path, read_only=False)
    counts = [0] * days
    for version in versions:
        counts[version.day] += 1
    first = to_micros(FIRST)
    begins = [first + day * 86_400_000_000 for day in range(days)]
    priced = [dict(zip(PRICED, priced_row(offer), strict=True)) for offer in offers]
    with place.writing() as connection:
        connection.execute(insert(t.note).values(id=1, text="list price"))
        runs = [
            {
                "id": day + 1, "adapter": ADAPTER, "status": "published", "note": "",
                "started_at": begins[day], "valid_from": begins[day], "known_at": begins[day],
                "day": str(moment(day).date()), "n_offers": len(offers), "n_rejected": 0,
                "added": 0 if day else counts[0], "changed": counts[day] if day else 0,
                "vanished": 0,
            }
            for day in range(days)
        ]  # fmt: skip
        connection.execute(insert(t.run), runs)
        seen = {"adapter": ADAPTER, "seen_from": first, "seen_to": t.FOREVER}
        skus = [{"id": n, "sku": offer.sku, **seen} for n, offer in enumerate(offers, 1)]
        connection.execute(insert(t.sku), skus)
        rows = [
            {"id": n, "sku_id": n, **dict(zip(TERMS, terms_row(offer), strict=True))}
            for n, offer in enumerate(offers, 1)
        ]
        connection.execute(insert(t.terms), rows)
        for some in chunks(versions):
            rows = [
                {
                    **priced[v.number], "sku_id": v.number + 1, "valid_from": begins[v.day],
                    "run_id": v.day + 1, "terms_id": v.number + 1, "present": 1,
                    "price": v.price, "observed_on": None,
                    "note_id": 1 if offers[v.number].note else None,
                }
                for v in some
            ]  # fmt: skip
            connection.execute(insert(t.version), rows)
    place.close()


def chunks(versions: list[Version]) -> Iterator[list[Version]]:
    for start in range(0, len(versions), EACH):
        yield versions[start : start + EACH]


COLUMNS = ("sku", *TERMS, *PRICED, "note")


def columns_of(offers: list[Offer]) -> dict[str, list[Any]]:
    rows = [(o.sku, *terms_row(o), *priced_row(o), o.note) for o in offers]
    return {
        name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)
    }


def write_versions(path: Path, offers: list[Offer], versions: list[Version]) -> None:
    """The same versions, whole, as one Parquet file, sorted by sku and day for its readers."""
    writer = None
    plain = columns_of(offers)
    order = sorted(versions, key=lambda v: (offers[v.number].sku, v.day))
    for some in chunks(order):
        numbers = [v.number for v in some]
        data = {name: [values[n] for n in numbers] for name, values in plain.items()}
        data["price"] = [v.price for v in some]
        data["valid_from"] = [moment(v.day) for v in some]
        batch = pa.table(data)
        writer = writer or pq.ParquetWriter(path, batch.schema, compression="zstd")
        writer.write_table(batch.cast(writer.schema))
    assert writer is not None
    writer.close()


def daily_size(folder: Path, offers: list[Offer], versions: list[Version], days: int) -> float:
    """Bytes of whole daily tables as Parquet, from every hundredth day of them."""
    plain = columns_of(offers)
    by_day = itertools.groupby(versions, key=lambda v: v.day)
    sizes = []
    for day, changed in by_day:
        for version in changed:
            plain["price"][version.number] = version.price
        if day % 100 == 0:
            path = folder / f"{day}.parquet"
            pq.write_table(pa.table(plain), path, compression="zstd")
            sizes.append(path.stat().st_size)
    return statistics.mean(sizes) * days


def duck_as_of(parquet: Path, at: datetime) -> list[Offer]:
    """The offers of a moment: each sku's latest row."""
    names = ", ".join(COLUMNS)
    rows = duckdb.execute(
        f"SELECT {names} FROM read_parquet(?) WHERE valid_from <= ? "
        "QUALIFY row_number() OVER (PARTITION BY sku ORDER BY valid_from DESC) = 1 ORDER BY sku",
        [str(parquet), at],
    ).fetchall()
    reader, end, day = Reader(), 1 + len(TERMS), str(at.date())
    return [reader.offer(row[0], row[1:end], row[end:-1], day, row[-1]) for row in rows]


def duck_history(parquet: Path, sku: str) -> int:
    statement = (
        "SELECT epoch_us(valid_from), price FROM read_parquet(?) WHERE sku = ? ORDER BY valid_from"
    )
    return len(duckdb.execute(statement, [str(parquet), sku]).fetchall())


def once(what: Callable[[], Any]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def in_turns(ours: Callable[[], Any], theirs: Callable[[], Any], runs: int) -> tuple[float, float]:
    """Median seconds of each, taken in turns: other work on the machine slows both."""
    pairs = [(once(ours), once(theirs)) for _ in range(runs)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def next_day(store: PriceStore, offers: list[Offer], day: int, change: float) -> ProviderTable:
    """Tomorrow's table: the last one with some prices changed."""
    dice, at = random.Random(day), moment(day)
    last = store.offers(as_of=at)[ADAPTER]
    changed = set(dice.sample(range(len(offers)), round(len(offers) * change)))
    today = at.date()
    found = [
        replace(o, observed_at=today, price=o.price * Decimal("1.01"))
        if n in changed
        else replace(o, observed_at=today)
        for n, o in enumerate(last)
    ]
    body = hashlib.sha256(str(day).encode()).digest() * 50_000  # 1.6 MB
    snapshot = Snapshot("https://prices.example", at, body)
    return ProviderTable(ADAPTER, at, (snapshot,), tuple(found), ())


def commits(
    store: PriceStore, folder: Path, offers: list[Offer], days: int, change: float, runs: int
) -> tuple[float, float]:
    """Median seconds of publishing a day's table, and of writing it whole as a Parquet file."""
    pairs = []
    for day in range(days, days + runs):
        table = next_day(store, offers, day, change)
        began = time.perf_counter()
        done = store.publish(table, started_at=table.observed_at, now=table.observed_at)
        ours = time.perf_counter() - began
        assert done.changed == round(len(offers) * change), done
        began = time.perf_counter()
        pq.write_table(
            pa.table(columns_of(list(table.offers))), folder / "day.parquet", compression="zstd"
        )
        pairs.append((ours, time.perf_counter() - began))
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def row(name: str, ours: str, theirs: str = "", ratio: str = "") -> str:
    return f"| {name} | {ours} | {theirs} | {ratio} |"


def against(name: str, ours: float, theirs: float) -> str:
    ours_ms, theirs_ms = ours * 1000, theirs * 1000
    digits = 0 if ours_ms > 10 else 1
    return row(
        name, f"{ours_ms:.{digits}f} ms", f"{theirs_ms:.{digits}f} ms", f"{theirs / ours:.1f}"
    )


def measure(folder: Path, count: int, days: int, change: float, runs: int) -> list[str]:
    dice = random.Random(20260101)
    offers = first_offers(count, dice)
    versions = history(offers, days, change, dice)
    path, parquet = folder / "prices.db", folder / "versions.parquet"
    loading = once(lambda: load(path, offers, versions, days))
    writing = once(lambda: write_versions(parquet, offers, versions))
    daily = daily_size(folder, offers, versions, days)
    today, past = moment(days - 1), moment(max(0, days - 1 - 3 * 365))
    sku = offers[count // 2].sku
    lines = []
    with open_store(path) as store:
        checking = once(lambda: check(store))
        for name, at in (("all offers of today", today), ("all offers 3 years ago", past)):
            assert store.offers(as_of=at)[ADAPTER] == duck_as_of(parquet, at), name
            taken = in_turns(
                lambda at=at: store.offers(as_of=at), lambda at=at: duck_as_of(parquet, at), runs
            )
            lines.append(against(name, *taken))
        assert len(store.history(sku=sku)) == duck_history(parquet, sku)
        taken = in_turns(lambda: store.history(sku=sku), lambda: duck_history(parquet, sku), runs)
        lines.append(against("history of one offer", *taken))
        taken = commits(store, folder, offers, days, change, runs)
        lines.append(against(f"keep a day's table, {change:.0%} changed", *taken))
        size = store.size_bytes()
        store.vacuum()
        packed = store.size_bytes()
    versions_size = parquet.stat().st_size
    lines += [
        row("size", f"{size / 1e6:.0f} MB", f"{versions_size / 1e6:.0f} MB",
            f"{versions_size / size:.2f}"),
        row("size after `vacuum`", f"{packed / 1e6:.0f} MB"),
        row("size of whole daily tables (Parquet, zstd)", "", f"{daily / 1e6:.0f} MB",
            f"{daily / size:.1f}"),
        row("bulk load of the history", f"{loading:.0f} s", f"{writing:.0f} s"),
        row("`check` of all of it", f"{checking:.0f} s"),
    ]  # fmt: skip
    return [
        f"{len(versions):,} versions of {count:,} offers in {days:,} days.",
        "",
        "| | price store (SQLite) | DuckDB on Parquet | ratio |",
        "|---|---|---|---|",
        *lines,
    ]


def check(store: PriceStore) -> None:
    faults = store.check()
    assert not faults, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--offers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=5 * 365 + 1)
    parser.add_argument("--change", type=float, default=0.08)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keep the files here")
    chosen = parser.parse_args()
    arguments = (chosen.offers, chosen.days, chosen.change, chosen.runs)
    print(f"{machine()}; DuckDB {duckdb.__version__}.", flush=True)
    if chosen.folder:
        chosen.folder.mkdir(parents=True, exist_ok=True)
        lines = measure(chosen.folder, *arguments)
    else:
        with tempfile.TemporaryDirectory() as folder:
            lines = measure(Path(folder), *arguments)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
