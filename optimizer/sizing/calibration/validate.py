"""Errors on rows that a fit has not seen: whole sources, models or kinds of hardware held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.model_cards import model_card
from optimizer.sizing.calibration.cases import Array, Case, Table, study
from optimizer.sizing.calibration.fit import fit
from optimizer.sizing.measured import Asked, between, key_of, points, published, token_s
from optimizer.sizing.throughput import inference_speed
from providers.hardware import accelerators

FOLDS = 8

SERVED = ("vllm", "sglang", "tensorrt-llm", "lmdeploy", "llama.cpp", "transformers")
"""Engines that a schedule can name (Ollama runs llama.cpp)."""

HELD_OUT: dict[str, Callable[[Case], str]] = {
    "source": lambda case: study(case.row),
    "model": lambda case: case.row.model,
    "hardware": lambda case: case.hardware_class,
}
"""What a fold leaves out whole. Rows of one cell are near copies: no fold splits a cell."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Absolute relative errors of a set of rows."""

    rows: int
    median: float
    ninetieth: float


def folds(groups: Sequence[str], most: int = FOLDS) -> Array:
    """A fold for each row: the groups, largest first, each into the emptiest fold so far."""
    sizes = {group: groups.count(group) for group in groups}
    load, where = [0] * most, {}
    for group in sorted(sizes, key=lambda name: (-sizes[name], name)):
        where[group] = load.index(min(load))
        load[where[group]] += sizes[group]
    return np.array([where[group] for group in groups])


def held_out(table: Table, key: str) -> Array:
    """Logarithm of predicted over measured, each row predicted by a fit without its fold."""
    fold = folds([HELD_OUT[key](case) for case in table.cases])
    start = fit(table, np.ones(len(fold), dtype=bool))
    found = np.zeros(len(fold))
    for each in sorted(set(fold.tolist())):
        out = fold == each
        found[out] = table.log_errors(fit(table, ~out, start))[out]
    return found


def errors(log_errors: Array) -> Errors:
    """Median and 90th percentile of |predicted / measured - 1|."""
    sizes = np.abs(np.exp(log_errors) - 1)
    middle, ninetieth = np.percentile(sizes, (50, 90))
    return Errors(len(sizes), float(middle), float(ninetieth))


def in_scope(case: Case) -> bool:
    """Whether a schedule can name it, on NVIDIA or Apple hardware."""
    return case.engine in SERVED and case.hardware_class not in ("rocm", "other")


def by_class(cases: Sequence[Case], log_errors: Array) -> dict[str, Errors]:
    """Errors in scope by task, engine and hardware; and of what is out of scope."""
    inside = np.array([in_scope(case) for case in cases])
    speed = np.array([case.task != "prefill" for case in cases])
    found = {"decode and total throughput": errors(log_errors[inside & speed])}

    def split(title: str, names: Iterable[str], among: Array) -> None:
        column = np.array(list(names))
        for name in sorted(set(column[among].tolist())):
            found[f"{title}{name}"] = errors(log_errors[among & (column == name)])

    split("", (case.task for case in cases), inside)
    split("engine: ", (case.engine for case in cases), inside & speed)
    split("hardware: ", (case.hardware_class for case in cases), inside & speed)
    found["out of scope (other engines, AMD)"] = errors(log_errors[~inside])
    return found


def lookup_errors(table: Table) -> dict[str, Array]:
    """Logarithm of looked-up over measured pace, for each kind of look-up.

    Each row in turn is asked for as if it had not been published. ``measured``: rows of the same
    case and concurrency from other sources answer; ``interpolated``: other concurrencies of the
    same case; ``scaled``: near cases.
    """
    found: dict[str, list[float]] = {"measured": [], "interpolated": [], "scaled": []}
    for case in table.cases:
        row = case.row
        card = model_card(row.model)
        gpu = accelerators()[row.hardware]
        speed = inference_speed(card, case.form, case.engine, gpu, row.gpus, maker=case.generation)
        if case.task == "prefill" or not in_scope(case) or not row.output_tokens or not speed:
            continue
        asked = Asked(
            card,
            case.form,
            case.engine,
            case.generation,
            row.hardware,
            row.gpus,
            int(row.prompt_tokens or 0),
            int(row.output_tokens),
            True,
            speed,
        )
        own = token_s(row, asked.speed)
        users = row.concurrency or 0.0
        if own is None or users <= 0:
            continue
        modelled = speed.token_s(users, row.prompt_tokens or 0.0, row.output_tokens)
        key = key_of(asked)
        rows = [other for other in published().get(key, ()) if other.id != row.id]
        strangers = [other for other in rows if study(other) != study(row)]
        here = [p for p in points(asked, {key: strangers}) if p.users == users]
        for point in here:
            found["scaled" if point.scaled else "measured"].append(point.token_s / own)
        others = [other for other in rows if other.concurrency != row.concurrency]
        kept = [point for point in points(asked, {key: others}) if not point.scaled]
        below = [point for point in kept if point.users < users]
        above = [point for point in kept if point.users > users]
        if below and above:
            found["interpolated"].append(between(below[-1], above[0], users, modelled) / own)
    return {basis: -np.log(np.array(ratios)) for basis, ratios in found.items()}
