"""Published training measurements as the questions that the formulas answer."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from optimizer.model_cards import ModelCard, model_cards
from optimizer.sizing.measured.training import TrainingRow, training_rows
from optimizer.sizing.training.setup import Gang, Setup
from providers.bundled import data_path
from providers.hardware import accelerators

USUAL_MICRO_TOKENS = 8192
"""Taken where a source names no micro-batch."""
USUAL_SEQUENCE = 2048
"""Taken where a source names no length."""
USUAL_BATCH_TOKENS = 4e6
"""Of one optimizer step of pretraining on many GPUs, where a source names no batch."""
SLOW_LANES_GB_S = 7.9
"""Of one card on the board that a source describes as old, with slow lanes: PCIe 3.0
x8, assumed."""


@dataclass(frozen=True, slots=True)
class Case:
    """A published row, and what it asks of the formulas."""

    row: TrainingRow
    card: ModelCard
    setup: Setup
    gang: Gang
    stated: bool
    """Whether the source gives length and micro-batch, so that nothing had to be assumed."""


@cache
def cases() -> tuple[Case, ...]:
    """Every row that is not suspect and whose model has a shape."""
    known = shapes()
    return tuple(
        _case(row, known[row.model])
        for row in training_rows()
        if not row.suspect and row.model in known
    )


@cache
def shapes() -> dict[str, ModelCard]:
    """The model table, and models that only published training speeds name."""
    with data_path("measured", "training_models.csv").open(encoding="utf-8", newline="") as file:
        more = [_shape(row) for row in csv.DictReader(file)]
    return {card.id: card for card in more} | model_cards()


def _shape(row: dict[str, str]) -> ModelCard:
    layers, hidden, vocab = int(row["n_layers"]), int(row["hidden"]), int(row["vocab"])
    heads, kv_heads, head_dim = int(row["n_heads"]), int(row["n_kv_heads"]), int(row["head_dim"])
    wide, gated = int(row["intermediate"]), row["mlp_type"] == "gated"
    tied = row["tied_embeddings"] == "True"
    linear = layers * 2 * hidden * (heads + kv_heads) * head_dim / 1e9
    linear += layers * (3 if gated else 2) * hidden * wide / 1e9
    table = vocab * hidden / 1e9
    total = linear + (table if tied else 2 * table)
    known: dict[str, Any] = {
        "id": row["id"],
        "hf_id": "",
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim,
        "intermediate": wide,
        "mlp_type": row["mlp_type"],
        "vocab": vocab,
        "tied_embeddings": tied,
        "params_total_b": total,
        "params_active_b": total,
        "params_embedding_b": table,
        "params_lm_head_b": table,
        "params_linear_b": linear,
        "kv_bytes_per_token_16bit": 4 * layers * kv_heads * head_dim,
        "published_params_b": total,
        "source": row["source"],
    }
    # A card may count its parameters itself; what it takes from outside is given.
    taken = {field.name for field in fields(ModelCard) if field.init}
    dense = model_cards()["Llama-2-7B"]
    return replace(dense, **{name: value for name, value in known.items() if name in taken})


def _case(row: TrainingRow, card: ModelCard) -> Case:
    length = row.sequence_tokens or USUAL_SEQUENCE
    micro_batch = row.micro_batch or max(1, USUAL_MICRO_TOKENS // length)
    replica = row.tensor_parallel * row.pipeline_parallel * row.context_parallel
    replicas = max(1, row.gpus // replica)
    if row.global_batch:
        accumulation = max(1, round(row.global_batch / (micro_batch * replicas)))
    elif row.method != "pretrain":
        accumulation = 8
    else:
        accumulation = max(1, round(USUAL_BATCH_TOKENS / (length * micro_batch * replicas)))
        accumulation = min(accumulation, 64)
    setup = Setup(
        row.method,
        length,
        micro_batch,
        accumulation,
        strategy=row.strategy,
        checkpointing=row.checkpointing,
        optimizer=row.optimizer,
        offload=row.offload,
        precision="fp8" if row.precision == "FP8" else "bf16",
        framework=row.framework,
        lora_rank=row.lora_rank or 16,
        base=_base(row.precision),
        chunked_loss="chunked loss" in row.options,
        step_in_backward="optimizer in backward" in row.options,
        flash_attention="Triton attention" not in row.options,
        trains_embeddings="embeddings trained" in row.options,
        tensor_parallel=row.tensor_parallel,
        pipeline_parallel=row.pipeline_parallel,
        context_parallel=row.context_parallel,
        virtual_stages=row.virtual_stages,
    )
    slow = SLOW_LANES_GB_S if "slow lanes" in row.interconnect else None
    gang = Gang(
        accelerators()[row.hardware],
        row.gpus // row.nodes,
        row.nodes,
        fabric_gbit_s=_fabric(row.interconnect),
        host_link_gb_s=slow,
    )
    return Case(row, card, setup, gang, bool(row.sequence_tokens and row.micro_batch))


def _base(precision: str) -> str:
    if "int8" in precision:
        return "gptq-int8"
    return "gptq-int4" if "gptq" in precision.lower() else "nf4"


def _fabric(interconnect: str) -> float | None:
    """Gb/s of a node: `1600Gbps`, `4x100Gb`; None where not stated."""
    match = re.search(r"(?:(\d+)x)?(\d+)Gb", interconnect)
    return float(match[1] or 1) * float(match[2]) if match else None
