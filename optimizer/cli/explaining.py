"""What ``rentopt review --explain`` prints: how figures come about."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optimizer.review.figure import Figure

LIST = "list"

Explain = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIGURE",
        help="Tell how a figure comes about, down to quotes and settings: npv, payback, rent_1 …; "
        f"repeatable. '{LIST}' lists them.",
        show_default=False,
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="ASSUMPTION=VALUE",
        help="With --explain: another value of rent, use, price, residual, rate …; repeatable.",
        show_default=False,
    ),
]
Depth = Annotated[
    int | None,
    typer.Option(min=0, help="Levels that --explain goes down.", show_default="all"),
]


def asked_changes(texts: list[str] | None) -> tuple[tuple[str, Decimal], ...]:
    """``rent=3.2`` as an assumption of the question and its value."""
    from optimizer.review.sensitivity.drivers import ALL

    found = []
    for text in texts or []:
        name, _, value = text.partition("=")
        if name not in ALL:
            known = ", ".join(ALL)
            raise typer.BadParameter(
                f"'{name}' is no assumption; there are {known}", param_hint="--set"
            )
        try:
            found.append((name, Decimal(value)))
        except InvalidOperation:
            raise typer.BadParameter(
                f"'{value}' is no number; write it like rent=3.2", param_hint="--set"
            ) from None
    return tuple(found)


def explained(
    figures: tuple[Figure, ...], names: list[str], depth: int | None, *, data: bool
) -> str:
    """The derivations as an indented tree, or as JSON.

    Raises:
        RentoptError: a name is none of a figure.
    """
    from optimizer.review.figure import as_data, explain, find

    if LIST in names:
        return _json([_named(figure) for figure in figures]) if data else _listed(figures)
    found = [find(figures, name) for name in names]
    if data:
        return _json([as_data(figure, depth) for figure in found])
    trees = ["\n".join(explain(figure, depth)) for figure in found]
    return "\n\n".join(trees) + "\n"


def _named(figure: Figure) -> dict[str, str | None]:
    value = None if figure.value is None else f"{figure.value:f}"
    return {"name": figure.name, "title": figure.title, "value": value, "unit": figure.unit}


def _listed(figures: tuple[Figure, ...]) -> str:
    from optimizer.report.tables import Column, render
    from optimizer.review.figure import told
    from optimizer.review.workbook.texts import inert

    rows = [
        (
            inert(figure.name),
            figure.code if figure.value is None else told(figure.value),
            inert(figure.unit),
            inert(figure.title),
        )
        for figure in figures
    ]
    return render(("figure", Column("value", right=True), "unit", "what it is"), rows)


def _json(body: object) -> str:
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"
