"""Memory that serving takes. Pure functions; bytes in, bytes out."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import (
    ENGINE_BYTES_PER_GPU,
    ENGINES,
    FORMATS,
    GB,
    GIB,
    KV_BYTES_PER_VALUE,
    LAYER_SPLIT_BYTES_PER_GPU,
    LAYER_SPLIT_SHARE,
    PREALLOCATED_SHARE,
    UNIFIED_SHARE,
)
from providers.hardware import Accelerator


@dataclass(frozen=True, slots=True)
class MemoryBreakdown:
    """What one replica, or one GPU of a training gang, holds. Decimal GB.

    Serving: the sum over the replica's GPUs. Training: one GPU, the fullest.
    """

    weights_gb: float
    kv_cache_gb: float
    """Keys and values of all running sequences; 0 in training."""
    activations_gb: float
    states_gb: float
    """Gradients and optimizer states; 0 in serving."""
    overhead_gb: float
    """Context, graphs and buffers of the engine."""
    available_gb: float
    """What the engine may fill, `overhead_gb` included."""

    @property
    def required_gb(self) -> float:
        parts = (self.weights_gb, self.kv_cache_gb, self.activations_gb, self.states_gb)
        return sum(parts) + self.overhead_gb

    @property
    def fits(self) -> bool:
        return self.required_gb <= self.available_gb


def weights_bytes(card: ModelCard, precision: str) -> float:
    """Bytes of a checkpoint: quantised linear layers, embedding and untied head as stored.

    Counting every weight at four bits falls 12 % short at 72B and 33 % at 7B: the embedding and
    the head stay 16-bit, and each group of 128 weights carries a scale and a zero.

    Source: GPTQ and AWQ checkpoint layouts (group size 128); bitsandbytes NF4 with block size 64;
    bits per weight of published GGUF files.
    """
    form = FORMATS[precision]
    outside_b = card.params_embedding_b
    if not card.tied_embeddings:
        outside_b += card.params_lm_head_b
    return (card.params_linear_b * form.linear_bytes + outside_b * form.embedding_bytes) * 1e9


def weights_gb_all_int4(card: ModelCard) -> float:
    """Every parameter at half a byte, in GiB: how Hugging Face's memory calculator counts.

    It gives 33.59 for Qwen2-72B, which really takes 40 (Ollama) to 42 (vLLM): see `weights_bytes`.
    """
    return card.params_total_b * 1e9 * 0.5 / GIB


def kv_cache_bytes_per_token(card: ModelCard, bytes_per_value: int = KV_BYTES_PER_VALUE) -> int:
    """Bytes of keys and values for one token, over all layers.

    Two tensors of (layers, kv_heads, head_dim); under multi-head latent attention one compressed
    vector a layer. Sliding windows are not counted: an upper bound for the models that have them.

    Source: Kwon et al. 2023, arXiv:2309.06180; DeepSeek-AI 2024, arXiv:2405.04434 (MLA).
    """
    if card.mla_kv_dim is not None:
        return card.layers * card.mla_kv_dim * bytes_per_value
    return 2 * card.layers * card.kv_heads * card.head_dim * bytes_per_value


def replicated_kv_factor(card: ModelCard, engine: str, gpus: int) -> float:
    """How often tensor parallelism stores each key: GPUs beyond the KV heads hold copies."""
    if not ENGINES[engine].tensor_parallel:
        return 1.0
    if card.mla_kv_dim is not None:
        return float(gpus)
    return max(1.0, gpus / card.kv_heads)


def intermediate_width(card: ModelCard) -> int:
    """Width of the widest MLP that one token passes through, in values."""
    routed = (card.moe_intermediate or 0) * (card.experts_per_token or 0)
    return max(card.intermediate or 0, routed, card.hidden)


def activation_bytes(card: ModelCard, prompt_tokens: int) -> float:
    """Working memory of a prefill: three 16-bit MLP tensors of the prompt.

    [fit] on Hugging Face generate with logits of the last token only.
    """
    return 3.0 * 2.0 * prompt_tokens * intermediate_width(card)


def usable_bytes(gpu: Accelerator, engine: str) -> float:
    """What an engine may fill of one GPU with weights, cache and activations.

    The gigabyte on the box is 2**30 bytes: a 24 GB RTX 4090 reports 24 564 MiB.
    """
    total = gpu.memory_gb * GIB
    if gpu.unified_memory:
        return total * UNIFIED_SHARE
    return max(total * _share(engine) - _overhead(engine), 0.0)


def _share(engine: str) -> float:
    return PREALLOCATED_SHARE if ENGINES[engine].tensor_parallel else LAYER_SPLIT_SHARE


def _overhead(engine: str) -> float:
    parallel = ENGINES[engine].tensor_parallel
    return ENGINE_BYTES_PER_GPU if parallel else LAYER_SPLIT_BYTES_PER_GPU


def tensor_parallel_fault(card: ModelCard, engine: str, gpus: int) -> str:
    """Why the model cannot be split over so many GPUs; empty when it can.

    Tensor parallelism gives each GPU whole attention heads, so `gpus` divides their number.
    Engines that split by layers take any count up to one layer a GPU.
    """
    if ENGINES[engine].tensor_parallel:
        if card.heads % gpus:
            return (
                f"{engine} splits attention heads evenly and {card.heads} heads of {card.id} "
                f"do not divide by {gpus} GPUs"
            )
    elif gpus > card.layers:
        return f"{card.id} has {card.layers} layers, fewer than {gpus} GPUs"
    return ""


def serving_memory(
    card: ModelCard,
    precision: str,
    engine: str,
    gpu: Accelerator,
    gpus: int,
    *,
    users: int,
    prompt_tokens: int,
    output_tokens: int,
) -> MemoryBreakdown:
    """Memory over all GPUs of one replica while `users` sequences run, each at full length."""
    per_gpu = 0.0 if gpu.unified_memory else _overhead(engine)
    cache = kv_cache_bytes_per_token(card) * replicated_kv_factor(card, engine, gpus)
    return MemoryBreakdown(
        weights_gb=weights_bytes(card, precision) / GB,
        kv_cache_gb=cache * users * (prompt_tokens + output_tokens) / GB,
        activations_gb=activation_bytes(card, prompt_tokens) / GB,
        states_gb=0.0,
        overhead_gb=per_gpu * gpus / GB,
        available_gb=(usable_bytes(gpu, engine) + per_gpu) * gpus / GB,
    )


def cache_capacity_tokens(
    card: ModelCard, precision: str, engine: str, gpu: Accelerator, gpus: int, prompt_tokens: int
) -> int:
    """Tokens that the cache holds beside weights and a prefill; 0 or less: nothing fits."""
    free = usable_bytes(gpu, engine) * gpus
    free -= weights_bytes(card, precision) + activation_bytes(card, prompt_tokens)
    cache = kv_cache_bytes_per_token(card) * replicated_kv_factor(card, engine, gpus)
    return int(free // cache)
