"""Rules of the workloads: what belongs together, what runs where, what comes after what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from graphlib import CycleError, TopologicalSorter
from pathlib import Path as FilePath
from typing import Any, get_args

from optimizer.schedule.document import (
    BatchInferenceJob,
    Phase,
    Precision,
    ServiceWorkload,
    TrainingJob,
    Workload,
)
from optimizer.schedule.explain import closest, value_at
from optimizer.schedule.mix_rules import check_mix
from optimizer.schedule.rules import (
    Days,
    Findings,
    check_hardware_rule,
    check_hours,
    check_names,
    check_weekdays,
    check_written_keys,
)
from providers.errors import DocumentError, RentoptError
from providers.yaml_text import Path

Job = TrainingJob | BatchInferenceJob

_EVERY = frozenset(get_args(Precision))
_GGUF = frozenset(name for name in _EVERY if re.fullmatch(r"i?q\d.*", name)) | {"bf16", "fp16"}
_SAFETENSORS = _EVERY - _GGUF - {"nf4", "nf4-dq", "bnb-int8"} | {"bf16", "fp16"}
PRECISIONS: Mapping[str, frozenset[str]] = {
    "vllm": _SAFETENSORS | {"nf4", "nf4-dq", "bnb-int8"},
    "sglang": _SAFETENSORS,
    "tensorrt-llm": _SAFETENSORS,
    "lmdeploy": _SAFETENSORS,
    "ollama": _GGUF,
    "llama.cpp": _GGUF,
    "transformers": _SAFETENSORS | {"nf4", "nf4-dq", "bnb-int8"},
}
"""What each engine loads: GGUF files (q8_0, q4_k_m) are for llama.cpp and what is built on it."""


def check_workloads(
    found: Findings, workloads: Mapping[int, Workload], days: Days | None, folder: FilePath
) -> None:
    entries = _entries(found)
    check_names(found, ("workloads",), [(i, str(e["name"])) for i, e in entries if "name" in e])
    for index, workload in workloads.items():
        path: Path = ("workloads", index)
        rule = workload.hardware
        check_hardware_rule(found, (*path, "hardware"), rule.allow, rule.forbid)
        if workload.model is not None:
            _check_model(found, (*path, "model"), located(workload.model, folder))
        if isinstance(workload, ServiceWorkload):
            _check_service(found, path, workload, days)
        else:
            _check_job(found, path, workload, days)
        if isinstance(workload, TrainingJob):
            _check_training(found, path, workload)
        else:
            _check_engine(found, path, workload.engine, workload.precision)
    _check_order(found, workloads)


def _entries(found: Findings) -> list[tuple[int, dict[str, Any]]]:
    """The workloads as written, also those with faults."""
    raw = found.source.data.get("workloads")
    numbered = enumerate(raw if isinstance(raw, list) else [])
    return [(index, entry) for index, entry in numbered if isinstance(entry, dict)]


def _check_model(found: Findings, path: Path, name: str) -> None:
    from optimizer.model_cards import model_card

    try:
        model_card(name)
    except DocumentError as error:
        for fault in error.faults:
            found.fault(path, f"{name}: {fault.message}", fault.hint)
    except RentoptError as error:
        message, _, hint = str(error).partition("; ")
        found.fault(path, message, hint)


def located(model: str, folder: FilePath) -> str:
    """A model's name as it is, or the path of a configuration, which starts at `folder`."""
    from optimizer.model_cards import is_model_file

    path = str(folder / model)
    return path if is_model_file(path) else model


def with_files(workload: Workload, folder: FilePath) -> Workload:
    """The workload with its model's file located, and the precision that the file names."""
    from optimizer.model_cards import is_model_file, model_card

    model = workload.model and located(workload.model, folder)
    if not model or not is_model_file(model):
        return workload
    changed, named = {"model": model}, model_card(model).precision
    training = isinstance(workload, TrainingJob)
    if named and not training and "precision" not in workload.model_fields_set:
        changed["precision"] = named
    return workload.model_copy(update=changed)


def _check_engine(found: Findings, path: Path, engine: str, precision: str) -> None:
    if precision not in PRECISIONS[engine]:
        able = [name for name, loads in PRECISIONS.items() if precision in loads]
        found.fault(
            (*path, "precision"),
            f"{engine} does not load {precision} weights",
            f"use {', '.join(able)}, or one of {', '.join(sorted(PRECISIONS[engine]))}",
            uses=[(*path, "engine")],
        )


def _check_training(found: Findings, path: Path, job: TrainingJob) -> None:
    parts = ("tokens", "gpu_hours", "gpu", "model")
    uses = [(*path, part) for part in (*parts, "measured")]
    if job.tokens is not None and job.gpu_hours is not None:
        message = "the work is given twice, as 'tokens' and as 'gpu_hours'"
        found.fault((*path, "gpu_hours"), message, "keep one of them", uses=uses)
    elif job.tokens is None and job.gpu_hours is None:
        message = "how much is to be trained is missing"
        hint = "write `tokens` with `model`, or `gpu_hours` with `gpu`"
        found.fault(path, message, hint, uses=uses)
    elif job.tokens is not None and job.model is None and not job.measured:
        message = "'tokens' need a model, or a measured rate"
        found.fault((*path, "tokens"), message, "write `model: Qwen2-72B`", uses=uses)
    if job.gpu_hours is not None and job.gpu is None:
        message = "'gpu_hours' need the GPU they are counted on"
        found.fault((*path, "gpu_hours"), message, "write `gpu: A800`", uses=uses)
    if job.gpu is not None and job.gpu_hours is None:
        message = "'gpu' is only for work that is given in 'gpu_hours'"
        hint = "to choose hardware, write `hardware: {allow: [A800]}`"
        found.fault((*path, "gpu"), message, hint, uses=uses)
    for key in ("tokens", "gpu_hours"):
        if getattr(job, key) == 0:
            found.fault((*path, key), f"'{key}' is 0, so there is nothing to train")


