"""Sizes of GGUF files, tensor by tensor, as llama.cpp's quantiser mixes its block types.

A file named Q4_K_M holds 4-bit blocks, 6-bit ones for half of the value and down projections, a
6-bit head, and other blocks where a row does not divide by 256. Source of the mixture:
llama.cpp, src/llama-quant.cpp (2024 to 2026); ``data/sizing/gguf_files.csv`` states it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, lru_cache

from optimizer.model_cards import ModelCard
from optimizer.model_cards.shapes import Matrices, matrices, small_params
from providers.bundled import data_path

MANY_SHARERS = 4
"""Query heads a key from which some files give values more bits."""
EIGHT_EXPERTS = 8
"""Mixtures of so many experts get 8-bit keys and values: Mixtral."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block type."""

    bits: float
    """Per weight, scales included."""
    size: int
    """Weights a block; a row must divide by it."""
    fallback: str
    """What is used where it does not."""


@cache
def blocks() -> dict[str, Block]:
    with data_path("sizing", "gguf_blocks.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["type"]: Block(float(row["bits"]), int(row["block"]), row["fallback"])
            for row in csv.DictReader(file)
        }


@cache
def gguf_files() -> dict[str, dict[str, str]]:
    """The mixtures by id, such as q4_k_m: column to block type or rule."""
    with data_path("sizing", "gguf_files.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@lru_cache(maxsize=1024)
def gguf_linear_bytes(card: ModelCard, file_type: str) -> float:
    """Bytes of the linear layers of all blocks."""
    return sum(_bytes(card, part, file_type) for part in matrices(card))


@lru_cache(maxsize=1024)
def gguf_embedding_bytes(card: ModelCard, file_type: str) -> tuple[float, float]:
    """Bytes of the embedding and of the head; 0 for a tied head, which is the embedding."""
    rule, values = gguf_files()[file_type], card.vocab * card.hidden
    head = _bits(rule["head"], card.hidden) * values / 8
    if card.tied_embeddings:
        return head, 0.0
    return _bits(rule["base"], card.hidden) * values / 8, head


def gguf_small_bytes(card: ModelCard) -> float:
    """Norms, biases and routers, kept in 32 bits."""
    return small_params(card) * 4.0


def _bits(kind: str, row_length: int) -> float:
    block = blocks()[kind]
    if row_length % block.size:
        return _bits(block.fallback, row_length)
    return block.bits


def _bytes(card: ModelCard, part: Matrices, file_type: str) -> float:
    usual, special, layers = _types(card, part, gguf_files()[file_type])
    each = part.inputs * part.outputs * part.copies / 8
    most = _bits(special, part.inputs) * layers
    return each * (most + _bits(usual, part.inputs) * (part.layers - layers))


def _types(card: ModelCard, part: Matrices, rule: dict[str, str]) -> tuple[str, str, int]:
    """Block type of most layers, of the favoured ones, and how many those are."""
    base = rule["base"]
    if card.experts == EIGHT_EXPERTS and part.role in ("attn_k", "attn_v"):
        return "Q8_0", "Q8_0", 0
    if part.role == "attn_output" and card.experts == EIGHT_EXPERTS:
        usual = rule["expert_attn_output"] or base
        return usual, usual, 0
    if part.role in ("attn_v", "ffn_down"):
        usual = rule[part.role] or base
        many = card.heads >= MANY_SHARERS * card.kv_heads
        if part.role == "attn_v" and many and rule["attn_v_grouped"]:
            usual = rule["attn_v_grouped"]
        where = rule[f"{part.role}_where"]
        if not where:
            return usual, usual, 0
        return usual, rule[f"{part.role}_more"], _favoured(where, part, card.layers)
    usual = rule.get(part.role) or base
    return usual, usual, 0


def _favoured(where: str, part: Matrices, layers: int) -> int:
    """Layers of `part` that get more bits."""
    chosen: set[int]
    if where == "more":
        chosen = {i for i in range(layers) if _more(i, layers)}
    elif where == "first eighth":
        chosen = set(range(layers // 8))
    elif where == "first sixteenth":
        chosen = set(range(layers // 16))
    else:
        chosen = set(range(int(where.removeprefix("first "))))
    own = range(part.first_layer, part.first_layer + part.layers)
    return len(chosen.intersection(own))


def _more(layer: int, layers: int) -> bool:
    """The first and last eighth, and every third layer between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2
