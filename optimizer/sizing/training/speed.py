"""Speed of a training gang: what `terms` counts, at the rates that hardware really reaches."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.model_cards import ModelCard
from optimizer.sizing.training.constants import Constants, constants
from optimizer.sizing.training.setup import Gang, Setup
from optimizer.sizing.training.terms import Terms, model_flops_per_token, step_terms
from providers.hardware import Accelerator


@dataclass(frozen=True, slots=True)
class Rates:
    """The fitted constants that one case is subject to."""

    gemm: float
    attention: float
    fp8: float
    stream: float
    dequantise: float
    launch_s: float
    link: float
    fabric: float
    host: float
    hidden: float
    tensor_hidden: float
    straggling: float


def chip(gpu: Accelerator) -> str:
    """Cards that reach alike shares of their nominal matrix rate."""
    family = gpu.family
    if family in ("A100", "A800"):
        return "a100"
    if family in ("H100", "H800", "H200", "GH200"):
        return "h100-limited" if (gpu.tdp_w or 700.0) <= 500.0 else "h100"
    if family in ("B200", "B300", "GB200"):
        return "b200"
    if family == "H20":
        return "h20"
    if gpu.stack in ("metal", "rocm"):
        return gpu.stack
    if family.startswith("RTXPRO"):
        return "rtx-pro"
    if family.startswith(("RTX2", "RTX3", "RTX4", "RTX5090")):
        return "geforce"
    if gpu.stack == "cuda" and family not in ("P100", "V100", "T4"):
        return "workstation"
    return "other"


def _attention(gpu: Accelerator) -> str:
    """Flash attention 2 was written for Ampere; Hopper and Blackwell run it far below peak."""
    return "hopper" if chip(gpu) in ("h100", "h100-limited", "b200") else "ampere"


def _kernel(setup: Setup) -> str:
    return "flash 2" if setup.flash_attention else "older"


def link_kind(gpu: Accelerator) -> str:
    if gpu.nvlink_gb_s > 0:
        return "nvlink"
    return "pcie-p2p" if gpu.p2p else "pcie-host"


def rate_names(card: ModelCard, setup: Setup, gpu: Accelerator) -> dict[str, tuple[str, ...]]:
    """The constants whose product each rate is."""
    experts = ("gemm experts",) if card.mixture_of_experts else ()
    return {
        "gemm": (f"gemm {chip(gpu)}", f"gemm {setup.stack}", *experts),
        "attention": (f"attention {_attention(gpu)}", f"attention {_kernel(setup)}"),
        "fp8": ("fp8",),
        "stream": (f"stream {setup.stack}",),
        "dequantise": ("dequantise",),
        "launch_s": (f"launch {setup.stack}",),
        "link": (f"link {link_kind(gpu)}",),
        "fabric": ("fabric",),
        "host": ("host",),
        "hidden": ("hidden",),
        "tensor_hidden": ("tensor hidden",),
        "straggling": ("straggling",),
    }


def rates(card: ModelCard, setup: Setup, gpu: Accelerator, known: Constants) -> Rates:
    found = {}
    for name, factors in rate_names(card, setup, gpu).items():
        product = 1.0
        for factor in factors:
            product *= known[factor]
        found[name] = product
    return Rates(**found)


def step_seconds(t: Terms, r: Rates) -> float:
    """Seconds of one optimizer step.

    Multiplications, attention and streaming follow one another on a GPU; launching their kernels
    runs beside them, and the longer of the two counts (a fourth-power mean smooths the change).
    Traffic hides behind the arithmetic as far as `hidden` of it is longer. Every term rises with
    each of its parts, so a faster link or card never slows.
    """
    busy = t.gemm_s / r.gemm + t.gemm8_s / (r.gemm * r.fp8)
    busy = busy + t.attention_s / r.attention
    busy = busy + t.stream_s * r.stream + t.dequantise_s * r.dequantise
    work: float = (busy**4 + (t.launches * r.launch_s) ** 4) ** 0.25
    work = work + (1.0 - r.tensor_hidden) * t.tensor_s / r.link
    moved = t.gather_s / r.link + t.gather_fabric_s / r.fabric + t.host_s / r.host
    micro = (work + _exposed(moved, work, r.hidden)) * (1.0 + t.bubble)
    reduced = t.reduce_s / r.link + t.reduce_fabric_s / r.fabric
    step: float = t.accumulation * micro + _exposed(reduced, work, r.hidden) + 1.25 * t.step_s
    return step * (1.0 + r.straggling * t.doublings)


def _exposed(moved: float, work: float, hidden: float) -> float:
    """Seconds that the arithmetic waits for traffic: a tenth of it, and what does not hide."""
    return moved * (0.1 + 0.9 * moved / (moved + hidden * work))


@dataclass(frozen=True, slots=True)
class GangSpeed:
    """A gang's throughput and the utilisation that it comes to."""

    tokens_per_s: float
    mfu: float


def training_speed(
    card: ModelCard, setup: Setup, gang: Gang, known: Constants | None = None
) -> GangSpeed | None:
    """Tokens per second of all GPUs together, or None where the card's rates are unknown."""
    terms = step_terms(card, setup, gang)
    if terms is None:
        return None
    found = rates(card, setup, gang.gpu, known or constants())
    replicas = max(1, gang.gpus // setup.replica_gpus)
    tokens = replicas * setup.accumulation * setup.micro_batch * setup.sequence_tokens
    tokens_per_s = tokens / step_seconds(terms, found)
    rate = gang.gpus * (gang.gpu.fp16_tflops or 0.0) * 1e12
    return GangSpeed(tokens_per_s, tokens_per_s * model_flops_per_token(card, setup) / rate)
