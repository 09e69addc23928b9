"""What the constants of training are before any measurement. Each value comes with its unit, its
spread in logarithms, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prior:
    """What a constant is before any measurement, and how sure of it: ln(value) +- `spread`."""

    value: float
    spread: float
    unit: str
    basis: str


SPEED = {
    "gemm a100": Prior(0.75, 0.05, "share of dense 16-bit rate", "271 of 312 TFLOPS reached"),
    "gemm h100": Prior(0.65, 0.10, "share of dense 16-bit rate", "at most 794 of 989 TFLOPS"),
    "gemm h100-limited": Prior(0.55, 0.15, "share of dense 16-bit rate", "H100 at 500 W"),
    "gemm b200": Prior(0.62, 0.15, "share of dense 16-bit rate", "as H100"),
    "gemm h20": Prior(0.90, 0.10, "share of dense 16-bit rate", "compute cut, power left"),
    "gemm geforce": Prior(0.85, 0.07, "share of dense 16-bit rate", "clocks above nominal boost"),
    "gemm rtx-pro": Prior(0.80, 0.12, "share of dense 16-bit rate", "600 W for the chip"),
    "gemm workstation": Prior(0.70, 0.15, "share of dense 16-bit rate", "power bound"),
    "gemm metal": Prior(0.60, 0.30, "share of dense 16-bit rate", "assumed"),
    "gemm rocm": Prior(0.45, 0.20, "share of dense 16-bit rate", "assumed"),
    "gemm other": Prior(0.60, 0.20, "share of dense 16-bit rate", "assumed"),
    "gemm hf": Prior(0.90, 0.10, "factor", "of native"),
    "gemm native": Prior(1.0, 0.001, "factor", "the reference"),
    "gemm tuned": Prior(1.25, 0.10, "factor", "of native"),
    "gemm experts": Prior(0.6, 0.2, "factor", "small multiplications, uneven experts; assumed"),
    "attention ampere": Prior(0.55, 0.15, "share of dense 16-bit rate", "flash attention 2"),
    "attention hopper": Prior(0.38, 0.15, "share of dense 16-bit rate", "flash attention 2"),
    "attention flash 2": Prior(1.0, 0.001, "factor", "the reference"),
    "attention older": Prior(0.5, 0.2, "factor", "flash attention 2 is twice as fast as 1"),
    "fp8": Prior(0.85, 0.10, "of twice the 16-bit rate", "scaling and casts"),
    "stream hf": Prior(4.0, 0.3, "passes per kept value", "eager kernels"),
    "stream native": Prior(2.5, 0.3, "passes per kept value", "fused kernels"),
    "stream tuned": Prior(1.5, 0.3, "passes per kept value", "hand-fused kernels"),
    "dequantise": Prior(2.0, 0.4, "passes over the weights", "bitsandbytes, GPTQ"),
    "launch hf": Prior(1.8e-3, 0.3, "s per layer and pass", "Python and kernel launch"),
    "launch native": Prior(0.3e-3, 0.4, "s per layer and pass", "CUDA graphs or compile"),
    "launch tuned": Prior(0.1e-3, 0.4, "s per layer and pass", "C++"),
    "link nvlink": Prior(0.75, 0.15, "share of one direction", "NCCL large messages"),
    "link pcie-p2p": Prior(0.55, 0.2, "share of one direction", "shared root complex"),
    "link pcie-host": Prior(0.25, 0.25, "share of one direction", "every byte through the host"),
    "fabric": Prior(0.75, 0.2, "share of line rate", "NCCL over RDMA"),
    "host": Prior(0.70, 0.1, "share of one direction", "pinned copies"),
    "hidden": Prior(0.90, 0.15, "of the arithmetic that can hide traffic", "FSDP prefetch"),
    "tensor hidden": Prior(0.30, 0.3, "share of traffic", "little overlap in tensor parallelism"),
    "straggling": Prior(0.01, 0.5, "of the time per doubling of nodes", "slowest of many"),
}

MEMORY = {
    "memory layer hf": Prior(0.9, 0.1, "of the kept values", "counted"),
    "memory layer native": Prior(0.9, 0.1, "of the kept values", "counted"),
    "memory layer tuned": Prior(0.7, 0.2, "of the kept values", "fused kernels keep less"),
    "memory logits hf": Prior(
        16.0, 0.03, "bytes per token and entry", "16 and 32 bits, shifted copy, and gradients"
    ),
    "memory logits native": Prior(10.0, 0.15, "bytes per token and entry", "16, 32 and 32 bit"),
    "memory logits tuned": Prior(4.0, 0.3, "bytes per token and entry", "fused loss"),
    "memory working": Prior(1.0, 0.2, "layers", "the layer that is computed again"),
    "memory context": Prior(1.5, 0.15, "GB", "CUDA, cuBLAS, libraries"),
    "memory fragments": Prior(0.12, 0.2, "of activations", "allocator"),
    "memory peers": Prior(2.0, 0.2, "GB", "NCCL buffers, buckets of gradients"),
}
