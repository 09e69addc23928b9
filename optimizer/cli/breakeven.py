"""``rentopt breakeven``: at which price, use, load or horizon the answer changes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.decision_options import (
    MaxProviders,
    OnlyOwn,
    OnlyRent,
    Without,
    asked_wishes,
    gap_share,
)
from optimizer.cli.plan import check_writable, deliver
from optimizer.cli.price_options import ANY_PRICES, AsOf, PlanStore, Prices, Quotes, price_book
from optimizer.cli.progress import best_so_far, told

if TYPE_CHECKING:
    from optimizer.schedule.schedule import Schedule

SCHEMA_VERSION = 1


class BreakevenFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class Quantity(StrEnum):
    USE = "use"
    RENT = "rent"
    PRICE = "price"
    PAYBACK = "payback"
    ELECTRICITY = "electricity"
    RESIDUAL = "residual"
    RATE = "rate"
    DELAY = "delay"
    LOAD = "load"


_NAMES = {
    Quantity.USE: "utilisation",
    Quantity.RENT: "rental price",
    Quantity.PRICE: "purchase price",
    Quantity.PAYBACK: "payback",
    Quantity.ELECTRICITY: "electricity price",
    Quantity.RESIDUAL: "residual value",
    Quantity.RATE: "discount rate",
    Quantity.DELAY: "delay",
    Quantity.LOAD: "load",
}


def breakeven(
    schedule: Annotated[Path, typer.Argument(help="What to run, and when (YAML).")],
    format: Annotated[BreakevenFormat, typer.Option("--format", help="Form of the output.")] = (
        BreakevenFormat.TEXT
    ),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ] = Path("-"),
    quotes: Quotes = None,
    prices: Prices = ANY_PRICES,
    store: PlanStore = None,
    quantity: Annotated[
        list[Quantity] | None, typer.Option(help="Only this one; may be repeated.")
    ] = None,
    ladder: Annotated[bool, typer.Option(help="Own 0, 1, 2 … nodes: what each one saves.")] = True,
    regime: Annotated[
        bool, typer.Option("--regime", help="Nodes owned over rental prices and load.")
    ] = False,
    time_limit: Annotated[
        float, typer.Option(min=1, help="Seconds for the exact points, after the plan.")
    ] = 120.0,
    gap: Annotated[
        float, typer.Option(parser=gap_share, metavar="PERCENT", help="Gap to solve to, at first.")
    ] = "0.5%",  # type: ignore[assignment]  # the parser turns it into the share
    without: Without = None,
    only_rent: OnlyRent = False,
    only_own: OnlyOwn = False,
    max_providers: MaxProviders = None,
    as_of: AsOf = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say each step on standard error.")
    ] = False,
) -> None:
    """Find where buying starts to pay: for each purchase, and for the plan as a whole."""
    check_writable(output)
    from optimizer import load_schedule
    from optimizer.api import breakeven as find
    from optimizer.milp.solve import SolveOptions

    asked = load_schedule(schedule)
    book = price_book(asked, as_of, quotes, prices, store)
    wishes = asked_wishes(without, only_rent, only_own, max_providers)
    names = [_NAMES[item] for item in quantity or []]
    with told(verbose, asked.currency) as tell:
        options = SolveOptions(gap=gap, time_limit_s=time_limit, watch=tell.watch)
        rows, ended = best_so_far(
            lambda: find(
                asked, book, options, quantities=names, with_ladder=ladder, with_regime=regime,
                time_limit_s=time_limit, wishes=wishes, progress=tell,
            ),
            tell,
            "the points found so far",
        )  # fmt: skip
    if format is BreakevenFormat.JSON:
        text = _json(asked, str(book.as_of), rows, stopped_early=bool(ended))
    elif format is BreakevenFormat.CSV:
        text = _csv(rows)
    else:
        text = "".join(_text(asked, rows))
        text += "\nStopped early: not all points were looked for.\n" if ended else ""
    deliver(text, output)
    if ended:
        raise typer.Exit(ended)


def _json(
    schedule: Schedule, as_of: str, rows: list[dict[str, Any]], *, stopped_early: bool
) -> str:
    import json

    body = {
        "schema_version": SCHEMA_VERSION,
        "schedule": Path(schedule.source).name,
        "schedule_sha256": schedule.sha256,
        "currency": schedule.currency,
        "as_of": as_of,
        "breakeven": rows,
        "stopped_early": stopped_early,
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def _csv(rows: list[dict[str, Any]]) -> str:
    from optimizer.breakeven.rows import KEYS
    from optimizer.report.tables import render

    return render(KEYS, [[found[key] for key in KEYS] for found in rows], "csv")


def _text(schedule: Schedule, rows: list[dict[str, Any]]) -> Iterator[str]:
    """Paragraphs: each purchase against each rental, the whole plan, the ladders, the map."""
    yield f"Break-even points of {Path(schedule.source).name}, in {schedule.currency}\n"
    if not rows:
        yield "\nThe schedule may buy nothing (hardware.buy), so there is nothing to compare.\n"
    parts = {kind: [r for r in rows if r["kind"] == kind] for kind in _PARTS}
    for (subject, against), pairs in groupby(
        parts["pair"], key=lambda r: (r["subject"], r["against"])
    ):
        yield f"\n{subject}, against renting {against}\n" if against else f"\n{subject}\n"
        yield from _pair_lines(list(pairs))
    if parts["whole"]:
        yield "\nThe whole plan: where its best mix starts or stops buying (proven brackets)\n"
        yield from _figures(parts["whole"])
    for subject, rungs in groupby(parts["ladder"], key=lambda r: str(r["subject"])):
        yield f"\nThe ladder of '{subject}': the best plan with exactly so many\n"
        yield from _ladder(list(rungs))
    if parts["regime"]:
        yield "\nNodes owned in the best plan: rental prices across, load down\n"
        yield _map(parts["regime"])


_PARTS = ("pair", "whole", "ladder", "regime")


def _pair_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield from _figures(rows)
    told = [r for r in rows if r["quantity"] == "utilisation" and r["unit"] != "%"]
    for found in told[-1:]:
        yield f"  {found['meaning']}.\n"


def _figures(rows: list[dict[str, Any]]) -> Iterator[str]:
    from optimizer.report.tables import Column, render

    columns: list[str | Column] = [
        "quantity", "unit", "view", Column("now", True), Column("break-even", True),
        Column("raw", True), Column("proven from", True), Column("to", True),
    ]  # fmt: skip
    cells = [
        [
            found["quantity"], found["unit"], found["basis"], _short(found["now"]),
            _short(found["break_even"]) or _WORDS.get(found["answer"], found["answer"]),
            _short(found["raw"]), _short(found["low"]), _short(found["high"]),
        ]
        for found in rows
    ]  # fmt: skip
    for title in ("proven from", "to", "raw", "view"):
        at = next(i for i, c in enumerate(columns) if title in (c, getattr(c, "title", "")))
        if title == "raw" and any(found["break_even"] is None for found in rows):
            continue
        if title == "raw" or not any(line[at] for line in cells):
            del columns[at]
            for line in cells:
                del line[at]
    yield _indented(render(columns, cells))
    for found in rows:
        if found["kind"] == "whole":
            yield f"  {found['quantity']}: {found['meaning']}.\n"


_WORDS = {"none": "-", "open": "open"}


def _ladder(rows: list[dict[str, Any]]) -> Iterator[str]:
    from optimizer.report.tables import Column, render

    columns: list[str | Column] = [
        Column("nodes", True), Column("total", True), Column("the last one saves", True),
        Column("days used", True), Column("pays from x rent", True), Column("gap", True),
    ]  # fmt: skip
    cells = []
    for found in rows:
        if "total" not in found:
            cells.append([found["nodes"], "no plan", "", "", "", ""])
            continue
        saving = found["marginal_saving"]
        cells.append(
            [
                found["nodes"], f"{float(found['total']):,.2f}",
                "" if saving is None else f"{float(saving):,.2f}", found["days_used"],
                _short(found["break_even"]), f"{float(found['gap']):.2%}",
            ]
        )  # fmt: skip
    yield _indented(render(columns, cells))
    unsure = [found for found in rows if not found["proven"]]
    if unsure:
        yield "  Savings smaller than the gap are not proven; a smaller --gap tells.\n"


def _map(rows: list[dict[str, Any]]) -> str:
    from optimizer.report.tables import Column, render

    rents = list(dict.fromkeys(found["rent_factor"] for found in rows))
    columns: list[str | Column] = ["load", *(Column(f"x {rent}", True) for rent in rents)]
    cells = []
    for load, points in groupby(rows, key=lambda r: str(r["load_factor"])):
        cells.append([f"x {load}", *(found.get("nodes", "?") for found in points)])
    return _indented(render(columns, cells))


def _short(value: str | None) -> str:
    """Four digits that count, or all before the point."""
    if value is None:
        return ""
    from decimal import Decimal

    exact = Decimal(value)
    places = max(0, 3 - exact.adjusted()) if exact else 0
    text = f"{exact:,.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())
