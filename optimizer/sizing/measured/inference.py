"""Published speeds of inference, and those of them that stand for a case someone asks about."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

from optimizer.model_cards import ModelCard, model_cards
from optimizer.sizing.measured.common import CLOSE, Shape, chip, number, shape, sources
from optimizer.sizing.throughput import InferenceSpeed
from providers.bundled import data_path

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
}
"""Names in the tables to names in a schedule; fp16 and bf16 run alike."""

ENGINE_NAMES = {
    "vLLM": "vllm",
    "SGLang": "sglang",
    "TensorRT-LLM": "tensorrt-llm",
    "lmdeploy": "lmdeploy",
    "llama.cpp": "llama.cpp",
    "transformers": "transformers",
}

LARGEST_CORRECTION = 0.3
"""Share of a measured time that may be put right by the model for a different prompt length."""
SAME_USERS = 0.10
"""Concurrencies this close count as the same."""


@dataclass(frozen=True, slots=True)
class InferenceRow:
    """One published figure; `value` in tokens/s or ms, as `metric` says."""

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


InferenceKey = tuple[Shape, str, str, str, int]


@cache
def _inference_index() -> dict[InferenceKey, list[InferenceRow]]:
    index: dict[InferenceKey, list[InferenceRow]] = defaultdict(list)
    cards = model_cards()
    for row in inference_rows():
        precision, engine = PRECISIONS.get(row.quant), ENGINE_NAMES.get(row.engine)
        if precision and engine and row.model in cards and not row.suspect:
            gpu = chip(row.hardware, row.gpus)
            index[shape(cards[row.model]), precision, engine, gpu, row.gpus].append(row)
    return dict(index)


@dataclass(frozen=True, slots=True)
class Point:
    """A measured pace at a concurrency, put right for the prompt lengths asked about."""

    users: float
    token_s: float
    """Seconds between two tokens of one user."""
    row: InferenceRow


def points(
    card: ModelCard,
    precision: str,
    engine: str,
    gpu: str,
    gpus: int,
    *,
    speed: InferenceSpeed,
    prompt_tokens: int,
    output_tokens: int,
) -> tuple[Point, ...]:
    """Measured paces for the case, by rising concurrency; a later one is never faster.

    Of several at one concurrency the newest source counts, its median row. Ollama runs llama.cpp:
    its single stream is llama.cpp's.
    """
    precision = "bf16" if precision == "fp16" else precision
    measured_as = "llama.cpp" if engine == "ollama" else engine
    rows = _inference_index().get((shape(card), precision, measured_as, chip(gpu, gpus), gpus), [])
    by_users: dict[float, list[Point]] = defaultdict(list)
    for row in rows:
        pace = _pace(row, speed, prompt_tokens, output_tokens)
        if pace is not None and row.concurrency is not None:
            by_users[row.concurrency].append(Point(row.concurrency, pace, row))
    found: list[Point] = []
    for users in sorted(by_users):
        if users > speed.max_sequences:
            break
        point = _typical(by_users[users])
        if found and point.token_s < found[-1].token_s:
            point = Point(point.users, found[-1].token_s, point.row)
        found.append(point)
    return tuple(found)


def _typical(candidates: Sequence[Point]) -> Point:
    newest = max(point.row.date for point in candidates)
    fresh = [point for point in candidates if point.row.date == newest]
    middle = median(point.token_s for point in fresh)
    return min(fresh, key=lambda point: abs(point.token_s - middle))


def _pace(
    row: InferenceRow, speed: InferenceSpeed, prompt_tokens: int, output_tokens: int
) -> float | None:
    """Seconds per token and user that the row shows for the case; None when it is too far off."""
    prompt, output, users = row.prompt_tokens, row.output_tokens, row.concurrency
    if prompt is None or not output or output < 16 or not users:
        return None
    context, asked = prompt + output / 2, prompt_tokens + output_tokens / 2
    if not 1 / CLOSE <= asked / context <= CLOSE:
        return None
    # The table's rates of whole answers count every prefill; a pace counts those of the others.
    others = users - 1 if prompt > 1 else 0.0
    if row.metric == "decode_tok_s":
        seconds, others = users / row.value, 0.0
    elif row.metric == "output_tok_s":
        seconds = users / row.value - speed.prefill_s(prompt) / output * (prompt > 1)
    elif row.metric == "total_tok_s":
        seconds = users * (prompt + output) / output / row.value
        seconds -= speed.prefill_s(prompt) / output * (prompt > 1)
    elif row.metric == "tpot_ms":
        seconds = row.value / 1000
    else:
        return None
    shown = others * speed.prefill_s(prompt) / output
    wanted = (users - 1) * speed.prefill_s(prompt_tokens) / output_tokens
    correction = wanted - shown + speed.step_s(users, asked) - speed.step_s(users, context)
    close = seconds > 0 and abs(correction) <= LARGEST_CORRECTION * seconds
    return seconds + correction if close else None
