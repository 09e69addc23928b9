"""The results of a sweep as text, CSV, JSON and Parquet."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from optimizer.report.tables import Column, render
from optimizer.sweep.cases import PriceChoice, tool_version
from optimizer.sweep.load import Sweep
from optimizer.sweep.rows import DIGITS, FIELDS, PLANNED, STATUSES, Row
from providers import units
from providers.errors import needing

SCHEMA_VERSION = 1
MISSING = "missing"
"""Status of a case that is not planned yet."""
_MONEY = ("npv", "total", "bound", "rent_npv", "own_npv", "breakeven_rent")
_SPREAD = ("bought", "utilisation", "cost")
"""Fields with a column for each of their keys, such as ``bought 2xRTX4090``."""
_LISTS = ("providers",)


def shown(value: Any) -> str:
    """A value of an axis in a cell."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return value
    return json.dumps(value, default=str, ensure_ascii=False)


def titles(sweep: Sweep) -> list[str]:
    return [axis.title for axis in sweep.document.axes]


def rows_of(sweep: Sweep, rows: Sequence[Row | None]) -> list[tuple[tuple[Any, ...], Row]]:
    """(values of the axes, what came of them), in the order of the cases."""
    missing: Row = {"status": MISSING, "reason": "not planned yet"}
    cases = (tuple(value for _, value in edits) for edits in sweep.cases())
    return [(values, row or missing) for values, row in zip(cases, rows, strict=True)]


# -- files -----------------------------------------------------------------------------------


def sweep_json(sweep: Sweep, prices: PriceChoice, rows: Sequence[Row | None]) -> str:
    names = titles(sweep)
    body = {
        "schema_version": SCHEMA_VERSION,
        "tool": f"rentopt {tool_version()}",
        "name": sweep.document.name,
        "schedule": sweep.document.schedule.name,
        "schedule_sha256": sweep.schedule.sha256,
        "prices_as_of": prices.as_of,
        "options": sweep.document.options.model_dump(mode="json"),
        "axes": [
            {"name": axis.title, "path": axis.path, "values": len(values)}
            for axis, values in zip(sweep.document.axes, sweep.values, strict=True)
        ],
        "cases": [
            {"axes": dict(zip(names, values, strict=True))} | {key: row.get(key) for key in FIELDS}
            for values, row in rows_of(sweep, rows)
        ],
    }
    return json.dumps(body, indent=1, ensure_ascii=False, default=str) + "\n"


