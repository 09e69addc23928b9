"""What ``rentopt review --explain`` prints: how figures come about."""

from __future__ import annotations

import json
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
Depth = Annotated[
    int | None,
    typer.Option(min=0, help="Levels that --explain goes down.", show_default="all"),
]


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
