"""Rules of a service whose requests come in several sizes, and the tables such mixes are read from.

A histogram file has a row for each size: columns `prompt_tokens`, `output_tokens`, `share`, and one
for each node whose throughput was measured, named as the node is (`L4`, `8xA100`), in requests/s.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from pydantic import ValidationError

from optimizer.schedule.document import Bucket, ScheduleDocument, ServiceWorkload
from optimizer.schedule.explain import value_at
from optimizer.schedule.rules import Findings, check_written_keys
from providers.errors import DocumentError, Fault, RentoptError
from providers.formats.cells import Cells, Line
from providers.formats.choose import read_cells
from providers.hardware import node_kind
from providers.yaml_text import Path, Source

SIZES = ("prompt_tokens", "output_tokens", "share")
NEARLY = 1e-4
"""How far shares may add up beside 100 %: what is lost when they are written with few digits."""
LEAST_RATE = 1e-4
"""Requests/s of one node below which a throughput is no use, and a danger to the solver."""


def check_mix(found: Findings, path: Path, service: ServiceWorkload) -> None:
    """What a mix cannot be given together with; and the mix itself, where the schedule holds it."""
    written = value_at(found.source.data, path)
    given = written if isinstance(written, dict) else {}
    if service.mix and service.histogram:
        message = "the sizes of requests are given twice, as 'mix' and as 'histogram'"
        found.fault((*path, "histogram"), message, "keep one of them", uses=[(*path, "mix")])
    if not (service.mix or service.histogram):
        return
    key = "mix" if service.mix else "histogram"
    for size in ("prompt_tokens", "output_tokens"):
        if size in given:
            message = f"'{size}' is one size, and '{key}' gives several"
            found.fault((*path, size), message, "leave it out", uses=[(*path, key)])
    for number, phase in enumerate(service.phases):
        if phase.users is not None:
            message = f"with '{key}' the load is counted in requests, not in users"
            where = (*path, "phases", number, "users")
            found.fault(where, message, "write `requests: 2 requests/s`", uses=[(*path, key)])
    if service.measured:
        message = f"'measured' is for one size of request, and '{key}' gives several"
        hint = "write `throughput` in each size, or a column in the histogram"
        found.fault((*path, "measured"), message, hint, uses=[(*path, key)])
    for number, bucket in enumerate(service.mix):
        where = (*path, "mix", number, "throughput")
        check_written_keys(found, where, len(bucket.throughput))
        for node, rate in bucket.throughput.items():
            if 0 < rate < LEAST_RATE:
                found.fault(where, *_too_slow(node, rate))
    for fault_at, message, hint in _faults_of(service.mix):
        where = (*path, "mix") if fault_at is None else (*path, "mix", fault_at)
        found.fault(where, message, hint)


def _too_slow(node: str, rate: float) -> tuple[str, str]:
    """Message and hint."""
    message = f"{rate:g} requests/s on {node} is less than the least that counts, {LEAST_RATE:g}"
    return message, "write 0 where it cannot serve them"


def _faults_of(mix: Sequence[Bucket]) -> list[tuple[int | None, str, str]]:
    """(number of the bucket, message, hint) of sizes given twice and of shares that do not add."""
    faults: list[tuple[int | None, str, str]] = []
    seen: dict[str, int] = {}
    for number, bucket in enumerate(mix):
        if bucket.label in seen:
            message = f"requests of {bucket.label} tokens are there twice"
            faults.append((number, message, "add their shares up"))
        seen.setdefault(bucket.label, number)
    total = sum(bucket.share for bucket in mix)
    if mix and abs(total - 1) > NEARLY:
        message = f"the shares add up to {100 * total:.6g} %, expected 100 %"
        faults.append((None, message, "every request has one of the sizes"))
    return faults


# -- histograms in files ---------------------------------------------------------------------------


@dataclass(slots=True)
class Mixes:
    """The document with every mix in it, ready for use."""

    document: ScheduleDocument
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Service → file, line and column of each of its buckets."""
    content: bytes = b""
    """Of the histograms read."""
    faults: list[Fault] = field(default_factory=list)


