"""Every constant of the sizing formulas, with its unit and where it comes from.

[fit] marks a value fitted by least squares on the published measurements in ``data/measured``;
the rest is counted from a format, or read in the source named. See docs/sizing.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from optimizer.sizing.formats import weight_formats
from optimizer.sizing.gguf import blocks, gguf_files
from providers.hardware import Accelerator

GB = 1e9
GIB = 2**30

# --- Number formats -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Format:
    """How a precision stores weights, and what that costs in speed."""

    linear_bytes: float
    """Bytes per weight in the linear layers of the blocks, group scales included."""
    embedding_bytes: float
    """Bytes per weight of the embedding and the head."""
    kind: str
    """float16, float8, int8, int4, nf4 or gguf: which efficiency applies."""
    compute_factor: float
    """[fit] Matrix rate against 16-bit weights where the card has no faster unit for the format."""
    bandwidth_factor: float
    """[fit] Share of the bandwidth reached against 16-bit weights."""


_SPEEDS = {
    "float16": (1.0, 1.0),
    # 0.78 is weight-only FP8 on cards without FP8 units.
    "float8": (0.78, 0.92),
    "int8": (0.45, 0.74),
    "int4": (0.71, 0.95),
    "mxfp4": (0.71, 0.95),
    # The kernels of bitsandbytes are launch bound.
    "nf4": (0.30, 0.08),
    "gguf": (0.60, 1.0),
}
"""Compute and bandwidth factor by kind of format; mxfp4 is assumed to be like int4."""

GGUF_ONLY = tuple(gguf_files())

FORMATS = {
    form.id: Format(form.linear_bits / 8, form.embedding_bits / 8, form.kind, *_SPEEDS[form.kind])
    for form in weight_formats().values()
} | {
    name: Format(
        blocks()[row["base"]].bits / 8, blocks()[row["base"]].bits / 8, "gguf", *_SPEEDS["gguf"]
    )
    for name, row in gguf_files().items()
}
"""By id: those of ``data/sizing``. `optimizer.sizing.weights` counts their bytes exactly."""

FP8_SPEEDUP_WITH_UNITS = 2.0
"""FP8 against 16-bit matrix rate on cards that have FP8 units (Hopper and later, Ada)."""

# --- Engines ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Engine:
    """How an engine splits a model and admits requests. Its costs: ``data/sizing``."""

    tensor_parallel: bool
    """Splits every layer over the GPUs; else whole layers, one GPU works at a time."""
    max_sequences: int
    """Most sequences that run at once; the engine's default."""


ENGINES = {
    "vllm": Engine(True, 256),
    "sglang": Engine(True, 256),
    "tensorrt-llm": Engine(True, 256),
    "lmdeploy": Engine(True, 128),
    # Ollama answers few requests at once and queues the rest: two, in the founding experience.
    "ollama": Engine(False, 2),
    "llama.cpp": Engine(False, 4),
    # No continuous batching: a static batch, of a size that people use.
    "transformers": Engine(False, 8),
    # No servers of their own, or no longer kept: for reading published measurements.
    "autoawq": Engine(False, 8),
    "exllama": Engine(False, 8),
    "mlc-llm": Engine(True, 8),
    "gpt-fast": Engine(True, 1),
    "deepspeed-mii": Engine(True, 256),
}

GGUF_ENGINES = ("ollama", "llama.cpp")

BEFORE_AMPERE = ("P100", "V100", "T4", "RTX2080Ti-22G")
"""Families without 16-bit brain floats; vLLM and the like refuse bf16 and fp8 there."""
BEFORE_VOLTA = ("P100",)
"""Families below compute capability 7.0, which tensor-parallel engines do not support."""

# --- Memory -------------------------------------------------------------------------------------

UNIFIED_SHARE = 0.75
"""Of unified memory that macOS lets the GPU hold by default."""
TRAINING_SHARE = 0.95
TRAINING_BYTES_PER_GPU = 1.0 * GB
"""CUDA context, communication buffers and allocator fragments of a training process."""

ADAM_MIXED_BYTES = (2.0, 2.0, 12.0)
"""Per trained parameter: 16-bit weight, 16-bit gradient, 32-bit weight and two moments
(Rajbhandari et al. 2020, ZeRO, arXiv:1910.02054)."""
LORA_RANK = 16
"""Of the adapters on all linear layers; assumed."""
LOGIT_BYTES = 6.0
"""Per token and vocabulary entry in training: 16-bit logits and a 32-bit copy."""
LAYER_WORKING_BYTES = 34.0
"""Per token and hidden value inside one layer without recomputation
(Korthikanti et al. 2022, arXiv:2205.05198, with fused attention)."""

# --- Hardware classes ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HardwareClass:
    """How much of the nominal rates a kind of card reaches. All [fit]."""

    bandwidth: float
    """Of the nominal bandwidth, while weights stream."""
    compute: float
    """Of the dense 16-bit rate (FP32 accumulate), before the engine's own factor. Above 1 for
    GeForce, whose real clocks exceed the nominal boost."""
    int4_bandwidth: float
    """Further factor for 4-bit integer weights."""
    gguf_bandwidth: float
    """Further factor under llama.cpp and Ollama."""
    train_full: float
    """Model FLOPs utilisation of one card (6N per token): pretraining, full fine-tuning."""
    train_adapter: float
    """The same for LoRA and QLoRA (4N per token)."""


