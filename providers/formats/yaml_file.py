"""YAML (and JSON): a list of offers, each a mapping of columns, with numbers as written."""

from __future__ import annotations

from ruamel.yaml.nodes import ScalarNode, SequenceNode

from providers import yaml_text
from providers.errors import DocumentError
from providers.formats.cells import Cells, Line, Place, Problem, yes_no
from providers.yaml_text import BOOLS, NULLS, Kind, Source

_TABLE = Kind(
    noun="table",
    if_large="write so many offers as CSV or Parquet",
    if_empty="a list of offers, each starting with `- provider: …`",
)
_SHAPE = "start each offer with `- `, its columns below each other"


def read_yaml(data: bytes, name: str) -> Cells:
    """The cells of a YAML list of mappings.

    Raises:
        DocumentError: it is no YAML, or no list.
    """
    root = yaml_text.compose(data, name, _TABLE)
    if not isinstance(root, SequenceNode):
        where = yaml_text.place_of(root)
        message = "expected a list of offers"
        raise Place(name, where.line, where.column).refused(message, _SHAPE)
    source = yaml_text.build(root, name, _as_written)
    if source.faults:
        raise DocumentError(source.faults)
    columns: dict[str, Place] = {}
    found = Cells(Place(name, 1, 1, order=(1, 0)), [])
    for number, offer in enumerate(source.data):
        if isinstance(offer, dict):
            found.lines.append(_line(source, number, offer, found.problems))
            for column in offer:
                columns.setdefault(column, _place(source, (number, column), key=True))
        else:
            message = "an offer is a mapping of columns"
            found.problems.append(Problem(_place(source, (number,)), message, _SHAPE))
    found.columns = list(columns.items())
    if not found.lines and not found.problems:
        raise Place(name, 1, 1).refused("the list is empty", _TABLE.if_empty)
    return found


def _line(source: Source, number: int, offer: dict[str, object], problems: list[Problem]) -> Line:
    cells, unreadable = {}, set()
    for column, value in offer.items():
        if isinstance(value, str):
            cells[column] = value.strip()
        else:
            unreadable.add(column)
            kind = "a list" if isinstance(value, list) else "a mapping"
            place = _place(source, (number, column))
            problems.append(Problem(place, f"expected a single value, found {kind}"))

    def at(column: str) -> Place:
        return _place(source, (number, column) if column in offer else (number,), column)

    return Line(f"line {at('').line}", cells, at, frozenset(unreadable))


def _place(source: Source, path: yaml_text.Path, column: str = "", *, key: bool = False) -> Place:
    where = (source.keys if key else source.values).get(path) or source.values[path]
    shown = column or ".".join(str(part) for part in path[1:])
    return Place(source.name, where.line, where.column, shown, (where.line, where.column))


def _as_written(node: ScalarNode) -> str:
    text = str(node.value)
    if node.style is not None:
        return text
    if text in NULLS:
        return ""
    return yes_no(BOOLS[text]) if text in BOOLS else text
