"""Fits what the arithmetic of memory leaves open, and writes ``data/sizing/memory.csv``.

Weights and cache are counted, not fitted. `UNITS` says what is, to six models of four sources
(`FITTED_ON`); all others are for testing. `make calibrate` runs this.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from datetime import UTC, datetime

from optimizer.model_cards import model_card
from optimizer.sizing.kv_cache import sequence_bytes
from optimizer.sizing.measured.memory import GB, MemoryRow, memory_rows
from optimizer.sizing.placement import MLP_VALUES, intermediate_width
from optimizer.sizing.reservation import fitted_memory
from optimizer.sizing.weights import weights
from providers.bundled import data_path

FITTED_ON = {
    "Q25": ("Qwen2.5-0.5B", "Qwen2.5-14B"),
    "Q2": ("Qwen2-1.5B",),
    "Q15": ("Qwen1.5-1.8B", "Qwen1.5-7B"),
    "PREM": ("Llama-2-7B",),
}
"""Source to models. All other sources, and all other models of these, are for testing."""
SCORE_BYTES = 6.0
"""Attention that writes its scores out keeps them in 16 bits and their softmax in 32."""
UNITS = {
    "residual_values": "16-bit values of the residual stream's width, per prompt token",
    "logit_bytes": "bytes per prompt token and word, where all logits are kept",
    "process_gb": "GB a process holds beside its tensors",
    "driver_gb": "GB the driver holds for a process, which only nvidia-smi counts",
    "fragments": "of what a cache grew by token by token, left behind where it is copied to grow",
}


def fitted_on(row: MemoryRow) -> bool:
    return row.model in FITTED_ON.get(row.source, ())


def predicted_bytes(row: MemoryRow, constants: dict[str, float]) -> float:
    """What the formulas say a published figure is."""
    card = model_card(row.model)
    parts = weights(card, row.format)
    held = parts.total
    if row.counts == "file":
        return held
    if row.all_logits and row.engine == "transformers" and card.tied_embeddings:
        held += parts.embedding  # these versions stored a tied head again

    def cache(tokens: int) -> float:
        return row.sequences * sequence_bytes(card, tokens, kv_precision=row.kv_precision)

    end = cache(row.prompt_tokens + row.output_tokens)
    held += constants["process_gb"] * GB
    if row.counts == "settled":
        return held + end
    if row.counts == "device":
        held += constants["driver_gb"] * GB
    if row.counts == "reserved":
        end += constants["fragments"] * (end - cache(row.prompt_tokens))
    values = MLP_VALUES * intermediate_width(card) + constants["residual_values"] * card.hidden
    work = 2.0 * values
    if row.all_logits:
        work += constants["logit_bytes"] * card.vocab
    if row.eager_attention:
        work += SCORE_BYTES * card.heads * row.prompt_tokens
    prefill = cache(row.prompt_tokens) + work * row.prompt_tokens * row.sequences
    return held + max(prefill, end)


def fit(rows: Sequence[MemoryRow]) -> dict[str, float]:
    """Least squares of the logarithmic error."""
    import numpy as np
    from numpy.typing import NDArray
    from scipy.optimize import least_squares

    names = list(UNITS)

    def errors(values: NDArray[np.float64], /) -> list[float]:
        constants = dict(zip(names, values.tolist(), strict=True))
        return [math.log(predicted_bytes(row, constants) / row.bytes) for row in rows]

    found = least_squares(errors, [4.0, 6.0, 0.1, 0.5, 1.0], bounds=(0.0, 20.0))
    return dict(zip(names, (float(value) for value in found.x), strict=True))


def main() -> None:
    """Fits anew and writes the table; the day stays where no constant changed."""
    rows = [row for row in memory_rows() if fitted_on(row)]
    constants = {name: round(value, 3) for name, value in fit(rows).items()}
    if constants == fitted_memory():
        return
    path = data_path("sizing", "memory.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["constant", "value", "unit", "rows", "fitted_on", "date"])
        origin = "; ".join(f"{name}: {', '.join(models)}" for name, models in FITTED_ON.items())
        for name, value in constants.items():
            day = datetime.now(UTC).date()
            writer.writerow([name, value, UNITS[name], len(rows), origin, day])


if __name__ == "__main__":
    main()
