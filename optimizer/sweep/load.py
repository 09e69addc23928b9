"""From a sweep file to its cases, or to every fault in it, each with its place."""

from __future__ import annotations

import copy
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml.nodes import MappingNode

from optimizer.schedule.explain import closest, explained, relevant, value_at
from optimizer.schedule.load import checked, load_schedule
from optimizer.schedule.quantities import described
from optimizer.schedule.schedule import Schedule
from optimizer.schedule.yaml_text import read_yaml
from optimizer.sweep.document import Axis, SweepDocument
from optimizer.sweep.edits import (
    AS_OF,
    FACTORS,
    PSEUDO,
    PURCHASE,
    RENT,
    PathError,
    apply_factor,
    edit,
    pseudo_fault,
    resolve,
)
from optimizer.sweep.values import AxisError, axis_values
from providers import yaml_text
from providers.errors import DocumentError, Fault
from providers.yaml_text import Kind, Source

MOST_CASES = 200_000
MOST_TRIED = 40
"""Values of an axis that are tried on the schedule before anything is planned; the others meet its
rules when their turn comes, and a case that breaks one is a row with the reason."""
Edits = tuple[tuple[str, Any], ...]
"""(path, value), in the order of the axes."""

_SWEEP = Kind(
    noun="sweep",
    if_large="a sweep is a few kilobytes; a grid or random says many values in one line",
    if_empty="it needs `rentopt_sweep: 1`, then `schedule:` and `axes:`",
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A checked sweep: a sound schedule, and the values that its axes put into it."""

    document: SweepDocument
    source: str
    schedule: Schedule
    data: dict[str, Any]
    """The schedule's plain data, before any edit."""
    values: tuple[tuple[Any, ...], ...]
    """[axis][number]"""

    @property
    def n_cases(self) -> int:
        if self.document.combine == "zip":
            return len(self.values[0])
        total = 1
        for values in self.values:
            total *= len(values)
        return total

    def cases(self) -> Iterator[Edits]:
        """One after the other, the last axis moving fastest."""
        paths = [axis.path for axis in self.document.axes]
        zipped = self.document.combine == "zip"
        rows = zip(*self.values, strict=True) if zipped else itertools.product(*self.values)
        for row in rows:
            yield tuple(zip(paths, row, strict=True))

    def edited(self, edits: Edits) -> dict[str, Any]:
        """The schedule's data with a case's values in it; rents and days are no part of it."""
        data = copy.deepcopy(self.data)
        places = [(resolve(self.data, p), value) for p, value in edits if p not in PSEUDO]
        # An entry that is taken out of a list must not move the ones that others mean.
        for path, value in sorted(places, key=lambda place: place[1] is None):
            edit(data, path, copy.deepcopy(value))
        for factor, value in edits:
            if factor in FACTORS and factor != RENT:
                apply_factor(data, factor, value)
        return data

    def schedule_of(self, edits: Edits) -> Schedule:
        """The schedule of a case.

        Raises:
            DocumentError: it breaks a rule of schedules.
        """
        source = Source(self.schedule.source, self.edited(edits))
        return checked(source, edited_sha256(self.schedule.sha256, edits), self.schedule.folder)


def edited_sha256(sha256: str, edits: Edits) -> str:
    """What an edited schedule is told from others by; the file's own digest without edits."""
    if not edits:
        return sha256
    return hashlib.sha256(f"{sha256} {canonical(edits)}".encode()).hexdigest()


def canonical(edits: Edits) -> str:
    """Edits as text, the same however a number is written and whichever axis comes first."""
    import json

    def plain(value: object) -> object:
        # Decimals: 0.50 and 0.5 are one value.
        return f"{value.normalize():f}" if hasattr(value, "normalize") else str(value)

    body = sorted((path, value) for path, value in edits) if len(edits) > 1 else list(edits)
    return json.dumps(body, default=plain, ensure_ascii=False, sort_keys=True)


def load_sweep(path: Path) -> Sweep:
    """The sweep in a YAML file, with its schedule.

    Raises:
        DocumentError: with every fault found in the sweep, or in its schedule.
    """
    try:
        with path.open("rb") as file:
            content = file.read(yaml_text.MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DocumentError([Fault(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    source = _read(content, str(path))
    document = _validated(source)
    schedule_path = path.parent / document.schedule
    if not schedule_path.is_file():
        hint = "the path starts at the sweep's folder"
        message = f"there is no file '{document.schedule}'"
        raise DocumentError([source.fault(("schedule",), message, hint)])
    schedule = load_schedule(schedule_path)
    data = read_yaml(schedule_path.read_bytes(), schedule.source).data
    values, faults = _values(document, source)
    sweep = Sweep(document, str(path), schedule, data, tuple(map(tuple, values)))
    faults += _combined(sweep, source) if not faults else []
    for number in range(len(document.axes)):
        faults += _tried(sweep, number, source) if values[number] else []
    if faults:
        raise DocumentError(sorted(faults, key=lambda fault: (fault.line, fault.column)))
    return sweep


def _read(content: bytes, name: str) -> Source:
    root = yaml_text.compose(content, name, _SWEEP)
    if not isinstance(root, MappingNode):
        place = yaml_text.place_of(root)
        message = "expected a mapping with `rentopt_sweep: 1`, `schedule:` and `axes:`"
        raise DocumentError([Fault(name, place.line, place.column, "", message)])
    return yaml_text.build(root, name)


def _validated(source: Source) -> SweepDocument:
    faults = list(source.faults)
    try:
        document = SweepDocument.model_validate(source.data)
    except ValidationError as error:
        errors = relevant(error.errors(include_url=False), source.data)
        faults += [explained(e, source, source.data, SweepDocument) for e in errors]
        document = None
    if faults or document is None:
        faults = list(dict.fromkeys(faults))
        raise DocumentError(sorted(faults, key=lambda fault: (fault.line, fault.column)))
    return document


def _values(document: SweepDocument, source: Source) -> tuple[list[list[Any]], list[Fault]]:
    """The values of each axis; none for one that is faulty."""
    found: list[list[Any]] = []
    faults = []
    for number, axis in enumerate(document.axes):
        try:
            found.append(axis_values(axis))
        except AxisError as error:
            message, _, hint = str(error).partition("; ")
            keys = tuple(error.key.split(".")) if error.key else ()
            faults.append(source.fault(("axes", number, *keys), message, hint))
            found.append([])
    return found, faults


def _combined(sweep: Sweep, source: Source) -> Iterator[Fault]:
    """What is wrong with the axes together."""
    axes = sweep.document.axes
    titles = [axis.title for axis in axes]
    for number, axis in enumerate(axes):
        if axis.title in titles[:number]:
            at = ("axes", number, "name" if axis.name else "path")
            hint = "give each its own `name`" if axis.name else "one path has one axis"
            yield source.fault(at, f"two axes are called '{axis.title}'", hint)
    lengths = [len(values) for values in sweep.values]
    if sweep.document.combine == "zip" and len(set(lengths)) > 1:
        message = f"zip takes the first with the first, but the axes have {lengths} values"
        yield source.fault(("combine",), message, "`product` takes every value with every other")
    elif sweep.n_cases > MOST_CASES:
        message = f"the axes make {sweep.n_cases:,} cases, at most {MOST_CASES:,} are planned"
        yield source.fault(("axes",), message, "use fewer values, or random draws with zip")
    places: dict[tuple[Any, ...], int] = {}
    for number, axis in enumerate(axes):
        try:
            place = resolve(sweep.data, axis.path) if axis.path not in PSEUDO else (axis.path,)
        except PathError:
            continue  # said where the axis is tried
        for other, seen in places.items():
            if place[: len(other)] == other or other[: len(place)] == place:
                message = f"'{axis.path}' and '{axes[seen].path}' move the same value"
                yield source.fault(("axes", number, "path"), message, "keep one of them")
        places[place] = number


def _tried(sweep: Sweep, number: int, source: Source) -> Iterator[Fault]:
    """Each value of one axis put into the schedule by itself."""
    axis, values = sweep.document.axes[number], sweep.values[number]
    if axis.path in PSEUDO:
        for at, value in enumerate(values):
            wrong = pseudo_fault(axis.path, value)
            if wrong:
                yield source.fault(_place(axis, number, at), wrong)
                return
        if axis.path == AS_OF:
            return
        if axis.path == PURCHASE and not value_at(sweep.data, ("hardware", "buy")):
            message = "the schedule may buy nothing, so no purchase price moves"
            yield source.fault(("axes", number, "path"), message, "list nodes under hardware.buy")
        return
    try:
        resolve(sweep.data, axis.path)
    except PathError as error:
        message, _, hint = str(error).partition("; ")
        hint = hint or closest(axis.path, PSEUDO)
        yield source.fault(("axes", number, "path"), message, hint)
        return
    step = max(1, -(-len(values) // MOST_TRIED))
    for at in sorted({*range(0, len(values), step), len(values) - 1}):
        try:
            sweep.schedule_of(((axis.path, values[at]),))
        except DocumentError as error:
            yield _told(axis, number, at, values[at], error.faults[0], source)
            return


def _told(axis: Axis, number: int, at: int, value: Any, fault: Fault, source: Source) -> Fault:
    """A fault of the edited schedule, at the place in the sweep that brought it in."""
    if fault.message.startswith("unknown key"):
        message = f"the schedule has no '{axis.path}': {fault.message}"
        hint = closest(axis.path, PSEUDO) or fault.hint
        return source.fault(("axes", number, "path"), message, hint)
    where = "" if fault.path == axis.path else f" ({fault.path})"
    message = f"the schedule does not take {described(value)}{where}: {fault.message}"
    return source.fault(_place(axis, number, at), message, fault.hint)


def _place(axis: Axis, number: int, at: int) -> tuple[Any, ...]:
    key = next(key for key in ("grid", "list", "random") if getattr(axis, key) is not None)
    return ("axes", number, key, at) if key == "list" else ("axes", number, key)
