"""A sweep as a picture: a line along one axis, a map over two; with matplotlib, or as text.

Matplotlib, because its SVG is self-contained and the same for the same numbers, and because scales,
ticks and colour bars are work that is done well there already.
"""

from __future__ import annotations

import io
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimizer.report.tables import Column, render
from optimizer.schedule.explain import closest
from optimizer.sweep.load import Sweep
from optimizer.sweep.rows import Row
from optimizer.sweep.table import flat, numbers_of, shown, titles
from providers.errors import RentoptError, needing

FORMATS = ("svg", "png", "pdf", "txt")
WIDEST_MAP = 24
"""Values across of a map as text; more would not fit a page."""
BAR = 40


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers over one axis or two."""

    value: str
    """Column of the results."""
    axes: tuple[str, ...]
    """Titles, with the unit."""
    labels: tuple[tuple[str, ...], ...]
    """[axis][number], each value once, in the order of the sweep or of the numbers."""
    positions: tuple[tuple[float, ...], ...]
    """[axis][number]; their rank where the values are no numbers."""
    scales: tuple[bool, ...]
    """[axis]: whether its values are numbers of one unit; else they stand side by side."""
    numbers: dict[tuple[int, ...], float]
    """Place on each axis → mean of the cases there; nothing where there is no plan."""
    averaged: bool
    """Whether any number is the mean of several cases."""


def chart_of(
    sweep: Sweep, rows: Sequence[Row | None], value: str = "npv", axes: Sequence[str] = ()
) -> Chart:
    """
    Args:
        value: a column of the results that holds numbers.
        axes: one or two, by their names; the only ones of the sweep when left out.

    Raises:
        RentoptError: there is no such column or axis, or there are too many axes.
    """
    columns, cells = flat(sweep, rows)
    names = titles(sweep)
    if value not in columns or value in names:
        known = [name for name in columns if name not in names]
        hint = closest(value, known) or f"known are {', '.join(known)}"
        raise RentoptError(f"the results have no column '{value}'; {hint}")
    chosen = list(axes) or names
    for axis in chosen:
        if axis not in names:
            hint = closest(axis, names) or f"known are {', '.join(names)}"
            raise RentoptError(f"the sweep has no axis '{axis}'; {hint}")
    if len(chosen) > 2 or len(set(chosen)) != len(chosen):
        raise RentoptError(
            f"a chart has one axis or two of {', '.join(names)}; choose with --chart-axis"
        )
    at = [names.index(axis) for axis in chosen]
    labels, positions, ranks, scales, axis_labels = [], [], [], [], []
    for column in at:
        values = list({shown(row[column]): row[column] for row in cells}.values())
        numbers, unit = numbers_of(values)
        if numbers:
            found = sorted(zip(numbers, values, strict=True), key=lambda pair: pair[0])
            numbers, values = [number for number, _ in found], [value for _, value in found]
        positions.append(tuple(numbers or map(float, range(len(values)))))
        scales.append(bool(numbers))
        axis_labels.append(f"{columns[column]}, {unit}" if unit else columns[column])
        labels.append(tuple(map(shown, values)))
        ranks.append({label: rank for rank, label in enumerate(labels[-1])})
    piles: dict[tuple[int, ...], list[float]] = {}
    for row in cells:
        number = _number(row[columns.index(value)])
        if number is not None:
            place = tuple(rank[shown(row[i])] for i, rank in zip(at, ranks, strict=True))
            piles.setdefault(place, []).append(number)
    return Chart(
        value, tuple(axis_labels), tuple(labels), tuple(positions), tuple(scales),
        {place: statistics.fmean(pile) for place, pile in piles.items()},
        averaged=any(len(pile) > 1 for pile in piles.values()),
    )  # fmt: skip


def _number(cell: Any) -> float | None:
    """What a cell of the results holds, if it is a number."""
    if isinstance(cell, str):
        try:
            return float(cell)
        except ValueError:
            return None
    return float(cell) if isinstance(cell, int | float) else None


def chart_text(chart: Chart) -> str:
    """A bar a value, or a table with one axis across and one down."""
    if len(chart.axes) == 1:
        return _bars(chart)
    down, across = chart.labels
    if len(across) > WIDEST_MAP:
        raise RentoptError(
            f"{len(across)} values of {chart.axes[1]} do not fit across; write the chart as svg"
        )
    columns: list[str | Column] = [Column(chart.axes[0], True), *(Column(x, True) for x in across)]
    cells = [
        [label, *(_said(chart.numbers.get((i, j))) for j in range(len(across)))]
        for i, label in enumerate(down)
    ]
    return f"{_heading(chart)}: {chart.axes[0]} down, {chart.axes[1]} across\n" + render(
        columns, cells
    )


def _bars(chart: Chart) -> str:
    most = max((abs(number) for number in chart.numbers.values()), default=0.0) or 1.0
    cells = []
    for i, label in enumerate(chart.labels[0]):
        number = chart.numbers.get((i,))
        bar = "" if number is None else "█" * max(1, round(BAR * abs(number) / most))
        cells.append([label, _said(number), bar if number else ""])
    columns: list[str | Column] = [Column(chart.axes[0], True), Column(chart.value, True), ""]
    return f"{_heading(chart)}\n" + render(columns, cells)


def _heading(chart: Chart) -> str:
    return f"{chart.value} (mean over the other axes)" if chart.averaged else chart.value


def _said(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:,.4g}"


def draw(chart: Chart, title: str, format: str) -> bytes:
    """The chart as SVG, PNG or PDF; the same bytes for the same numbers.

    Raises:
        RentoptError: matplotlib is not installed.
    """
    with needing("charts"):
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    with mpl.rc_context({"svg.hashsalt": "rentopt", "svg.fonttype": "path"}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        if len(chart.axes) == 1:
            _line(axes, chart)
        else:
            figure.colorbar(_map(axes, chart), ax=axes, label=_heading(chart))
        axes.set_title(title)
        image = io.BytesIO()
        dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
        figure.savefig(image, format=format, metadata=dated, dpi=144)
    return image.getvalue()


def _line(axes: Any, chart: Chart) -> None:
    places = sorted(place for (place,) in chart.numbers)
    x = [chart.positions[0][place] for place in places]
    axes.plot(x, [chart.numbers[(place,)] for place in places], marker="o", markersize=4)
    axes.set_xlabel(chart.axes[0])
    axes.set_ylabel(_heading(chart))
    axes.grid(visible=True, alpha=0.3)
    if not chart.scales[0]:
        axes.set_xticks(chart.positions[0], chart.labels[0], rotation=45, ha="right")


def _map(axes: Any, chart: Chart) -> Any:
    """Cells where most places have a number, dots where the places are scattered."""
    down, across = (len(labels) for labels in chart.labels)
    axes.set_ylabel(chart.axes[0])
    axes.set_xlabel(chart.axes[1])
    if len(chart.numbers) * 2 < down * across:
        y, x = ([chart.positions[i][place[i]] for place in chart.numbers] for i in (0, 1))
        return axes.scatter(x, y, c=list(chart.numbers.values()), cmap="viridis")
    nothing = float("nan")
    cells = [[chart.numbers.get((i, j), nothing) for j in range(across)] for i in range(down)]
    image = axes.imshow(cells, origin="lower", aspect="auto", cmap="viridis")
    for axis, labels in ((axes.yaxis, chart.labels[0]), (axes.xaxis, chart.labels[1])):
        step = max(1, len(labels) // 12)
        axis.set_ticks(range(0, len(labels), step), labels[::step])
    return image


def chart_format(path: Path) -> str:
    """
    Raises:
        RentoptError: the name's ending is no format of a chart.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise RentoptError(f"{path} ends in none of {', '.join(FORMATS)}, so what chart is it?")
    return ending
