"""Bytes that a model's weights take, as stored and on each GPU."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from optimizer.model_cards import ModelCard
from optimizer.model_cards.shapes import Matrices, matrices, small_params
from optimizer.sizing.formats import weight_formats
from optimizer.sizing.gguf import (
    gguf_embedding_bytes,
    gguf_files,
    gguf_linear_bytes,
    gguf_small_bytes,
)

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of a checkpoint, by what tensor and layer parallelism do with them."""

    linear: float
    """Linear layers of all blocks: divided among the GPUs."""
    embedding: float
    head: float
    """0 where the embedding serves as head."""
    small: float
    """Norms, biases, routers: a copy on each GPU under tensor parallelism."""

    @property
    def total(self) -> float:
        return self.linear + self.embedding + self.head + self.small


def is_gguf(precision: str) -> bool:
    return precision in gguf_files()


def precisions() -> tuple[str, ...]:
    """Every number format that is known, checkpoints first."""
    return (*weight_formats(), *gguf_files())


@lru_cache(maxsize=4096)
def weights(card: ModelCard, precision: str) -> Weights:
    """The parts of a checkpoint: linear layers quantised, embedding and untied head as stored.

    Counting every weight at four bits falls 12 % short at 72B and 33 % at 7B: the embedding and
    the head stay 16-bit, and each group of 128 weights carries a scale and a zero.
    """
    if is_gguf(precision):
        embedding, head = gguf_embedding_bytes(card, precision)
        linear = gguf_linear_bytes(card, precision)
        return Weights(linear, embedding, head, gguf_small_bytes(card))
    form = weight_formats()[precision]
    outside = card.vocab * card.hidden * form.embedding_bits / 8
    linear = 0.0
    for part in matrices(card):
        bits = form.linear_bits
        if form.experts_only and part.copies != card.experts:
            bits = 16.0
        linear += _stored(card, part, form.kind) * bits / 8
    tied = card.tied_embeddings and form.kind != "float8"
    head = 0.0 if tied else outside  # FP8 builds of tied models store the head again (Qwen3)
    return Weights(linear, outside, head, small_params(card) * 2.0)


def _stored(card: ModelCard, part: Matrices, kind: str) -> int:
    """Parameters of a matrix as stored: Int4 and Int8 builds of Qwen2-72B pad 29568 to 29696."""
    padded = card.quantised_intermediate
    if kind not in ("int4", "int8") or not padded or not part.role.startswith("ffn"):
        return part.params
    return part.params // (card.intermediate or padded) * padded


def weights_bytes(card: ModelCard, precision: str) -> float:
    """Bytes of a checkpoint, or of a GGUF file without its header."""
    return weights(card, precision).total


def hf_calculator_gib(card: ModelCard, bits: int = 4) -> float:
    """What Hugging Face's memory calculator prints for a model, in GiB.

    The calculator builds the model without its head (`AutoModel`), counts every value at `bits`,
    and counts along the tables of cosines and sines that transformers before 4.45 kept in every
    layer: 2 x positions x head width. For Qwen2-72B-Instruct (32768 positions) at 4 bits: 33.59.

    Source: accelerate, `calculate_maximum_sizes`; transformers 4.41, `Qwen2RotaryEmbedding`.
    """
    body = card.params_linear_b * 1e9 + card.vocab * card.hidden + small_params(card)
    tables = card.layers * (2 * card.max_context_tokens * card.head_dim + card.head_dim // 2)
    return (body + tables) * bits / 8 / GIB


def weights_gb_all_int4(card: ModelCard) -> float:
    """Every parameter at half a byte, in GiB: parameters times bytes, and nothing else."""
    return card.params_total_b * 1e9 * 0.5 / GIB
