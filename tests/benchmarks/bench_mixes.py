"""The cheapest mix of GPUs for requests of several sizes: rentopt beside Mélange's own program.

    python tests/benchmarks/bench_mixes.py [--instances DIR] [--limit 60] [--document FILE]

Mélange (Griggs et al. 2024, arXiv:2404.14527, section 5) cuts every size into F equal slices and
gives each whole to one GPU type: a 0/1 variable a slice and type, a whole number of GPUs a type.
It is written down here from the paper and solved by CBC, as its authors do. rentopt splits sizes
freely. Times are of the processor, one thread each, so that other work on the machine does not
count.

Fails when rentopt's mix is dearer than any that Mélange finds, when it is not proven, or when it
misses an optimum that an instance states. DIR holds more instances, one JSON file each:
`demand_share` (a table), `total_rate` in requests/s, `gpus` with `name`, `price_per_hour`,
`throughput_req_per_s` (the same table; null or 0: cannot serve), and, if known,
`results.fractional_optimum.cost`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_plan import machine
from ortools.linear_solver import pywraplp

from optimizer.milp.instance import (
    INF,
    HourlyOffer,
    Instance,
    ReplicaOption,
    Service,
    SlicePoint,
    Solution,
)
from optimizer.milp.solve import SolveOptions, solve

SLICES = (1, 8)
SEEDS = 6
SIZES = ((36, 4), (36, 16), (144, 8), (144, 16))
"""(sizes of requests, GPU types) of the instances made here."""
RATES = (2.0, 8.0, 32.0, 128.0)
PROVEN = 1e-6
"""Relative gap, and relative difference between costs, that counts as none."""


@dataclass(frozen=True)
class Mix:
    """One moment: requests/s of every size, and what one GPU of every type does of each alone."""

    name: str
    loads: tuple[float, ...]
    prices: tuple[float, ...]
    rates: tuple[tuple[float, ...], ...]
    """[type][size] requests/s; 0: cannot serve"""
    known: float | None = None
    """Least price per hour, where somebody else proved it."""


@dataclass(frozen=True)
class Answer:
    cost: float
    seconds: float
    proven: bool


def made(seed: int, sizes: int, types: int, rate: float) -> Mix:
    """Prompts and answers of 25 to 4,000 tokens, long ones rare; types with a scale of 1 to 16.

    A GPU takes some time for a prompt token and some for a step of all requests at once. Few large
    requests fit its memory, which grows faster than the price; how many small ones it can step at
    once grows slower than the price. So small requests are cheap on small GPUs, large ones on
    large.
    """
    rng = random.Random(seed)
    side = round(sizes**0.5)
    lengths = [25 * 160 ** (i / (side - 1)) for i in range(side)]
    requests = [(prompt, answer) for prompt in lengths for answer in lengths]
    weights = [rng.gammavariate(0.6, 1.0) / (a * b) ** 0.5 for a, b in requests]
    loads = tuple(rate * weight / sum(weights) for weight in weights)
    prices, rates = [], []
    for _ in range(types):
        scale = 2 ** rng.uniform(0, 4)
        prices.append(round(0.6 * scale ** rng.uniform(0.9, 1.1), 3))
        prefill, steps = 2500 * scale, 20 * scale ** rng.uniform(0.2, 0.4)
        held, most = 5000 * scale ** rng.uniform(1.2, 1.5), 60 * scale ** rng.uniform(0.3, 0.6)
        together = [min(most, held / (prompt + answer)) for prompt, answer in requests]
        rates.append(
            tuple(
                1 / (prompt / prefill + answer / (steps * n)) if n >= 1 else 0.0
                for (prompt, answer), n in zip(requests, together, strict=True)
            )
        )
    return Mix(f"made-{seed}", loads, tuple(prices), tuple(rates))


def read(path: Path) -> Mix:
    """An instance from a file."""
    body = json.loads(path.read_text(encoding="utf-8"))
    shares = [share for row in body["demand_share"] for share in row]
    asked = [i for i, share in enumerate(shares) if share]
    tables = [
        [rate or 0.0 for row in gpu["throughput_req_per_s"] for rate in row] for gpu in body["gpus"]
    ]
    known = body.get("results", {}).get("fractional_optimum", {}).get("cost")
    return Mix(
        body["id"],
        tuple(shares[i] * body["total_rate"] for i in asked),
        tuple(float(gpu["price_per_hour"]) for gpu in body["gpus"]),
        tuple(tuple(float(table[i]) for i in asked) for table in tables),
        known,
    )


def melange(mix: Mix, slices: int, limit: float) -> Answer | None:
    """The paper's program, solved by CBC; the time is the solver's alone. None: nothing in time."""
    solver = pywraplp.Solver.CreateSolver("CBC")
    gpus = [solver.IntVar(0, solver.infinity(), f"y{k}") for k in range(len(mix.prices))]
    busy: list[list[pywraplp.LinearExpr]] = [[] for _ in gpus]
    for i, load in enumerate(mix.loads):
        for n in range(slices):
            chosen = []
            for k, rates in enumerate(mix.rates):
                if rates[i]:
                    x = solver.BoolVar(f"x{i}.{n}.{k}")
                    chosen.append(x)
                    busy[k].append(x * (load / slices / rates[i]))
            solver.Add(solver.Sum(chosen) == 1)
    for count, terms in zip(gpus, busy, strict=True):
        solver.Add(solver.Sum(terms) <= count)
    solver.Minimize(
        solver.Sum([price * count for price, count in zip(mix.prices, gpus, strict=True)])
    )
    solver.SetTimeLimit(int(limit * 1000))
    began = time.process_time()
    status = solver.Solve()
    seconds = time.process_time() - began
    if status not in (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE):
        return None
    return Answer(solver.Objective().Value(), seconds, status == pywraplp.Solver.OPTIMAL)


def instance(mix: Mix) -> Instance:
    """One hour with one service; every GPU is a node of its own."""
    whole = sum(mix.loads)
    types = range(len(mix.prices))
    replicas = tuple(ReplicaOption(k, 1.0, 0.0, mix.rates[k]) for k in types)
    shares = tuple(load / whole for load in mix.loads)
    return Instance(
        period_days=(1,),
        slices=(SlicePoint(0, 1.0),),
        pools=tuple(f"type {k}" for k in types),
        month_of_period=(0,),
        hourly_offers=tuple(
            HourlyOffer(f"type {k}", k, "x", (price,), price) for k, price in enumerate(mix.prices)
        ),
        services=(Service("requests", (whole,), 0.0, replicas, (), buckets=shares),),
    )


def rentopt(mix: Mix, limit: float) -> Answer:
    """The whole of `solve`, on one thread as CBC has one."""
    began = time.process_time()
    options = SolveOptions(gap=PROVEN / 10, time_limit_s=limit, threads=1)
    found = solve(instance(mix), options)
    seconds = time.process_time() - began
    if not isinstance(found, Solution):
        raise SystemExit(f"{mix.name}: rentopt found no mix in {limit:g} s")
    return Answer(found.objective, seconds, found.gap <= PROVEN)


def single(mix: Mix) -> float:
    """The cheapest GPU type that serves every size alone; INF if none does."""
    return min(
        -(-sum(load / rate for load, rate in zip(mix.loads, rates, strict=True)) // 1) * price
        if all(rates)
        else INF
        for rates, price in zip(mix.rates, mix.prices, strict=True)
    )


@dataclass(frozen=True)
class Pair:
    mix: Mix
    slices: int
    ours: Answer
    theirs: Answer | None


def compare(mixes: Iterable[Mix], limit: float) -> Iterator[Pair]:
    """Both on every instance and number of slices; what must hold is checked."""
    for mix in mixes:
        ours = rentopt(mix, limit)
        if not ours.proven:
            raise SystemExit(f"{mix.name}: rentopt's mix is not proven to be the cheapest")
        if mix.known is not None and abs(ours.cost - mix.known) > PROVEN * max(1.0, mix.known):
            raise SystemExit(f"{mix.name}: {ours.cost} found, {mix.known} is the optimum")
        for slices in SLICES:
            theirs = melange(mix, slices, limit)
            if theirs is not None and ours.cost > theirs.cost * (1 + PROVEN):
                raise SystemExit(f"{mix.name}: {ours.cost} is dearer than Mélange's {theirs.cost}")
            found = "nothing" if theirs is None else f"{theirs.cost:.3f} in {theirs.seconds:.2f} s"
            told = (
                f"{mix.name} F={slices}: {ours.cost:.3f} in {ours.seconds:.2f} s; Mélange {found}"
            )
            print(told, file=sys.stderr, flush=True)
            yield Pair(mix, slices, ours, theirs)


def row(family: str, pairs: Sequence[Pair], limit: float) -> str:
    """A line of the table; where CBC did not end, its time limit stands for its time."""
    ended = [p for p in pairs if p.theirs is not None and p.theirs.proven]
    theirs = [p.theirs.seconds if p in ended and p.theirs else limit for p in pairs]
    ratios = [time / p.ours.seconds for time, p in zip(theirs, pairs, strict=True)]
    saved = [p.theirs.cost / p.ours.cost - 1 for p in pairs if p.theirs is not None]
    ours = statistics.median(p.ours.seconds for p in pairs)
    return (
        f"| {family} | {pairs[0].slices} | {len(pairs)} | {ours:.3f} s | "
        f"{statistics.median(theirs):.3f} s | {len(pairs) - len(ended)} | "
        f"{statistics.median(ratios):.1f} | {min(ratios):.1f} to {max(ratios):.0f} | "
        f"{sum(s > PROVEN for s in saved)}, up to {max(saved, default=0.0):.2%} |"
    )


HEAD = (
    "| instances | F | number | rentopt, median | Mélange, median | not ended | ratio, median "
    "| ratios | dearer by Mélange |\n|---|---|---|---|---|---|---|---|---|"
)


def rows(family: str, mixes: Sequence[Mix], limit: float) -> Iterator[str]:
    pairs = list(compare(mixes, limit))
    for slices in SLICES:
        yield row(family, [pair for pair in pairs if pair.slices == slices], limit)
    alone = [single(p.mix) / p.ours.cost for p in pairs if p.slices == SLICES[0]]
    able = [ratio for ratio in alone if ratio < INF]
    if able:
        SAVINGS.append(
            f"| {family} | {len(able)} of {len(alone)} | {1 - 1 / statistics.median(able):.1%} | "
            f"{1 - 1 / max(able):.1%} |"
        )


SAVINGS = [
    "| instances | one type can serve all | the mix saves, median | at most |\n|---|---|---|---|"
]


def write(document: Path, text: str) -> None:
    """Put the text between its two marks in a document."""
    before = document.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- bench_mixes -->\n).*?(<!-- /bench_mixes -->)", re.DOTALL)
    after, count = marked.subn(lambda match: match[1] + text + match[2], before)
    if count != 1:
        raise SystemExit(f"{document} has no place marked bench_mixes")
    document.write_text(after, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--instances", type=Path, help="folder with more instances")
    parser.add_argument("--title", default="from files", help="what the table calls them")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a solve may take")
    parser.add_argument("--document", type=Path, help="file in which to put the tables")
    chosen = parser.parse_args()
    lines = [HEAD]
    if chosen.instances:
        files = sorted(p for p in chosen.instances.glob("*.json") if not p.name.startswith("_"))
        lines += rows(chosen.title, [read(path) for path in files], chosen.limit)
    for sizes, types in SIZES:
        mixes = [made(n, sizes, types, RATES[n % len(RATES)]) for n in range(SEEDS)]
        lines += rows(f"made, {sizes} sizes, {types} types", mixes, chosen.limit)
    text = "\n".join([machine() + ".\n", *lines, "", *SAVINGS]) + "\n"
    print(text, end="")
    if chosen.document:
        write(chosen.document, text)


if __name__ == "__main__":
    main()
