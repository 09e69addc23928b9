"""Published speeds of inference, and those of them that stand for a case someone asks about."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import median

from optimizer.model_cards import ModelCard, is_model_file, model_card, model_cards
from optimizer.sizing.measured.common import CLOSE, Shape, chip, number, shape, sources
from optimizer.sizing.rates import generation
from optimizer.sizing.throughput import InferenceSpeed, inference_speed
from providers.bundled import data_path
from providers.hardware import accelerators

PRECISIONS = {
    "FP16": "bf16",
    "BF16": "bf16",
    "FP8": "fp8",
    "GPTQ-Int8": "gptq-int8",
    "GPTQ-Int4": "gptq-int4",
    "AWQ-Int4": "awq-int4",
    "BNB-NF4": "nf4",
    "Q8_0": "q8_0",
    "Q4_K_M": "q4_k_m",
    "Q4_0": "q4_0",
}
"""Names in the tables to names in a schedule; fp16 and bf16 run alike."""

ENGINE_NAMES = {
    "vLLM": "vllm",
    "SGLang": "sglang",
    "TensorRT-LLM": "tensorrt-llm",
    "lmdeploy": "lmdeploy",
    "llama.cpp": "llama.cpp",
    "Ollama": "ollama",
    "transformers": "transformers",
}

SIBLINGS = {
    "A800": "A100",
    "H800": "H100",
    "H200": "H100",
    "GH200": "H100",
    "RTX3090Ti": "RTX3090",
    "RTX4090D": "RTX4090",
    "RTX4090-48G": "RTX4090",
    "RTX4090D-48G": "RTX4090",
    "L40S": "L40",
    "RTX6000Ada": "L40",
    "A40": "A6000",
}
"""Families that carry the same chip: a measurement of one is scaled to the other by the model."""

LARGEST_CORRECTION = 0.3
"""Share of a measured time that the model may put right for another prompt before the figure
counts as scaled."""
LARGEST_SCALE = 4.0
"""Ratio of the model's times of two cases beyond which one says nothing about the other."""
NEAR = 0.5
"""Power of measured over modelled time of a near case that is carried to the case asked about:
halfway, since on rows held out the full ratio errs more than the model alone."""
SAME_USERS = 0.10
"""Concurrencies this close count as the same."""


@dataclass(frozen=True, slots=True)
class InferenceRow:
    """One measured figure; `value` in tokens/s or ms, as `metric` says."""

    id: str
    source: str
    date: str
    hardware: str
    gpus: int
    model: str
    quant: str
    engine: str
    engine_version: str
    prompt_tokens: float | None
    output_tokens: float | None
    concurrency: float | None
    metric: str
    value: float
    unit: str
    workload: str
    """static (one batch), burst (all requests at once), closed (a fixed number open) or open."""
    kv_bits: int
    """Of a cached value."""
    note: str

    @property
    def suspect(self) -> bool:
        """Whether the row breaks physical limits, or siblings contradict it; the note says how."""
        return "SUSPECT" in self.note

    @property
    def cell(self) -> str:
        """Rows of one cell are near copies: split test sets by cell, never by row."""
        source = self.id.rsplit("-", 1)[0]
        return f"{source}|{self.hardware}x{self.gpus}|{self.model}|{self.quant}"


@cache
def inference_rows() -> tuple[InferenceRow, ...]:
    """All of ``data/measured/inference.csv``."""
    known = sources()
    with data_path("measured", "inference.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            InferenceRow(
                id=row["id"],
                source=known[row["source"]][0],
                date=known[row["source"]][1],
                hardware=row["hardware"],
                gpus=int(row["n_gpus"]),
                model=row["model"],
                quant=row["quant"],
                engine=row["engine"],
                engine_version=row["engine_version"],
                prompt_tokens=number(row["prompt_tokens"]),
                output_tokens=number(row["output_tokens"]),
                concurrency=number(row["concurrency"]),
                metric=row["metric"],
                value=float(row["value"]),
                unit=row["unit"],
                workload=row["workload"],
                kv_bits=int(row["kv_bits"]),
                note=row["note"],
            )
            for row in csv.DictReader(file)
        )


Key = tuple[Shape, str, str, str, int]


def index(rows: Iterable[InferenceRow]) -> dict[Key, list[InferenceRow]]:
    """Rows by model shape, precision, engine, family of chip and count of GPUs."""
    found: dict[Key, list[InferenceRow]] = defaultdict(list)
    for row in rows:
        precision, engine = PRECISIONS.get(row.quant), ENGINE_NAMES.get(row.engine)
        known = row.model in model_cards() or is_model_file(row.model)
        if precision and engine and known and not row.suspect:
            key = (shape(model_card(row.model)), precision, engine, family(row.hardware), row.gpus)
            found[key].append(row)
    return dict(found)


@cache
def published() -> Mapping[Key, Sequence[InferenceRow]]:
    """The bundled rows, indexed once."""
    return index(inference_rows())


def family(gpu: str) -> str:
    """The chip that a card carries, by the family it was first sold as."""
    name = accelerators()[gpu].family
    return SIBLINGS.get(name, name)


@dataclass(frozen=True, slots=True)
class Asked:
    """The case that measurements are looked up for."""

    card: ModelCard
    precision: str
    engine: str
    maker: str
    """Generation of the engine; empty: today's, which earlier ones may speak for."""
    gpu: str
    gpus: int
    prompt_tokens: int
    output_tokens: int
    lengths_stated: bool
    """Else the lengths are defaults that nobody asked for."""
    speed: InferenceSpeed
    """The model's, of the case."""


