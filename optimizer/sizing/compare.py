"""Every known accelerator tried on one model: the smallest count that fits, or why none does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from optimizer.sizing.constants import ENGINES, GGUF_ONLY
from optimizer.sizing.estimate import size_service, size_training
from optimizer.sizing.gang import ANYHOW, TrainingOptions
from optimizer.sizing.measured import InferenceRow
from optimizer.sizing.results import Serving, Training, Unfit
from providers.hardware import NodeKind, accelerators

COUNTS = (1, 2, 4, 8)
LAYER_SPLIT_COUNTS = (1, 2, 3, 4, 5, 6, 7, 8)
STACKS = ("cuda", "metal")
"""Stacks that the engines' constants were fitted on, or close to."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One kind of hardware: the smallest node that does it, or the largest that does not."""

    kind: NodeKind
    engine: str
    """Empty for training."""
    result: Serving | Training | Unfit


def usual_engine(precision: str, gpu: str) -> str:
    """The engine for a format and a card where none is named."""
    if precision in GGUF_ONLY or accelerators()[gpu].stack == "metal":
        return "llama.cpp"
    return "vllm"


def serving_candidates(
    model: str,
    precision: str,
    engine: str | None,
    *,
    prompt_tokens: int,
    output_tokens: int,
    floor_tokens_per_s: float,
    ttft_s: float | None,
    kv_precision: str = "bf16",
    offload_layers: int = 0,
    least_users: int = 1,
    own_rows: tuple[InferenceRow, ...] = (),
    lengths_stated: bool = True,
) -> Iterator[Candidate]:
    """The smallest replica on each accelerator that carries `least_users`."""
    for gpu, card in accelerators().items():
        if card.stack not in STACKS:
            continue
        used = engine or usual_engine(precision, gpu)
        counts = COUNTS if ENGINES[used].tensor_parallel else LAYER_SPLIT_COUNTS
        sized: Serving | Unfit | None = None
        count = 1
        for count in (1,) if card.unified_memory else counts:
            sized = size_service(
                model,
                precision,
                used,
                gpu,
                count,
                prompt_tokens=prompt_tokens,
                output_tokens=output_tokens,
                floor_tokens_per_s=floor_tokens_per_s,
                ttft_s=ttft_s,
                kv_precision=kv_precision,
                offload_layers=offload_layers,
                own_rows=own_rows,
                lengths_stated=lengths_stated,
            )
            if isinstance(sized, Serving) and sized.users < least_users:
                sized = Unfit(f"carries {sized.users} users, and {least_users} were asked for")
            if isinstance(sized, Serving):
                break
        if sized is not None:
            yield Candidate(NodeKind(gpu, count), used, sized)


def training_candidates(
    model: str,
    method: str,
    nodes: int,
    *,
    sequence_tokens: int,
    micro_batch: int,
    accumulation: int,
    options: TrainingOptions = ANYHOW,
) -> Iterator[Candidate]:
    """The smallest node on each accelerator, `nodes` of them together."""
    for gpu, card in accelerators().items():
        if card.stack not in STACKS:
            continue
        sized: Training | Unfit | None = None
        count = 1
        for count in (1,) if card.unified_memory else COUNTS:
            sized = size_training(
                model,
                method,
                gpu,
                count,
                nodes,
                sequence_tokens=sequence_tokens,
                micro_batch=micro_batch,
                accumulation=accumulation,
                options=options,
            )
            if isinstance(sized, Training):
                break
        if sized is not None:
            yield Candidate(NodeKind(gpu, count), "", sized)