def _check_job(found: Findings, path: Path, job: Job, days: Days | None) -> None:
    if days is not None:
        days.check_span(found, path, job.release, job.deadline, "release deadline")
    if job.min_nodes > job.max_nodes:
        message = f"min_nodes {job.min_nodes} is above max_nodes {job.max_nodes}"
        hint = "raise max_nodes"
        found.fault((*path, "min_nodes"), message, hint, uses=[(*path, "max_nodes")])
    if isinstance(job, BatchInferenceJob) and job.requests == 0:
        found.fault((*path, "requests"), "'requests' is 0, so there is nothing to run")
    if job.checkpoint == 0:
        found.fault((*path, "checkpoint"), "the time between checkpoints is 0", "such as 30 min")
    if job.spot and not job.interruptible:
        message = "a job that is not interruptible cannot run on spot capacity"
        found.fault((*path, "spot"), message, uses=[(*path, "interruptible")])


def _check_service(
    found: Findings, path: Path, service: ServiceWorkload, days: Days | None
) -> None:
    units: set[str] = set()
    for number, phase in enumerate(service.phases):
        here = (*path, "phases", number)
        given = [key for key in ("users", "requests") if getattr(phase, key) is not None]
        if len(given) == 1:
            units.update(given)
        else:
            message = f"expected either 'users' or 'requests', found {'both' if given else 'none'}"
            hint = "write `users: 20` or `requests: 2 requests/s`"
            found.fault(here, message, hint, uses=[(*here, "users"), (*here, "requests")])
        if days is not None:
            days.check_span(found, here, phase.start, phase.end, "start end")
    if len(units) > 1:
        message = "some phases count users, others requests"
        found.fault((*path, "phases"), message, "count one of them in all phases")
    if days is not None:
        _check_overlap(found, path, service.phases, days)
    raw = value_at(found.source.data, (*path, "hours"))
    check_written_keys(found, (*path, "hours"), len(service.hours))
    if isinstance(raw, dict) and len(raw) == len(service.hours):
        check_hours(found, (*path, "hours"), list(service.hours))
    if service.hours and not any(service.hours.values()):
        found.fault((*path, "hours"), "every span has a share of 0 %, so nothing is asked")
    check_weekdays(found, (*path, "weekdays"), service.weekdays)
    check_mix(found, path, service)
    if service.growth == -1:
        found.fault((*path, "growth"), "a growth of -100 % leaves no load after a month")
    if service.api == "only" and service.measured:
        found.warn((*path, "measured"), "measured rates are not used by a service on APIs only")


def _check_overlap(found: Findings, path: Path, phases: list[Phase], days: Days) -> None:
    def span(phase: Phase) -> tuple[date, date]:
        return phase.start or days.first, phase.end or days.last

    ordered = sorted(range(len(phases)), key=lambda number: span(phases[number]))
    for place, number in enumerate(ordered[1:]):
        before = ordered[place]
        if span(phases[number])[0] <= span(phases[before])[1]:
            start, end = span(phases[before])
            message = f"the phase overlaps the one from {start} to {end}"
            where = (*path, "phases", number)
            keys = ("start", "end")
            uses = [(*path, "phases", n, key) for n in (before, number) for key in keys]
            found.fault(where, message, "end one phase before the next starts", uses=uses)


def _check_order(found: Findings, workloads: Mapping[int, Workload]) -> None:
    """`after` names jobs, not itself, and nothing waits for itself in the end."""
    every = {str(entry["name"]): entry for _, entry in _entries(found) if "name" in entry}
    graph: dict[str, set[str]] = {}
    places: dict[str, int] = {}
    for index, job in workloads.items():
        if isinstance(job, ServiceWorkload):
            continue
        places[job.name] = index
        for number, name in enumerate(job.after):
            path: Path = ("workloads", index, "after", number)
            if name not in every:
                hint = closest(name, every) or f"known are {', '.join(every)}"
                found.fault(path, f"there is no workload '{name}'", hint)
            elif every[name].get("kind") == "service":
                hint = "a service never finishes; use release dates"
                found.fault(path, f"'{name}' is a service", hint)
            elif name == job.name:
                found.fault(path, f"'{name}' waits for itself")
            else:
                graph.setdefault(job.name, set()).add(name)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        start = min((name for name in circle if name in places), key=places.__getitem__)
        turn = circle.index(start)
        ring = [*circle[:-1][turn:], *circle[:-1][:turn], start]
        message = f"the jobs wait for each other: {' after '.join(ring)}"
        found.fault(("workloads", places[start], "after"), message, "remove one `after`")
