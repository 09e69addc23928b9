"""Speed of a training gang: arithmetic at a measured utilisation, plus what the links cost."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import (
    CROWDED_LATENCY,
    FABRIC_LATENCY_S,
    HIDDEN_ON_NVLINK,
    HIDDEN_ON_PCIE,
    NVLINK_600,
    NVLINK_900,
    NVLINK_NODE_FABRIC_BYTES_PER_S,
    PCIE_NO_P2P,
    PCIE_NODE_FABRIC_BYTES_PER_S,
    PCIE_P2P,
    REFERENCE_ACCUMULATION,
    REFERENCE_MICRO_STEP_TOKENS,
    SEQUENCE_SATURATION_TOKENS,
    Link,
    class_name,
    hardware_class,
)
from optimizer.sizing.memory import adapter_params, weights_bytes
from providers.hardware import Accelerator, accelerators

STRATEGIES = ("ddp", "zero-1", "zero-3")
"""From the least traffic to the least memory."""


def flops_per_token(card: ModelCard, method: str, sequence_tokens: int) -> float:
    """Arithmetic of one trained token, recomputation not counted.

    Forward 2N, gradients of activations 2N, gradients of weights 2N, which adapters do without;
    and causal attention. Source: Kaplan et al. 2020, arXiv:2001.08361; Chowdhery et al. 2022,
    arXiv:2204.02311, appendix B, which defines the utilisation that goes with it.
    """
    passes = 2.0 if method in ("lora", "qlora") else 3.0
    attention = 2.0 * card.layers * card.heads * card.head_dim * sequence_tokens
    return passes * (2.0 * card.params_active_b * 1e9 + attention)


def single_card_mfu(gpu: Accelerator, method: str, micro_step_tokens: float) -> float:
    """Utilisation of one card that waits for no other. Short micro-steps leave it idle."""
    kind = hardware_class(gpu)
    best = kind.train_full if method in ("pretrain", "full") else kind.train_adapter
    return best * micro_step_tokens / (micro_step_tokens + SEQUENCE_SATURATION_TOKENS)


def link_between(gpu: Accelerator, gpus: int) -> Link:
    """The link that all-reduces inside one node take, scaled to the card's NVLink."""
    if gpu.nvlink_gb_s >= 700:
        return _scaled(NVLINK_900, gpu.nvlink_gb_s / 900)
    if gpu.nvlink_gb_s > 0 and class_name(gpu) == "h100":
        return _scaled(NVLINK_900, gpu.nvlink_gb_s / 900)  # H800: 400 of the H100's 900
    if gpu.nvlink_gb_s > 0:
        return _scaled(NVLINK_600, gpu.nvlink_gb_s / 600)
    lanes = gpu.host_link_gb_s / 31.5 if gpu.host_link_gb_s else 1.0
    if gpu.p2p:
        return _scaled(PCIE_P2P, lanes)
    crowd = max((factor for size, factor in CROWDED_LATENCY.items() if size <= gpus), default=1.0)
    slow = _scaled(PCIE_NO_P2P, lanes)
    return Link(
        slow.latency_s * crowd, slow.bytes_per_s, slow.training_bytes_per_s, PCIE_NO_P2P.name
    )


def _scaled(link: Link, share: float) -> Link:
    return Link(
        link.latency_s, link.bytes_per_s * share, link.training_bytes_per_s * share, link.name
    )


def gang_bytes_per_s(gpu: Accelerator, gpus_per_node: int, nodes: int) -> float:
    """Rate at which one GPU of the gang sends and receives: the slower of node and fabric.

    A ring of all GPUs crosses each node's fabric once, so a node's fabric serves its whole ring.
    """
    inside = link_between(gpu, gpus_per_node).training_bytes_per_s if gpus_per_node > 1 else None
    if nodes == 1:
        return inside if inside is not None else float("inf")
    fast = gpu.nvlink_gb_s > 0
    fabric = NVLINK_NODE_FABRIC_BYTES_PER_S if fast else PCIE_NODE_FABRIC_BYTES_PER_S
    return min(fabric, inside) if inside is not None else fabric


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes that each GPU moves, before the factor (n-1)/n."""

    per_micro_step: float
    per_optimizer_step: float


def traffic(card: ModelCard, method: str, strategy: str) -> Traffic:
    """What a strategy sends.

    zero-3 gathers the weights forward and backward and scatters gradients in every micro-step;
    ddp and zero-1 reduce the gradients (and gather the weights) once per optimizer step, so
    accumulation pays off for them only. Adapters send their own gradients; the frozen base only
    moves when it is divided.

    Source: Rajbhandari et al. 2020, arXiv:1910.02054, section 7.
    """
    adapters = method in ("lora", "qlora")
    trained = 2.0 * (adapter_params(card) if adapters else card.params_total_b * 1e9)
    if strategy != "zero-3":
        return Traffic(0.0, 2.0 * trained)
    if adapters:
        base = weights_bytes(card, "nf4" if method == "qlora" else "bf16")
        return Traffic(2.0 * base + 3.0 * trained, 0.0)
    return Traffic(3.0 * trained, 0.0)


@dataclass(frozen=True, slots=True)
class GangSpeed:
    """A gang's throughput and the utilisation that it comes to."""

    tokens_per_s: float
    mfu: float


