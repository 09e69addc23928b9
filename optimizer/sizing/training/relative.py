"""Speed of one GPU against another, for work that is stated in GPU-hours."""

from __future__ import annotations

from functools import lru_cache

from optimizer.model_cards import model_card
from optimizer.sizing.training.setup import Gang, Setup
from optimizer.sizing.training.speed import training_speed
from providers.hardware import accelerators

REFERENCE_MODEL = "Llama-3-8B"
"""Stands for a dense model of unknown size: arithmetic and traffic both grow with it."""
REFERENCE_MICRO_STEP_TOKENS = 4096
"""Tokens per GPU and micro-step."""
REFERENCE_ACCUMULATION = 8
"""Micro-steps between gradient synchronisations: the schedule's default."""


@lru_cache(maxsize=4096)
def relative_training_speed(
    reference_gpu: str,
    gpu: str,
    gpus_per_node: int,
    nodes: int,
    *,
    accumulation: int = REFERENCE_ACCUMULATION,
    micro_step_tokens: int = REFERENCE_MICRO_STEP_TOKENS,
) -> float | None:
    """Hours of one reference GPU that the gang delivers per hour; None if a rate is unknown.

    All weights trained in 16 bits, the whole model on every GPU, its gradients synchronised every
    `accumulation` micro-steps of `micro_step_tokens`. With ``accumulation=1`` and short micro-steps
    two RTX 4090 fall below one, as some report; with the defaults they do not.
    """

    def rate(name: str, per_node: int, count: int) -> float | None:
        setup = Setup("full", micro_step_tokens, 1, accumulation, checkpointing="none")
        gang = Gang(accelerators()[name], per_node, count)
        speed = training_speed(model_card(REFERENCE_MODEL), setup, gang)
        return speed.tokens_per_s if speed else None

    own, base = rate(gpu, gpus_per_node, nodes), rate(reference_gpu, 1, 1)
    return own / base if own is not None and base is not None else None
