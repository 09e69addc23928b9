"""What published measurements of inference and of training share: sources, sameness of cases."""

from __future__ import annotations

import csv
from functools import cache

from optimizer.model_cards import ModelCard
from providers.bundled import data_path

FORM_UNSTATED = {
    "A100-80GB": "A100-SXM4-80GB",
    "A100-40GB": "A100-SXM4-40GB",
    "A800-80GB": "A800-SXM4-80GB",
    "H100-80GB": "H100-SXM5-80GB",
}
"""Cards whose form factor a source leaves open are taken as SXM."""

SAME_CHIP = {"A800-SXM4-80GB": "A100-SXM4-80GB", "H800-SXM5-80GB": "H100-SXM5-80GB"}
"""One card alone is equal: only NVLink (and FP64) was cut."""

CLOSE = 2.0
"""Largest ratio of context lengths at which a measurement still stands for a case."""


@cache
def sources() -> dict[str, tuple[str, str]]:
    """Address and date by the short name that the tables use."""
    with data_path("measured", "sources.csv").open(encoding="utf-8", newline="") as file:
        return {row["source"]: (row["address"], row["date"]) for row in csv.DictReader(file)}


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # empty, or "max"
        return None


def whole(text: str) -> int | None:
    value = number(text)
    return None if value is None else int(value)


Shape = tuple[object, ...]


def shape(card: ModelCard) -> Shape:
    """What makes two models run alike: Qwen2-72B and Qwen2.5-72B, Llama 3 and 3.3 70B."""
    mixture = (card.experts, card.experts_per_token, card.moe_intermediate, card.mla_kv_dim)
    heads = (card.heads, card.kv_heads, card.head_dim)
    return (card.layers, card.hidden, card.intermediate, *heads, *mixture)


def chip(gpu: str, gpus: int) -> str:
    gpu = FORM_UNSTATED.get(gpu, gpu)
    return SAME_CHIP.get(gpu, gpu) if gpus == 1 else gpu
