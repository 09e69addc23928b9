"""``rentopt assumptions``: what counts where nothing else is said, and how old it is."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from optimizer.review.assumptions import Due

SCHEMA_VERSION = 1
LONGEST = 44
"""Characters of a cell in a table on a terminal."""
STALE = 4
"""Exit code: with --strict, a default is past its day of review."""


class OutputFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


def assumptions(
    groups: Annotated[
        list[str] | None,
        typer.Argument(help="Groups, such as schedule, owning or vat; all when left out."),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Only what is due to be looked at again.")
    ] = False,
    applied: Annotated[
        bool, typer.Option("--applied", help="Only what counts without being asked for.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 when one is past its day of review.")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day to judge ages by.", show_default="today"),
    ] = None,
    format: Annotated[OutputFormat, typer.Option("--format", help="Form of the output.")] = (
        OutputFormat.TABLE
    ),
) -> None:
    """List every default: value, range, unit, source, age, and when to look at it again."""
    from optimizer.review.assumptions import reviewed

    day = (as_of or datetime.now()).date()
    rows = reviewed(day)
    _check_groups(groups or [], {row.default.group for row in rows})
    chosen = [
        row
        for row in rows
        if (not groups or row.default.group in groups)
        and (row.due or not due)
        and (row.default.applied or not applied)
    ]
    if format is OutputFormat.JSON:
        document = {
            "schema_version": SCHEMA_VERSION,
            "as_of": day.isoformat(),
            "assumptions": [_json(row) for row in chosen],
        }
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        _print(chosen, format)
    late = [row.default.id for row in chosen if row.due]
    if late:
        words = ", ".join(late[:5]) + (" and others" if len(late) > 5 else "")
        typer.echo(f"rentopt: {len(late)} past the day of review: {words}", err=True)
        if strict:
            raise typer.Exit(STALE)


def _check_groups(asked: list[str], known: set[str]) -> None:
    from providers.errors import RentoptError
    from providers.strict_table import near

    for group in asked:
        if group not in known:
            raise RentoptError(
                f"'{group}' is no group of assumptions; {near(group, sorted(known))}"
            )


def _print(rows: list[Due], format: OutputFormat) -> None:
    from optimizer.report.tables import Column, render

    columns: list[str | Column] = [
        "id",
        "value",
        "unit",
        "low",
        "high",
        "applied",
        "seen on",
        Column("age d", right=True),
        "review after",
        "due",
        "grade",
        "source",
        "note",
    ]
    cells: list[tuple[object, ...]] = [
        (
            row.default.id,
            row.default.value or "must be given",
            _unit(row),
            _number(row.default.low),
            _number(row.default.high),
            "yes" if row.default.applied else "no",
            row.default.observed_at,
            row.age_days,
            row.default.review_after,
            "due" if row.due else "",
            row.default.confidence,
            row.default.source,
            row.default.note,
        )
        for row in rows
    ]
    if format is OutputFormat.TABLE:  # what is long is cut; the other forms have all of it
        columns = columns[:-1]
        cells = [tuple(_cut(cell) for cell in line[:-1]) for line in cells]
    typer.echo(render(columns, cells, format.value), nl=False)
    words = f"{len(rows)} assumptions; those not applied count only where they are named"
    typer.echo(f"\n{words}" if format is OutputFormat.MD else words, err=format is OutputFormat.CSV)


def _cut(cell: object) -> object:
    if isinstance(cell, str) and len(cell) > LONGEST:
        return f"{cell[: LONGEST - 1].rstrip()}…"
    return cell


def _unit(row: Due) -> str:
    unit, currency = row.default.unit, row.default.currency
    return f"{currency}/{unit}" if unit and currency else currency or unit


def _number(value: Any) -> str:
    return "" if value is None else f"{value:f}"


def _json(row: Due) -> dict[str, Any]:
    default = row.default
    return {
        "id": default.id,
        "group": default.group,
        "value": default.value or None,
        "low": None if default.low is None else f"{default.low:f}",
        "high": None if default.high is None else f"{default.high:f}",
        "unit": default.unit,
        "currency": default.currency or None,
        "region": default.region or None,
        "applied": default.applied,
        "observed_at": default.observed_at.isoformat(),
        "age_days": row.age_days,
        "review_after": default.review_after.isoformat(),
        "due": row.due,
        "confidence": default.confidence,
        "source": default.source,
        "note": default.note,
    }