CLASSES = {
    "geforce": HardwareClass(0.96, 1.2, 1.0, 0.92, 0.54, 0.42),
    "workstation": HardwareClass(0.92, 0.64, 1.0, 0.92, 0.45, 0.36),
    "blackwell-workstation": HardwareClass(0.92, 0.80, 1.0, 0.92, 0.60, 0.35),
    "a100": HardwareClass(0.83, 0.69, 0.74, 0.60, 0.53, 0.31),
    "h100": HardwareClass(0.96, 0.52, 0.74, 0.60, 0.44, 0.27),
    "h20": HardwareClass(0.44, 1.0, 0.85, 0.85, 0.60, 0.40),
    "apple-max": HardwareClass(0.78, 0.9, 1.0, 0.95, 0.20, 0.15),
    "apple-ultra": HardwareClass(0.74, 0.95, 1.0, 0.95, 0.20, 0.15),
    # vLLM of 2024 on ROCm; an immature stack, not to be carried to other years.
    "rocm": HardwareClass(0.35, 0.10, 0.8, 0.6, 0.30, 0.20),
    # Nothing measured: older data-centre cards, domestic and other accelerators.
    "other": HardwareClass(0.65, 0.45, 0.8, 0.6, 0.35, 0.22),
}

_A100 = ("A100", "A800")
_H100 = ("H100", "H800", "H200", "GH200", "B200", "B300", "GB200")


@cache
def hardware_class(card: Accelerator) -> HardwareClass:
    """The class whose measured efficiencies stand for this card."""
    return CLASSES[class_name(card)]


def class_name(card: Accelerator) -> str:
    family = card.family
    if family in _A100:
        return "a100"
    if family in _H100:
        return "h100"
    if family == "H20":
        return "h20"
    if card.stack == "metal":
        return "apple-ultra" if "Ultra" in family else "apple-max"
    if card.stack == "rocm":
        return "rocm"
    if family == "RTXPRO6000":
        return "blackwell-workstation"
    if family.startswith(("RTX3", "RTX4", "RTX5090", "RTX2")):
        return "geforce"
    if family in ("A10", "A10G", "A40", "A5000", "A6000", "A4000") or family.startswith(
        ("L", "RTX5000Ada", "RTX6000Ada")
    ):
        return "workstation"
    return "other"


# --- Links --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """Cost of an all-reduce between the GPUs of one node: alpha + 2(n-1)/n x bytes / rate."""

    latency_s: float
    bytes_per_s: float
    """In situ, small and middling messages of tensor parallelism."""
    training_bytes_per_s: float
    """Large messages of FSDP and DDP, under load."""
    name: str


NVLINK_600 = Link(25e-6, 160e9, 200e9, "NVLink")
"""A100 SXM, profiles of Vidur: 21-37 us, 142-174 GB/s; training [fit]."""
NVLINK_900 = Link(25e-6, 380e9, 300e9, "NVLink")
"""H100 SXM: 10-38 us, 370-410 GB/s."""
PCIE_P2P = Link(40e-6, 24e9, 16e9, "PCIe with peer-to-peer")
"""A100 PCIe node: 26-59 us, 24 GB/s (Vidur, four cards)."""
PCIE_NO_P2P = Link(45e-6, 5e9, 5e9, "PCIe without peer-to-peer")
"""GeForce with the stock driver: every byte goes through host memory. [fit] 5 GB/s in situ at
two cards; NCCL's peak is 12 GB/s."""
CROWDED_LATENCY = {1: 1.0, 2: 1.0, 4: 2.0, 8: 3.0}
"""Times the latency of PCIe without peer-to-peer, by GPU count."""

NVLINK_NODE_FABRIC_BYTES_PER_S = 400e9 / 8 * 0.85
"""Assumed between nodes with NVLink: 400 Gb/s a node at 85 % of line rate."""
PCIE_NODE_FABRIC_BYTES_PER_S = 25e9 / 8 * 0.85
"""Assumed between PCIe nodes: 25 Gb/s Ethernet."""
FABRIC_LATENCY_S = 60e-6

# --- Training -----------------------------------------------------------------------------------

HIDDEN_ON_NVLINK = 0.70
"""[fit] Share of the traffic that runs behind the arithmetic, in nodes with NVLink."""
HIDDEN_ON_PCIE = 0.40
"""[fit] The same over PCIe, where copies through the host compete with the arithmetic."""
SEQUENCE_SATURATION_TOKENS = 600.0
"""[fit] Tokens of a micro-step at which half of the utilisation is reached."""
REFERENCE_MICRO_STEP_TOKENS = 4096
"""Tokens per GPU and micro-step that `relative_training_speed` assumes."""
REFERENCE_ACCUMULATION = 8
"""Micro-steps between gradient synchronisations that it assumes: the schedule's default."""
