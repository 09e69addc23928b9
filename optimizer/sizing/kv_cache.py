"""Bytes of the keys and values that running sequences keep."""

from __future__ import annotations

import math

from optimizer.model_cards import ModelCard

KV_BITS = {"bf16": 16.0, "fp8": 8.0, "int8": 8.0, "int4": 4.0, "q8_0": 8.5, "q4_0": 4.5}
"""Per value. fp8 keeps one scale a layer; q8_0 and q4_0 are blocks of 32 with their scale."""

_SCALED = ("int8", "int4")
"""LMDeploy and Qwen v1: a 16-bit scale and a 16-bit zero for each head and token."""


def kv_bits(card: ModelCard, kv_precision: str) -> float:
    """Bits per value, scales included."""
    scale = 32.0 / card.head_dim if kv_precision in _SCALED else 0.0
    return KV_BITS[kv_precision] + scale


def layer_values(card: ModelCard, tensor: int = 1) -> int:
    """Values that one layer keeps of one token, on each of `tensor` GPUs that share the layer.

    Two tensors of (kv_heads, head_dim), whole heads to a GPU: beyond one GPU a head, GPUs hold
    copies. Under multi-head latent attention one compressed vector, a copy on each GPU.

    Source: Kwon et al. 2023, arXiv:2309.06180; DeepSeek-AI 2024, arXiv:2405.04434 (MLA).
    """
    if card.mla_kv_dim is not None:
        return card.mla_kv_dim
    return 2 * math.ceil(card.kv_heads / tensor) * card.head_dim


def kv_cache_bytes_per_token(card: ModelCard, bytes_per_value: float = 2) -> float:
    """Bytes of keys and values for one token, over all layers; windows are not counted."""
    return card.layers * layer_values(card) * bytes_per_value


def sequence_bytes(
    card: ModelCard,
    tokens: float,
    *,
    kv_precision: str = "bf16",
    block_tokens: int = 1,
    windows: bool = True,
    tensor: int = 1,
    layers: float | None = None,
) -> float:
    """Bytes of one sequence of `tokens`, on each of `tensor` GPUs that share its layers.

    Args:
        card: the model.
        tokens: prompt and answer so far.
        kv_precision: a key of `KV_BITS`.
        block_tokens: what the allocator rounds a sequence up to.
        windows: whether the engine frees what a sliding window no longer sees.
        tensor: GPUs that divide each layer.
        layers: of the model that these GPUs hold; all when left out.
    """
    held = _rounded(tokens, block_tokens)
    wide = card.layers - card.windowed_layers if windows else card.layers
    seen = wide * held
    if windows and card.sliding_window_tokens is not None:
        window = min(held, _rounded(card.sliding_window_tokens, block_tokens))
        seen += card.windowed_layers * window
    share = 1.0 if layers is None else layers / card.layers
    return seen * share * layer_values(card, tensor) * kv_bits(card, kv_precision) / 8


def _rounded(tokens: float, block: int) -> float:
    return math.ceil(tokens / block) * block


def replicated_kv_factor(card: ModelCard, tensor: int) -> float:
    """How often tensor parallelism stores each key over all its GPUs."""
    if card.mla_kv_dim is not None:
        return float(tensor)
    return tensor * math.ceil(card.kv_heads / tensor) / card.kv_heads
