"""Memory that training takes. Pure functions; bytes in, bytes out."""

from __future__ import annotations

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import (
    ADAM_MIXED_BYTES,
    GB,
    GIB,
    LAYER_WORKING_BYTES,
    LOGIT_BYTES,
    LORA_RANK,
    TRAINING_BYTES_PER_GPU,
    TRAINING_SHARE,
    UNIFIED_SHARE,
)
from optimizer.sizing.memory import MemoryBreakdown, weights_bytes
from providers.hardware import Accelerator


def adapter_params(card: ModelCard, rank: int = LORA_RANK) -> float:
    """Parameters of LoRA adapters on the attention and dense MLP matrices.

    A matrix of (in, out) gets rank x (in + out). Experts get none.
    Source: Hu et al. 2021, arXiv:2106.09685.
    """
    query, key = card.heads * card.head_dim, card.kv_heads * card.head_dim
    ends = 2 * (card.hidden + query) + 2 * (card.hidden + key)
    if not card.mixture_of_experts and card.intermediate is not None:
        ends += (3 if card.mlp_type == "gated" else 2) * (card.hidden + card.intermediate)
    return float(rank * card.layers * ends)


def training_memory(
    card: ModelCard,
    method: str,
    strategy: str,
    gpu: Accelerator,
    gpus: int,
    *,
    sequence_tokens: int,
    micro_batch: int,
) -> MemoryBreakdown:
    """Memory of one GPU of a gang of `gpus`, with full activation checkpointing.

    Args:
        card: the model.
        method: pretrain, full, lora or qlora.
        strategy: ddp (every GPU holds all), zero-1 (optimizer states divided) or zero-3
            (weights, gradients and optimizer states divided; FSDP).
        gpu: the accelerator.
        gpus: all GPUs of all nodes, that states are divided by.
        sequence_tokens: length of one sequence.
        micro_batch: sequences a GPU processes at once.

    Source: Rajbhandari et al. 2020, arXiv:1910.02054 (states); Korthikanti et al. 2022,
    arXiv:2205.05198 (activations: one input a layer, and one layer's working set).
    """
    weight, gradient, optimizer = ADAM_MIXED_BYTES
    adapters = method in ("lora", "qlora")
    trained = adapter_params(card) if adapters else card.params_total_b * 1e9
    base = weights_bytes(card, "nf4" if method == "qlora" else "bf16") if adapters else 0.0
    held = base + trained * weight
    divided = gpus if strategy == "zero-3" else 1
    optimizer_divided = 1 if strategy == "ddp" else gpus
    tokens = sequence_tokens * micro_batch
    activations = card.layers * tokens * card.hidden * 2.0 + tokens * card.vocab * LOGIT_BYTES
    activations += tokens * card.hidden * LAYER_WORKING_BYTES
    if strategy == "zero-3":
        # One layer is gathered whole while it runs, the next one behind it.
        activations += 2.0 * held / card.layers
    if gpu.unified_memory:
        available, overhead = gpu.memory_gb * GIB * UNIFIED_SHARE, 0.0
    else:
        available, overhead = gpu.memory_gb * GIB * TRAINING_SHARE, TRAINING_BYTES_PER_GPU
    return MemoryBreakdown(
        weights_gb=held / divided / GB,
        kv_cache_gb=0.0,
        activations_gb=activations / GB,
        states_gb=trained * (gradient / divided + optimizer / optimizer_divided) / GB,
        overhead_gb=overhead / GB,
        available_gb=available / GB,
    )
