"""The published measurements closest to a case, and what the bare formulas say of them."""

from __future__ import annotations

import math

from optimizer.model_cards import ModelCard, model_cards
from optimizer.sizing.measured.common import FORM_UNSTATED, shape
from optimizer.sizing.measured.inference import (
    ENGINE_NAMES,
    PRECISIONS,
    InferenceRow,
    inference_rows,
)
from optimizer.sizing.throughput import inference_speed
from providers.hardware import Accelerator, accelerators

SHOWN = 5
METRICS = ("decode_tok_s", "output_tok_s", "total_tok_s", "tpot_ms")


def nearest_measurements(
    card: ModelCard,
    precision: str,
    engine: str,
    gpu: Accelerator,
    gpus: int,
    *,
    users: float,
    context_tokens: float,
) -> list[tuple[InferenceRow, float | None]]:
    """Rows of models of the same shape, the nearest first, each with the modelled value.

    Nearest: the same format, then engine, then family of card and count, then the concurrency and
    the context by their ratio.
    """
    own = shape(card)
    cards = model_cards()

    def distance(row: InferenceRow) -> tuple[bool, bool, bool, bool, float]:
        accelerator = accelerators()[FORM_UNSTATED.get(row.hardware, row.hardware)]
        context = (row.prompt_tokens or 0.0) + (row.output_tokens or 0.0) / 2
        ratios = abs(math.log(max(row.concurrency or 1.0, 1.0) / max(users, 1.0)))
        ratios += 0.3 * abs(math.log(max(context, 1.0) / max(context_tokens, 1.0)))
        return (
            PRECISIONS.get(row.quant) != precision,
            accelerator.family != gpu.family,
            row.gpus != gpus,
            ENGINE_NAMES.get(row.engine) != engine,
            ratios,
        )

    known = {name for name, other in cards.items() if shape(other) == own}
    rows = [
        row
        for row in inference_rows()
        if row.model in known
        and row.metric in METRICS
        and FORM_UNSTATED.get(row.hardware, row.hardware) in accelerators()
    ]
    return [(row, _modelled(row)) for row in sorted(rows, key=distance)[:SHOWN]]


def _modelled(row: InferenceRow) -> float | None:
    """The row's figure by the formulas alone, where they cover its format and engine."""
    users, output, prompt = row.concurrency, row.output_tokens, row.prompt_tokens
    if row.quant not in PRECISIONS or row.engine not in ENGINE_NAMES:
        return None
    if not users or not output or prompt is None:
        return None
    gpu = accelerators()[FORM_UNSTATED.get(row.hardware, row.hardware)]
    card, precision = model_cards()[row.model], PRECISIONS[row.quant]
    speed = inference_speed(card, precision, ENGINE_NAMES[row.engine], gpu, row.gpus)
    if speed is None:
        return None
    step = speed.step_s(users, prompt + output / 2)
    wall = (speed.prefill_s(prompt) * users if prompt > 1 else 0.0) + output * step
    return {
        "decode_tok_s": users / step,
        "tpot_ms": step * 1e3,
        "output_tok_s": users * output / wall,
        "total_tok_s": users * (prompt + output) / wall,
    }[row.metric]
