"""What is believed of every constant before a measurement is seen.

A constant with few rows stays near its prior; one with none is its prior. Each is a factor or a
time above 0, believed to lie within a factor exp(spread) of its prior two times out of three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from optimizer.sizing.rates import SPEED_CLASSES

ENGINES = {
    # step ms, layer ms, sequence ms, compute, exposed: orders of magnitude from the designs:
    # eager Python launches every kernel, CUDA graphs one a step, C++ servers schedule cheaply.
    "vllm-0": (2.0, 0.15, 0.06, 1.0, 0.8),
    "vllm-0.6": (2.5, 0.03, 0.05, 0.9, 0.8),
    "vllm-1": (1.5, 0.02, 0.03, 0.9, 0.8),
    "sglang": (0.8, 0.04, 0.03, 0.8, 0.8),
    "tensorrt-llm-0": (0.6, 0.03, 0.02, 1.1, 0.8),
    "tensorrt-llm-1": (0.6, 0.03, 0.02, 1.1, 0.8),
    "lmdeploy": (0.6, 0.04, 0.03, 0.9, 0.8),
    "llama.cpp": (0.5, 0.08, 0.10, 0.8, 0.8),
    "transformers-2023": (5.0, 0.60, 0.05, 0.6, 0.4),
    "transformers-2024": (5.0, 0.60, 0.05, 0.6, 0.4),
    "autoawq": (1.0, 0.08, 0.05, 0.6, 0.8),
    "exllama": (0.6, 0.05, 0.05, 0.7, 0.8),
    "mlc-llm": (0.8, 0.03, 0.05, 0.8, 0.8),
    "gpt-fast": (0.4, 0.02, 0.05, 0.8, 0.8),
    "deepspeed-mii": (2.0, 0.15, 0.06, 0.8, 0.8),
}

HARDWARE = {
    # bandwidth and compute against the mean of all classes, and how sure that is.
    "a100": (1.0, 1.15, 0.10),
    "h100": (1.0, 0.85, 0.10),
    "h200": (1.0, 0.85, 0.10),
    "b200": (0.95, 0.75, 0.15),
    "h20": (0.85, 1.4, 0.15),
    "geforce-30": (1.1, 1.4, 0.10),
    "geforce-40": (1.1, 1.4, 0.10),
    "geforce-50": (1.05, 1.3, 0.10),
    "workstation-ampere": (1.05, 1.1, 0.10),
    "workstation-ada": (1.05, 1.1, 0.10),
    "workstation-blackwell": (1.05, 1.0, 0.10),
    "before-ampere": (0.95, 0.9, 0.15),
    "apple": (0.95, 1.3, 0.10),
    "rocm": (0.75, 0.6, 0.20),
    "other": (0.85, 0.8, 0.20),
}


@dataclass(frozen=True, slots=True)
class Prior:
    """One constant before the fit."""

    constant: str
    value: float
    spread: float
    """Of its logarithm."""
    unit: str
    basis: str


def priors() -> tuple[Prior, ...]:
    """Every constant that `optimizer.sizing.rates.factors` may name, each once."""
    return tuple(_all())


def _all() -> Iterator[Prior]:
    share, factor, time = "share of nominal", "factor", "s"
    yield Prior("hardware.all.bandwidth", 0.80, 0.15, share, "streaming kernels reach 70-90 %")
    yield Prior("hardware.all.compute", 0.60, 0.25, share, "large matrix products reach 50-80 %")
    assert set(SPEED_CLASSES) | {"apple", "rocm", "other"} == set(HARDWARE)
    for kind, (bandwidth, compute, spread) in HARDWARE.items():
        basis = "against the mean of all cards"
        yield Prior(f"hardware.{kind}.bandwidth", bandwidth, spread, factor, basis)
        yield Prior(f"hardware.{kind}.compute", compute, 2 * spread, factor, basis)
    for engine, (step, layer, sequence, compute, exposed) in ENGINES.items():
        name = f"engine.{engine}"
        yield Prior(f"{name}.step_s", step / 1000, 0.5, time, "one decode step, any model")
        yield Prior(f"{name}.layer_s", layer / 1000, 0.5, time, "one decode step, per layer")
        yield Prior(f"{name}.sequence_s", sequence / 1000, 0.5, time, "one step, per sequence")
        yield Prior(f"{name}.compute", compute, 0.25, factor, "matrix rate against other engines")
        yield Prior(f"{name}.bandwidth", 1.0, 0.08, factor, "bandwidth against other engines")
        yield Prior(f"{name}.attention", 0.5, 0.5, factor, "attention against matrix products")
        cache = 0.5 if engine.startswith("transformers") else 1.0
        yield Prior(f"{name}.cache", cache, 0.35, factor, "cache reads; one half: it is copied")
        yield Prior(f"{name}.exposed", exposed, 0.2, share, "host time not behind the GPU's")
        yield Prior(f"{name}.prefill_s", 0.005, 0.5, time, "a prefill, beyond its arithmetic")
    for name in ("two", "four", "eight"):
        basis = "prefill, against half as many GPUs"
        yield Prior(f"engine.llama.cpp.{name}.prefill", 1.3, 0.3, factor, basis)
    for group in ("server", "consumer", "apple"):
        slow = 0.75 if group == "server" else 1.0
        yield Prior(f"engine.llama.cpp.{group}.bandwidth", slow, 0.15, factor, "its kernels there")
        for form in ("int4", "int8"):
            yield Prior(f"format.{form}.{group}.bandwidth", slow, 0.15, factor, "kernels there")
    for form, bandwidth, compute, layer in (
        ("float8", 0.95, 0.8, 3.0),
        ("int8", 0.90, 0.6, 1.5),
        ("int4", 0.90, 0.75, 1.3),
        ("nf4", 0.30, 0.4, 2.0),
        ("gguf", 0.85, 0.6, 1.0),
    ):
        against = "against 16-bit weights"
        yield Prior(f"format.{form}.bandwidth", bandwidth, 0.2, factor, against)
        yield Prior(f"format.{form}.compute", compute, 0.25, factor, against)
        yield Prior(f"format.{form}.transformers.layer", layer, 0.4, factor, "launches a layer")
    yield Prior("format.float8.native_compute", 1.5, 0.2, factor, "cards with FP8 units")
    yield Prior("cache.bandwidth", 0.85, 0.2, factor, "attention over the cache")
    yield Prior("decode.compute", 0.7, 0.3, factor, "few rows a matrix")
    yield Prior("decode.overlap_loss", 0.5, 0.4, share, "not behind the longer of the two")
    yield Prior("experts.bandwidth", 0.8, 0.2, factor, "experts are many small matrices")
    yield Prior("experts.compute", 0.4, 0.4, factor, "few rows an expert")
    yield Prior("experts.fused.layer", 1.5, 0.4, factor, "routing")
    yield Prior("experts.transformers.layer", 8.0, 0.6, factor, "a loop over the experts")
    for link, latency, rate in (
        ("nvlink", 20e-6, 0.30),  # Vidur: 21-37 us; 142-174 of 600, 370-410 of 900 GB/s
        ("pcie-p2p", 30e-6, 0.60),  # Vidur, pairs and fours: 11-59 us
        ("pcie", 45e-6, 0.20),  # nccl-tests: every byte twice through the host
    ):
        yield Prior(f"link.{link}.latency_s", latency, 0.3, time, "one all-reduce")
        yield Prior(f"link.{link}.rate", rate, 0.3, share, "all-reduce bytes")
        crowd = 1.1 if link == "nvlink" else 1.5
        yield Prior(f"link.{link}.four.latency", crowd, 0.2, factor, "above two GPUs")
        yield Prior(f"link.{link}.eight.latency", crowd, 0.2, factor, "above four GPUs")
