"""The matrices of a model, from its shape: what its parameters and its file sizes add up from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.model_cards.card import ModelCard

FUSED_ATTENTION = frozenset(
    {"bloom", "chatglm", "dbrx", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "mpt", "phi3", "qwen"}
)
"""Architectures whose query, key and value are one matrix in a GGUF file."""


@dataclass(frozen=True, slots=True)
class Matrices:
    """Equal matrices of one kind in every layer of a range."""

    role: str
    """attn_q, attn_k, attn_v, attn_qkv, attn_output, attn_other, ffn_up, ffn_gate or ffn_down."""
    inputs: int
    outputs: int
    copies: int
    """Per layer: more than 1 for experts."""
    first_layer: int
    layers: int

    @property
    def params(self) -> int:
        return self.inputs * self.outputs * self.copies * self.layers


def matrices(card: ModelCard) -> Iterator[Matrices]:
    """The linear layers of all blocks; embedding, head, norms, biases and routers left out."""
    yield from _attention(card)
    dense = card.layers if not card.mixture_of_experts else card.dense_layers or 0
    if dense and card.intermediate is not None:
        yield from _mlp(card, card.intermediate, 1, 0, dense)
    if card.mixture_of_experts and card.moe_intermediate is not None:
        mixed = card.layers - dense
        yield from _mlp(card, card.moe_intermediate, card.experts or 0, dense, mixed)
        if card.shared_experts:
            shared = card.moe_intermediate * card.shared_experts
            yield from _mlp(card, shared, 1, dense, mixed)


def _attention(card: ModelCard) -> Iterator[Matrices]:
    def one(role: str, inputs: int, outputs: int) -> Matrices:
        return Matrices(role, inputs, outputs, 1, 0, card.layers)

    if card.mla_kv_dim is not None:
        yield from _latent_attention(card)
        return
    query, key = card.heads * card.head_dim, card.kv_heads * card.head_dim
    if card.architecture in FUSED_ATTENTION:
        yield one("attn_qkv", card.hidden, query + 2 * key)
    else:
        yield one("attn_q", card.hidden, query)
        yield one("attn_k", card.hidden, key)
        yield one("attn_v", card.hidden, key)
    yield one("attn_output", query, card.hidden)


def _latent_attention(card: ModelCard) -> Iterator[Matrices]:
    """MLA: DeepSeek-AI 2024, arXiv:2405.04434."""
    kv_dim, rope = card.mla_kv_dim or 0, card.rope_head_dim or 0
    value, rank = card.v_head_dim or card.head_dim - rope, kv_dim - rope
    query = card.heads * card.head_dim

    def one(role: str, inputs: int, outputs: int) -> Matrices:
        return Matrices(role, inputs, outputs, 1, 0, card.layers)

    if card.q_lora_rank is None:
        yield one("attn_q", card.hidden, query)
    else:
        yield one("attn_other", card.hidden, card.q_lora_rank)
        yield one("attn_other", card.q_lora_rank, query)
    yield one("attn_other", card.hidden, kv_dim)
    yield one("attn_v", rank, card.heads * (card.head_dim - rope + value))
    yield one("attn_output", card.heads * value, card.hidden)


def _mlp(card: ModelCard, width: int, copies: int, first: int, layers: int) -> Iterator[Matrices]:
    if card.mlp_type == "gated":
        yield Matrices("ffn_gate", card.hidden, width, copies, first, layers)
    yield Matrices("ffn_up", card.hidden, width, copies, first, layers)
    yield Matrices("ffn_down", width, card.hidden, copies, first, layers)


def linear_params(card: ModelCard) -> int:
    """Parameters of the linear layers of all blocks."""
    return sum(part.params for part in matrices(card))


def active_linear_params(card: ModelCard) -> int:
    """Those that one token passes through: `experts_per_token` of the routed experts."""
    if not card.experts:
        return linear_params(card)
    total = 0
    for part in matrices(card):
        if part.copies == card.experts:
            total += part.params // card.experts * (card.experts_per_token or 0)
        else:
            total += part.params
    return total


def small_params(card: ModelCard) -> int:
    """Norms, biases and routers: under 0.1 % of a model, never quantised."""
    norms = 2 * card.hidden * card.layers + card.hidden
    key = card.kv_heads * card.head_dim
    biases = (card.heads * card.head_dim + 2 * key) * card.layers if card.qkv_bias else 0
    routers = (card.experts or 0) * card.hidden * (card.layers - (card.dense_layers or 0))
    return norms + biases + routers
