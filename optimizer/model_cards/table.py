"""The bundled table of language models, and the names people call them by."""

from __future__ import annotations

import csv
import difflib
import re
from functools import cache

from optimizer.model_cards.card import ModelCard
from optimizer.model_cards.config_file import card_from_file, is_model_file
from providers.bundled import data_path
from providers.errors import RentoptError


class UnknownModelError(RentoptError):
    """A language model that the model table does not know."""


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
        published_params_b=float(row["published_params_b"]),
        source=row["source"],
        note=row["notes"],
        architecture=row["architecture"],
        quantised_intermediate=maybe("quantised_intermediate"),
        sliding_window_tokens=maybe("sliding_window"),
        full_attention_layers=maybe("full_attention_layers"),
        q_lora_rank=maybe("q_lora_rank"),
        rope_head_dim=maybe("qk_rope_head_dim"),
        v_head_dim=maybe("v_head_dim"),
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
    """The card for an id, a hub name, or the path of a ``config.json``.

    ``-Instruct`` and ``-Chat`` mean the base model's shape.

    Raises:
        UnknownModelError: with the nearest known names.
        DocumentError: the file is no model's configuration.
    """
    if name in model_cards():
        return model_cards()[name]
    if is_model_file(name):
        return card_from_file(name)
    names = _names()
    found = names.get(_squeeze(name)) or names.get(_squeeze(name.split("/")[-1]))
    if found is not None:
        return model_cards()[found]
    near = difflib.get_close_matches(_squeeze(name.split("/")[-1]), names, n=3, cutoff=0.5)
    known = ", ".join(dict.fromkeys(names[item] for item in near))
    hint = f"; did you mean {known}?" if known else "; see `rentopt models`"
    raise UnknownModelError(f"'{name}' is no model in the model table{hint}")
