"""Cards of the language models that can be served or trained: shape, parameters, source."""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from functools import cache

from providers.bundled import data_path
from providers.errors import RentoptError


class UnknownModelError(RentoptError):
    """A language model that the model table does not know."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Shape of one language model. None: the model has no such part."""

    id: str
    hf_id: str
    """Name on the Hugging Face hub."""
    layers: int
    hidden: int
    """Width of the residual stream, in values."""
    heads: int
    kv_heads: int
    """Fewer than `heads` under grouped-query attention."""
    head_dim: int
    """Width of one head, in values; of the query and key parts under MLA."""
    intermediate: int | None
    """Width of a dense MLP; None when every layer is a mixture of experts."""
    experts: int | None
    """Routed experts per mixture layer."""
    experts_per_token: int | None
    moe_intermediate: int | None
    """Width of one expert."""
    shared_experts: int | None
    dense_layers: int | None
    """Leading layers that have a dense MLP in a mixture model."""
    mlp_type: str
    """gated (three matrices) or plain (two)."""
    qkv_bias: bool
    mla_kv_dim: int | None
    """Values cached per token and layer under multi-head latent attention."""
    vocab: int
    tied_embeddings: bool
    max_context_tokens: int
    params_total_b: float
    """Billions (1e9), recomputed from the shape."""
    params_active_b: float
    """Billions that one token passes through."""
    params_embedding_b: float
    params_lm_head_b: float
    """Billions; the same tensor as the embedding where `tied_embeddings`."""
    params_linear_b: float
    """Billions in the linear layers of the blocks: what quantisation shrinks."""
    kv_bytes_per_token_16bit: int
    """Bytes of keys and values for one token, over all layers, at two bytes a value."""
    published_params_b: float
    source: str
    note: str

    @property
    def mixture_of_experts(self) -> bool:
        return self.experts is not None


@cache
def model_cards() -> dict[str, ModelCard]:
    """All known models by id, from ``data/models/models.csv``."""
    with data_path("models", "models.csv").open(encoding="utf-8", newline="") as file:
        cards = [_card(row) for row in csv.DictReader(file)]
    return {card.id: card for card in cards}


def _card(row: dict[str, str]) -> ModelCard:
    def maybe(name: str) -> int | None:
        return int(row[name]) if row[name] else None

    return ModelCard(
        id=row["id"],
        hf_id=row["hf_id"],
        layers=int(row["n_layers"]),
        hidden=int(row["hidden"]),
        heads=int(row["n_heads"]),
        kv_heads=int(row["n_kv_heads"]),
        head_dim=int(row["head_dim"]),
        intermediate=maybe("intermediate"),
        experts=maybe("n_experts"),
        experts_per_token=maybe("experts_per_token"),
        moe_intermediate=maybe("moe_intermediate"),
        shared_experts=maybe("n_shared_experts"),
        dense_layers=maybe("n_dense_layers"),
        mlp_type=row["mlp_type"],
        qkv_bias=row["qkv_bias"] == "True",
        mla_kv_dim=maybe("mla_kv_dim"),
        vocab=int(row["vocab"]),
        tied_embeddings=row["tied_embeddings"] == "True",
        max_context_tokens=int(row["max_context"]),
        params_total_b=float(row["params_total_b"]),
        params_active_b=float(row["params_active_b"]),
        params_embedding_b=float(row["params_embedding_b"]),
        params_lm_head_b=float(row["params_lm_head_b"]),
        params_linear_b=float(row["params_linear_b"]),
        kv_bytes_per_token_16bit=int(row["kv_bytes_per_token_16bit"]),
        published_params_b=float(row["published_params_b"]),
        source=row["source"],
        note=row["notes"],
    )


_TUNED = re.compile(r"-(instruct|chat)(-hf)?$", re.IGNORECASE)
"""A tuned model has its base model's shape; a quantised build has not: its name is refused."""


def _squeeze(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", _TUNED.sub("", name.strip()).lower())


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for card in model_cards().values():
        for name in (card.hf_id, card.hf_id.split("/")[-1], card.id):
            names.setdefault(_squeeze(name), card.id)
    return names | {_squeeze(name): name for name in model_cards()}


def model_card(name: str) -> ModelCard:
    """The card for an id or a hub name; ``-Instruct`` and ``-Chat`` mean the base model's shape.

    Raises:
        UnknownModelError: with the nearest known names.
    """
    names = _names()
    found = names.get(_squeeze(name)) or names.get(_squeeze(name.split("/")[-1]))
    if found is not None:
        return model_cards()[found]
    near = difflib.get_close_matches(_squeeze(name.split("/")[-1]), names, n=3, cutoff=0.5)
    known = ", ".join(dict.fromkeys(names[item] for item in near))
    hint = f"; did you mean {known}?" if known else "; see `rentopt models`"
    raise UnknownModelError(f"'{name}' is no model in the model table{hint}")