def gang_speed(
    card: ModelCard,
    method: str,
    strategy: str,
    gpu: Accelerator,
    gpus_per_node: int,
    nodes: int,
    *,
    sequence_tokens: int,
    micro_batch: int,
    accumulation: int,
) -> GangSpeed | None:
    """Tokens per second of all GPUs together, or None where the matrix rate is unknown.

    One optimizer step takes `accumulation` micro-steps of arithmetic and of `zero-3` traffic, and
    one synchronisation. Part of the traffic runs behind the arithmetic (`HIDDEN_ON_NVLINK`).
    """
    if gpu.fp16_tflops is None:
        return None
    gpus = gpus_per_node * nodes
    micro_tokens = float(sequence_tokens * micro_batch)
    flops = flops_per_token(card, method, sequence_tokens)
    rate = gpu.fp16_tflops * 1e12
    arithmetic = micro_tokens * flops / (rate * single_card_mfu(gpu, method, micro_tokens))
    sent = traffic(card, method, strategy)
    step = accumulation * (arithmetic + _exposed_s(sent.per_micro_step, gpu, gpus_per_node, nodes))
    step += _exposed_s(sent.per_optimizer_step, gpu, gpus_per_node, nodes)
    tokens_per_s = gpus * accumulation * micro_tokens / step
    return GangSpeed(tokens_per_s, tokens_per_s * flops / (gpus * rate))


def _exposed_s(sent_bytes: float, gpu: Accelerator, gpus_per_node: int, nodes: int) -> float:
    """Seconds the arithmetic waits for `sent_bytes` x (n-1)/n of one GPU."""
    gpus = gpus_per_node * nodes
    if gpus == 1 or sent_bytes == 0.0:
        return 0.0
    moving = sent_bytes * (gpus - 1) / gpus / gang_bytes_per_s(gpu, gpus_per_node, nodes)
    waiting = FABRIC_LATENCY_S if nodes > 1 else 0.0
    hidden = HIDDEN_ON_NVLINK if gpu.nvlink_gb_s > 0 else HIDDEN_ON_PCIE
    return moving * (1.0 - hidden) + waiting


def relative_training_speed(
    reference_gpu: str,
    gpu: str,
    gpus_per_node: int,
    nodes: int,
    *,
    accumulation: int = REFERENCE_ACCUMULATION,
    micro_step_tokens: int = REFERENCE_MICRO_STEP_TOKENS,
) -> float | None:
    """Hours of one reference GPU that the gang delivers per hour; None if a rate is unknown.

    For work stated in GPU-hours, where the model is not: a dense model that fits one card, its
    gradients synchronised every `accumulation` micro-steps of `micro_step_tokens`. The model's
    size cancels out: arithmetic and traffic both grow with it. With ``accumulation=1`` and short
    micro-steps two RTX 4090 fall below one, as some report; with the defaults they do not.
    """
    wanted, reference = accelerators()[gpu], accelerators()[reference_gpu]
    if wanted.fp16_tflops is None or reference.fp16_tflops is None:
        return None
    own = wanted.fp16_tflops * hardware_class(wanted).train_full
    base = reference.fp16_tflops * hardware_class(reference).train_full
    gpus = gpus_per_node * nodes
    params = 1e9  # any: it cancels, but for the fabric's latency
    arithmetic = accumulation * micro_step_tokens * 6.0 * params / (own * 1e12)
    exposed = _exposed_s(2.0 * 2.0 * params, wanted, gpus_per_node, nodes)
    return gpus * own / base * arithmetic / (arithmetic + exposed)
