"""Memory that serving takes, over all GPUs of one replica."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import ENGINES, GB
from optimizer.sizing.kv_cache import kv_cache_bytes_per_token
from optimizer.sizing.kv_cache import replicated_kv_factor as _replicated
from optimizer.sizing.placement import activation_bytes, placement
from optimizer.sizing.reservation import reservations, visible_bytes
from optimizer.sizing.weights import weights_bytes, weights_gb_all_int4
from providers.hardware import Accelerator

__all__ = [
    "MemoryBreakdown",
    "activation_bytes",
    "cache_capacity_tokens",
    "kv_cache_bytes_per_token",
    "replicated_kv_factor",
    "serving_memory",
    "tensor_parallel_fault",
    "usable_bytes",
    "weights_bytes",
    "weights_gb_all_int4",
]


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
    claimed_gb: float = 0.0
    """Serving: what nvidia-smi shows, engines reserving ahead; 0 in training."""
    host_gb: float = 0.0
    """Serving: weights and cache that stay in host memory."""

    @property
    def required_gb(self) -> float:
        parts = (self.weights_gb, self.kv_cache_gb, self.activations_gb, self.states_gb)
        return sum(parts) + self.overhead_gb

    @property
    def fits(self) -> bool:
        return self.required_gb <= self.available_gb


def replicated_kv_factor(card: ModelCard, engine: str, gpus: int) -> float:
    """How often tensor parallelism stores each key: GPUs beyond the KV heads hold copies."""
    return _replicated(card, gpus) if ENGINES[engine].tensor_parallel else 1.0


def usable_bytes(gpu: Accelerator, engine: str) -> float:
    """What an engine may fill of one GPU with weights, cache and activations."""
    visible = visible_bytes(gpu)
    if gpu.unified_memory:
        return visible
    policy = reservations()[engine]
    share = policy.share if policy.policy == "share of card" else 1.0
    return max(visible * share - policy.fixed_bytes, 0.0)


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
    kv_precision: str = "bf16",
    offload_layers: int = 0,
) -> MemoryBreakdown:
    """Memory over all GPUs of one replica while `users` sequences run, each at full length."""
    lies = placement(
        card,
        precision,
        engine,
        gpu,
        gpus,
        kv_precision=kv_precision,
        offload_layers=offload_layers,
    )
    tokens = prompt_tokens + output_tokens
    held, cached = lies.weights_together, lies.sequence_together(tokens) * users
    work, fixed = lies.activations(prompt_tokens) * gpus, lies.fixed * gpus
    # What the fullest GPU has left for the cache, seen over all of them.
    fraction = lies.sequence(tokens) and lies.sequence_together(tokens) / lies.sequence(tokens)
    room = lies.cache(prompt_tokens) * fraction
    claimed = lies.claimed(prompt_tokens, users, tokens) * gpus
    if lies.policy.as_needed:
        claimed = held + cached + work + fixed
    return MemoryBreakdown(
        weights_gb=held / GB,
        kv_cache_gb=cached / GB,
        activations_gb=work / GB,
        states_gb=0.0,
        overhead_gb=fixed / GB,
        available_gb=(held + work + fixed + room) / GB,
        claimed_gb=claimed / GB,
        host_gb=(lies.host + lies.host_sequence(tokens) * users) / GB,
    )


def cache_capacity_tokens(
    card: ModelCard,
    precision: str,
    engine: str,
    gpu: Accelerator,
    gpus: int,
    prompt_tokens: int,
    *,
    kv_precision: str = "bf16",
    offload_layers: int = 0,
) -> int:
    """Tokens that the cache holds beside weights and a prefill; 0 or less: nothing fits.

    Counted at the length of a prompt: models with windowed layers hold more of longer ones.
    """
    lies = placement(
        card,
        precision,
        engine,
        gpu,
        gpus,
        kv_precision=kv_precision,
        offload_layers=offload_layers,
    )
    block = lies.policy.block_tokens
    rounded = -(-prompt_tokens // block) * block
    each = lies.sequence(rounded) / rounded
    return int(lies.cache(prompt_tokens) // each) if each else 0