def with_mixes(document: ScheduleDocument, source: Source, folder: FilePath) -> Mixes:
    """Histograms read into their services; shares scaled to exactly 1, sizes nobody asks left out.

    Args:
        folder: where relative paths start.
    """
    made = Mixes(document)
    workloads = []
    for index, workload in enumerate(document.workloads):
        if isinstance(workload, ServiceWorkload) and (workload.mix or workload.histogram):
            path: Path = ("workloads", index)
            if workload.histogram:
                buckets, places = _read(
                    made, source, (*path, "histogram"), folder / workload.histogram
                )
            else:
                buckets = workload.mix
                at = (source.fault((*path, "mix", number), "") for number in range(len(buckets)))
                places = [_place(fault.file, fault.line, fault.column) for fault in at]
            asked = [n for n, bucket in enumerate(buckets) if bucket.share]
            made.places[workload.name] = tuple(places[n] for n in asked)
            total = sum(bucket.share for bucket in buckets)
            mix = [buckets[n].model_copy(update={"share": buckets[n].share / total}) for n in asked]
            workload = workload.model_copy(update={"mix": mix})
        workloads.append(workload)
    made.document = document.model_copy(update={"workloads": workloads})
    return made


def _read(
    made: Mixes, source: Source, path: Path, file: FilePath
) -> tuple[list[Bucket], list[str]]:
    """The buckets of a histogram file, and their places; what is wrong with it is noted."""
    try:
        content = file.read_bytes()
        cells = read_cells(content, str(file))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "the path starts at the schedule's folder"
        made.faults.append(source.fault(path, f"'{file.name}' cannot be read: {reason}", hint))
        return [], []
    except DocumentError as error:
        made.faults += error.faults
        return [], []
    made.content += content
    faults = [problem.place.fault(problem.message, problem.hint) for problem in cells.problems]
    nodes = _header(faults, cells)
    lines = [(line, _bucket(faults, line, nodes)) for line in cells.lines]
    read = [(line, bucket) for line, bucket in lines if bucket is not None]
    buckets = [bucket for _, bucket in read]
    if not faults:
        for number, message, hint in _faults_of(buckets):
            whole = dict(cells.columns)["share"]
            place = whole if number is None else read[number][0].at("prompt_tokens")
            faults.append(place.fault(message, hint))
        if not buckets:
            faults.append(cells.top.fault("the histogram has no rows"))
    made.faults += faults
    places = [line.at("share") for line, _ in read]
    return buckets, [_place(place.file, place.line, place.column) for place in places]


def _place(file: str, line: int, column: int) -> str:
    """As messages write it; a value that a sweep put in has no line."""
    return ":".join(str(part) for part in (file, line, column) if part)


def _header(faults: list[Fault], cells: Cells) -> list[str]:
    """The columns that are nodes."""
    names = [name for name, _ in cells.columns]
    missing = (name for name in SIZES if name not in names)
    faults += [cells.top.fault(f"column '{name}' is missing") for name in missing]
    nodes: dict[str, str] = {}
    for name, place in cells.columns:
        if name in SIZES:
            continue
        try:
            kind = str(node_kind(name))
        except RentoptError as error:
            message, _, hint = str(error).partition("; ")
            meant = difflib.get_close_matches(name.lower(), SIZES, n=1)
            hint = f"did you mean {meant[0]}?" if meant else hint
            faults.append(place.fault(message, hint))
            continue
        if kind in nodes:
            message = f"'{nodes[kind]}' and '{name}' are the same node"
            faults.append(place.fault(message, "keep one column"))
        nodes[kind] = name
    return list(nodes.values())


def _bucket(faults: list[Fault], line: Line, nodes: Sequence[str]) -> Bucket | None:
    cells = line.cells
    written = {name: cells[name] for name in SIZES if cells.get(name)}
    measured = {name: cells[name] for name in nodes if cells.get(name)}
    try:
        bucket = Bucket.model_validate({**written, "throughput": measured})
        for name, (node, rate) in zip(measured, bucket.throughput.items(), strict=True):
            if 0 < rate < LEAST_RATE:
                faults.append(line.at(name).fault(*_too_slow(node, rate)))
        return bucket
    except ValidationError as error:
        for item in error.errors(include_url=False):
            column = str(item["loc"][-1])
            place = line.at(column if column in cells else SIZES[0])
            message = _of_cell(item["type"], item["msg"], column)
            faults.append(place.fault(message))
        return None


def _of_cell(kind: str, message: str, column: str) -> str:
    """A fault of one cell in a sentence without a full stop."""
    return f"{column} is empty" if kind == "missing" else message.removeprefix("Value error, ")
