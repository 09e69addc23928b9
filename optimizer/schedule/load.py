"""From a schedule file to a `Schedule`, or to every fault in it, each with its place."""

from __future__ import annotations

import contextlib
import copy
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from optimizer.schedule import rules
from optimizer.schedule.document import (
    Horizon,
    Limits,
    Market,
    MoneyAssumptions,
    OwnedHardware,
    Purchase,
    ScheduleDocument,
    Workload,
)
from optimizer.schedule.explain import explained, path_of, relevant, value_at
from optimizer.schedule.mix_rules import with_mixes
from optimizer.schedule.schedule import Schedule
from optimizer.schedule.workload_rules import check_workloads, with_files
from optimizer.schedule.yaml_text import read_yaml
from providers import yaml_text
from providers.errors import DocumentError, Fault
from providers.yaml_text import Source

if TYPE_CHECKING:
    from optimizer.sizing.measured.inference import InferenceRow

_S = TypeVar("_S", bound=BaseModel)
_T = TypeVar("_T")
_LISTS: set[yaml_text.Path] = {("workloads",), ("hardware", "owned"), ("hardware", "buy")}
_WORKLOAD: TypeAdapter[Workload] = TypeAdapter(Workload)


def load_schedule(path: Path, measurements: Path | None = None) -> Schedule:
    """The schedule in a YAML file.

    Args:
        path: the file.
        measurements: table of the user's own speeds, in place of the one that the file names.

    Raises:
        DocumentError: with every fault found, in the order of the lines.
    """
    try:
        with path.open("rb") as file:
            content = file.read(yaml_text.MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DocumentError([Fault(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    return _parse(content, str(path), path.parent, measurements)


def parse_schedule(text: str, name: str, folder: Path = Path()) -> Schedule:
    """The schedule in `text`; `name` stands for the file in messages.

    Args:
        text: the YAML.
        name: what messages call it.
        folder: where relative paths in the schedule start.

    Raises:
        DocumentError: with every fault found, in the order of the lines.
    """
    return _parse(text.encode("utf-8", "surrogatepass"), name, folder)


def _parse(content: bytes, name: str, folder: Path, measurements: Path | None = None) -> Schedule:
    source = read_yaml(content, name)
    return checked(source, hashlib.sha256(content).hexdigest(), folder, measurements)


def checked(
    source: Source, sha256: str, folder: Path, measurements: Path | None = None
) -> Schedule:
    """The schedule that a document holds, once every rule is seen to be kept.

    Args:
        source: plain data; faults have the places it knows.
        sha256: what the schedule is told from others by.
        folder: where relative paths in the schedule start.
        measurements: table of the user's own speeds, in place of the one that the document names.

    Raises:
        DocumentError: with every fault found, in the order of the lines.
    """
    faults = [*source.faults, *_own_hardware(source, folder)]
    document, errors = _validated(source)
    faults += [explained(error, source, source.data) for error in errors]
    if not isinstance(source.data, dict):
        raise DocumentError(list(source.faults) or faults)
    broken = [_broken(error, source.data) for error in errors]
    found = rules.Findings(source, broken)
    parts = _whole(document) if document is not None else _readable(source, broken)
    days = rules.check_horizon(found, parts.horizon)
    check_workloads(found, parts.workloads, days, folder)
    rules.check_hardware(found, parts, days)
    rules.check_market(found, parts.market, days, folder)
    rules.check_money(found, parts.money)
    rules.check_limits(found, parts.limits, days)
    rules.check_means(found, parts)
    faults += found.faults
    if faults or document is None:
        raise DocumentError(
            sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column, str(fault)))
        )
    workloads = [with_files(workload, folder) for workload in document.workloads]
    mixes = with_mixes(document.model_copy(update={"workloads": workloads}), source, folder)
    table = measurements or (document.measurements and folder / document.measurements)
    rows, content, wrong = _measurements(source, table) if table else ((), b"", [])
    if mixes.faults or wrong:
        raise DocumentError([*mixes.faults, *wrong])
    return Schedule(
        mixes.document,
        source.name,
        with_contents(sha256, mixes.content, content),
        folder,
        tuple(found.notes),
        mixes.places,
        rows,
    )


def with_contents(sha256: str, *contents: bytes) -> str:
    """What a schedule and the tables it was read with are told from others by."""
    for content in contents:
        if content:
            sha256 = hashlib.sha256(sha256.encode() + content).hexdigest()
    return sha256


def _measurements(
    source: Source, table: Path
) -> tuple[tuple[InferenceRow, ...], bytes, list[Fault]]:
    """The user's own speeds, the bytes they stand in, and what is wrong with them."""
    from optimizer.sizing.measured.own import measurements_in

    try:
        content = table.read_bytes()
        return measurements_in(content, str(table)), content, []
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"'{table.name}' cannot be read: {reason}"
        hint = "the path starts at the schedule's folder"
        return (), b"", [source.fault(("measurements",), message, hint)]
    except DocumentError as error:
        return (), b"", list(error.faults)


def _own_hardware(source: Source, folder: Path) -> list[Fault]:
    """Makes the GPUs of `hardware.file` known, which the rest of the document may name."""
    from providers.hardware_file import add_hardware_file

    path = ("hardware", "file")
    name = value_at(source.data, path)
    if not isinstance(name, str):
        return []
    try:
        add_hardware_file(folder / name)
    except DocumentError as error:
        return [*error.faults, source.fault(path, "the file of own hardware is faulty")]
    return []


def _broken(error: ErrorDetails, data: Any) -> yaml_text.Path:
    """Path of what cannot be used; of an unknown kind of workload, only the kind."""
    path, _ = path_of(error, data)
    return (*path, "kind") if error["type"].startswith("union_tag") else path


def _validated(source: Source) -> tuple[ScheduleDocument | None, list[ErrorDetails]]:
    """The document, or what is wrong with it. A key with nothing after it counts as not given."""
    while True:
        try:
            return ScheduleDocument.model_validate(source.data), []
        except ValidationError as error:
            errors = error.errors(include_url=False)
        empty = [
            path
            for path, _ in (path_of(e, source.data) for e in errors if e["type"] != "missing")
            if path
            and isinstance(path[-1], str)
            and value_at(source.data, path) is None
            and not _unknown(path, source, errors)
        ]
        if not empty:
            return None, relevant(errors, source.data)
        for path in empty:
            around = value_at(source.data, path[:-1])
            if isinstance(around, dict):
                around.pop(path[-1], None)


def _unknown(path: yaml_text.Path, source: Source, errors: Iterable[ErrorDetails]) -> bool:
    return any(
        e["type"] == "extra_forbidden" and path_of(e, source.data)[0] == path for e in errors
    )


def _whole(document: ScheduleDocument) -> rules.Parts:
    return rules.Parts(
        horizon=document.horizon,
        workloads=dict(enumerate(document.workloads)),
        owned=dict(enumerate(document.hardware.owned)),
        buy=dict(enumerate(document.hardware.buy)),
        market=document.market,
        money=document.money,
        limits=document.limits,
    )


def _readable(source: Source, broken: list[yaml_text.Path]) -> rules.Parts:
    """What can be read once the broken fields are left out, for the rules that span fields."""
    data = copy.deepcopy(source.data)
    for path in broken:
        _leave_out(data, path)
    return rules.Parts(
        horizon=_section(Horizon, data, "horizon"),
        workloads=_entries(_WORKLOAD, data, ("workloads",)),
        owned=_entries(TypeAdapter(OwnedHardware), data, ("hardware", "owned")),
        buy=_entries(TypeAdapter(Purchase), data, ("hardware", "buy")),
        market=_section(Market, data, "market"),
        money=_section(MoneyAssumptions, data, "money"),
        limits=_section(Limits, data, "limits"),
    )


def _entries(kind: TypeAdapter[_T], data: Any, path: yaml_text.Path) -> dict[int, _T]:
    """The entries of a list that can be read, by their positions."""
    found: dict[int, _T] = {}
    entries = value_at(data, path)
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        with contextlib.suppress(ValidationError):
            found[index] = kind.validate_python(entry)
    return found


def _section(model: type[_S], data: dict[str, Any], key: str) -> _S | None:
    try:
        return model.model_validate(data.get(key, {}))
    except ValidationError:
        return None


def _leave_out(data: Any, path: yaml_text.Path) -> None:
    """Remove the field that `path` ends in; an entry of a list takes its whole list along.

    The entries of `_LISTS` keep their positions: each is read, or not, by itself.
    """
    if path[:-1] in _LISTS:
        return
    while path and not isinstance(path[-1], str):
        path = path[:-1]
    around = value_at(data, path[:-1])
    if path and isinstance(around, dict):
        around.pop(path[-1], None)