def key_of(asked: Asked) -> Key:
    """Where the rows that may speak of the case are found in an index."""
    return (shape(asked.card), asked.precision, asked.engine, family(asked.gpu), asked.gpus)


@dataclass(frozen=True, slots=True)
class Point:
    """A measured pace at a concurrency, put right for the case asked about."""

    users: float
    token_s: float
    """Seconds between two tokens of one user, the prefills of the others included."""
    modelled_s: float
    """The same by the model."""
    row: InferenceRow
    scaled: bool
    """Measured on a near case, and carried here by the ratio of the model's times."""


def points(asked: Asked, rows: Mapping[Key, Sequence[InferenceRow]]) -> tuple[Point, ...]:
    """Measured paces for the case, by rising concurrency; a later one is never faster.

    Rows of the very case count alone where there are any; else near ones, scaled. Of several at
    one concurrency the newest source counts, its median. Ollama runs llama.cpp: without rows
    of its own its single stream is llama.cpp's.
    """
    precision = "bf16" if asked.precision == "fp16" else asked.precision
    engines = ("ollama", "llama.cpp") if asked.engine == "ollama" else (asked.engine,)
    found: list[Point] = []
    for engine in engines:
        if not found:
            near = rows.get(key_of(replace(asked, precision=precision, engine=engine)), ())
            found = [point for row in near if (point := _point(row, asked))]
    exact = [point for point in found if not point.scaled]
    by_users: dict[float, list[Point]] = defaultdict(list)
    for point in exact or found:
        by_users[point.users].append(point)
    kept: list[Point] = []
    for users in sorted(by_users):
        if users > asked.speed.max_sequences:
            break
        point = _typical(by_users[users])
        if kept and point.token_s < kept[-1].token_s:
            point = replace(point, token_s=kept[-1].token_s)
        kept.append(point)
    return tuple(kept)


def between(low: Point, high: Point, users: float, modelled_s: float) -> float:
    """Seconds per token at a number of users between two measured ones.

    The model at these users, times its shortfall: drawn straight between the two measured ones, on
    logarithmic axes. Never outside what was measured.
    """
    share = math.log(users / low.users) / math.log(high.users / low.users)
    off = math.log(low.token_s / low.modelled_s) * (1.0 - share)
    off += math.log(high.token_s / high.modelled_s) * share
    return min(max(modelled_s * math.exp(off), low.token_s), high.token_s)


def _typical(candidates: Sequence[Point]) -> Point:
    newest = max(point.row.date for point in candidates)
    fresh = [point for point in candidates if point.row.date == newest]
    middle = median(point.token_s for point in fresh)
    nearest = min(fresh, key=lambda point: abs(point.token_s - middle))
    return replace(nearest, token_s=middle)


def _point(row: InferenceRow, asked: Asked) -> Point | None:
    """What the row says of the case; None when the two are too far apart."""
    prompt, output, users = row.prompt_tokens, row.output_tokens, row.concurrency
    request = (asked.prompt_tokens, asked.output_tokens)
    made_by = generation(asked.engine, row.engine_version, row.date)
    same = chip(row.hardware, row.gpus) == chip(asked.gpu, asked.gpus)
    same = same and asked.maker in ("", made_by)
    if not users or row.kv_bits != 16:
        return None
    wanted = asked.speed.token_s(users, *request)
    if prompt is None or not output:
        stands = same and not asked.lengths_stated and row.metric == "decode_tok_s"
        return Point(users, users / row.value, wanted, row, False) if stands else None
    if output < 16:
        return None
    card, gpu = model_card(row.model), accelerators()[row.hardware]
    there: InferenceSpeed | None = asked.speed
    if not same or made_by != (asked.maker or generation(asked.engine)):
        there = inference_speed(card, asked.precision, asked.engine, gpu, row.gpus, maker=made_by)
    shown = token_s(row, there) if there else None
    if there is None or shown is None:
        return None
    modelled = there.token_s(users, prompt, output)
    context, length = prompt + output / 2, request[0] + request[1] / 2
    if same and 1 / CLOSE <= length / context <= CLOSE:
        put_right = shown + wanted - modelled
        if abs(wanted - modelled) <= LARGEST_CORRECTION * shown:
            return Point(users, put_right, wanted, row, False)
    ratio = wanted / modelled
    if 1 / LARGEST_SCALE <= ratio <= LARGEST_SCALE:
        return Point(users, wanted * (shown / modelled) ** NEAR, wanted, row, True)
    return None


def token_s(row: InferenceRow, speed: InferenceSpeed) -> float | None:
    """Seconds between two tokens of one user that the row shows, in its own case.

    Rates of whole answers count every prefill, a pace those of the others: see
    `InferenceSpeed.token_s`. None where the metric tells no pace.
    """
    prompt, output, users = row.prompt_tokens, row.output_tokens, row.concurrency
    if prompt is None or not output or not users:
        return None
    prefill = speed.prefill_s(prompt) / output if prompt > 1 else 0.0
    if row.metric == "decode_tok_s":
        seconds = users / row.value + (users - 1) * prefill
    elif row.metric == "output_tok_s":
        seconds = users / row.value - prefill
    elif row.metric == "total_tok_s":
        seconds = users * (prompt + output) / output / row.value - prefill
    elif row.metric == "tpot_ms" and row.workload != "burst":
        seconds = row.value / 1000 + ((users - 1) * prefill if row.workload == "static" else 0.0)
    else:
        return None
    return seconds if seconds > 0 else None