def flat(sweep: Sweep, rows: Sequence[Row | None]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows; what a field spreads over gets a column a key."""
    found = rows_of(sweep, rows)
    keys = {
        field: sorted({key for _, row in found for key in row.get(field) or {}})
        for field in _SPREAD
    }
    columns = titles(sweep)
    for field in FIELDS:
        columns += [f"{field} {key}" for key in keys[field]] if field in keys else [field]
    return columns, [[*values, *_cells(row, keys)] for values, row in found]


def _cells(row: Row, keys: dict[str, list[str]]) -> Iterator[Any]:
    for field in FIELDS:
        if field not in keys:
            yield row.get(field)
            continue
        spread = row.get(field)
        for key in keys[field]:
            nothing = None if spread is None else {"bought": 0, "cost": "0"}.get(field)
            yield (spread or {}).get(key, nothing)


def sweep_csv(sweep: Sweep, rows: Sequence[Row | None]) -> str:
    columns, cells = flat(sweep, rows)
    axes = len(titles(sweep))
    table = [[*map(shown, row[:axes]), *map(_csv_cell, row[axes:])] for row in cells]
    return render(columns, table, "csv")


def _csv_cell(cell: Any) -> str:
    if cell is None:
        return ""
    return ", ".join(cell) if isinstance(cell, list) else shown(cell)


def sweep_parquet(sweep: Sweep, rows: Sequence[Row | None]) -> bytes:
    """Money as decimals of six digits, sellers as lists.

    An axis of numbers is a column of numbers, with its unit in the title; others are text.

    Raises:
        RentoptError: pyarrow is not installed.
    """
    with needing("tables"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    columns, cells = flat(sweep, rows)
    axes = len(titles(sweep))
    arrays = []
    for number, column in enumerate(columns):
        values = [row[number] for row in cells]
        if number < axes:
            numbers, unit = numbers_of(values)
            columns[number] = f"{column} [{unit}]" if unit else column
            arrays.append(
                pa.array(numbers, pa.float64())
                if numbers
                else pa.array([shown(v) for v in values], pa.string())
            )
        elif column in _MONEY or column.startswith("cost "):
            exact = [None if v is None else Decimal(v).quantize(DIGITS) for v in values]
            arrays.append(pa.array(exact, pa.decimal128(38, 6)))
        elif column in _LISTS:
            arrays.append(pa.array(values, pa.list_(pa.string())))
        elif column.startswith("bought "):
            arrays.append(pa.array(values, pa.int32()))
        elif column in ("gap", "seconds") or column.startswith("utilisation "):
            arrays.append(pa.array(values, pa.float64()))
        else:
            arrays.append(pa.array(values, pa.string()))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, names=columns), sink)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def numbers_of(values: Sequence[Any]) -> tuple[list[float], str]:
    """The values of an axis as numbers of one unit; none if they are not."""
    numbers, seen = [], set()
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            return [], ""
        try:
            number, unit = units.split(value) if isinstance(value, str) else (Decimal(value), "")
        except units.UnitError:
            return [], ""
        numbers.append(float(number))
        seen.add(unit)
    return (numbers, seen.pop()) if len(seen) == 1 else ([], "")


# -- text ------------------------------------------------------------------------------------


def sweep_text(sweep: Sweep, prices: PriceChoice, rows: Sequence[Row | None]) -> str:
    """A line a case, and what they say together."""
    found = rows_of(sweep, rows)
    name = sweep.document.name or sweep.document.schedule.name
    statuses = Counter(row["status"] for _, row in found)
    counts = ", ".join(f"{n:,} {status}" for status, n in statuses.items())
    lines = [
        f"{name}: {len(found):,} cases of {sweep.document.schedule.name} ({counts})",
        f"prices as of {prices.as_of}; costs are present values in {sweep.schedule.currency}",
    ]
    columns: list[str | Column] = [
        *(Column(title, right=True) for title in titles(sweep)),
        "status", Column("cost", True), Column("gap", True), "bought", "rented from", "why none",
    ]  # fmt: skip
    table = [
        [
            *(shown(value) for value in values),
            row["status"],
            _money(row.get("npv")),
            "" if row.get("gap") is None else f"{row['gap']:.2%}",
            ", ".join(f"{count} x {node}" for node, count in (row.get("bought") or {}).items()),
            ", ".join(row.get("providers") or []),
            row["reason"].splitlines()[0] if row["reason"] and not row.get("npv") else "",
        ]
        for values, row in found
    ]
    if not any(line[-1] for line in table):
        columns, table = columns[:-1], [line[:-1] for line in table]
    return "\n".join([*lines, "", render(columns, table), *_together(found)])


def _money(text: str | None) -> str:
    return "" if text is None else f"{Decimal(text):,.2f}"


def _together(found: Sequence[tuple[tuple[Any, ...], Row]]) -> Iterator[str]:
    costs = sorted(float(row["npv"]) for _, row in found if row.get("npv") is not None)
    if len(costs) < 2:
        return
    points = statistics.quantiles(costs, n=20, method="inclusive")
    yield (
        f"cost: least {costs[0]:,.2f}, 5 % {points[0]:,.2f}, median {points[9]:,.2f}, mean "
        f"{statistics.fmean(costs):,.2f}, 95 % {points[-1]:,.2f}, most {costs[-1]:,.2f}"
    )
    plans = [row for _, row in found if row.get("npv") is not None]
    buys = sum(1 for row in plans if row["bought"])
    yield f"buying something is best in {buys:,} of {len(plans):,} plans\n"


def legend(rows: Sequence[Row | None]) -> Iterator[str]:
    """What the statuses that need a word mean."""
    there = {row["status"] for row in rows if row}
    for status, meaning in STATUSES.items():
        if status in there and status != PLANNED:
            yield f"{status}: {meaning}"
