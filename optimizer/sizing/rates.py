"""Which fitted constants make up each rate of a case: hardware class, engine, format, link.

Every rate is a product of constants of ``data/sizing/inference_constants.csv``, so a card or an
engine that nobody measured takes the product of what is known of its parts. `make calibrate` fits
them.
"""

from __future__ import annotations

import csv
import re
from functools import cache

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import FORMAT_KINDS, GGUF_ENGINES
from providers.bundled import data_path
from providers.hardware import Accelerator

RATES = (
    "stream",
    "cache",
    "matrix",
    "decode_matrix",
    "attention",
    "overhead_s",
    "layer_s",
    "sequence_s",
    "overlap_loss",
    "exposed",
    "prefill_s",
    "reduce_latency_s",
    "reduce_rate",
)
"""What `factors` gives constants for. `stream`, `cache`, `matrix`, `decode_matrix`, `attention`
and `reduce_rate` are shares of a nominal rate; `overlap_loss` and `exposed` shares of a time."""

Names = tuple[str, ...]

SPEED_CLASSES = {
    "a100": ("A100", "A800"),
    "h100": ("H100", "H800", "GH200"),
    "h200": ("H200",),
    "b200": ("B200", "B300", "GB200"),
    "h20": ("H20",),
    "geforce-30": ("RTX3090", "RTX3090Ti"),
    "geforce-40": ("RTX4090", "RTX4090D", "RTX4090-48G", "RTX4090D-48G", "RTX4080S"),
    "geforce-50": ("RTX5090",),
    "workstation-ampere": ("A10", "A10G", "A16", "A40", "A4000", "A5000", "A6000"),
    "workstation-ada": ("L4", "L20", "L40", "L40S", "RTX5000Ada", "RTX6000Ada"),
    "workstation-blackwell": ("RTXPRO6000",),
    "before-ampere": ("P100", "V100", "T4", "RTX2080Ti-22G"),
}
"""Families that reach alike shares of their nominal rates."""

SERVER_CLASSES = ("a100", "h100", "h200", "b200", "h20")
"""Cards with stacked memory: 4-bit and GGUF kernels leave more of their bandwidth unused."""

GENERATIONS = {
    "vllm": (
        ((0, 6), "2024-09-05", "vllm-0"),
        ((0, 8), "2025-03-18", "vllm-0.6"),
        (None, None, "vllm-1"),
    ),
    "tensorrt-llm": (((1, 0), "2025-09-01", "tensorrt-llm-0"), (None, None, "tensorrt-llm-1")),
    "transformers": (
        ((4, 40), "2024-04-18", "transformers-2023"),
        (None, None, "transformers-2024"),
    ),
    "ollama": ((None, None, "llama.cpp"),),
}
"""Engines that changed so much that each generation has constants of its own: the first whose
version or, where that is not stated, day of release lies after. Nothing stated: the newest.
Ollama runs llama.cpp."""


@cache
def fitted() -> dict[str, float]:
    """Value by constant, from ``data/sizing/inference_constants.csv``."""
    with data_path("sizing", "inference_constants.csv").open(encoding="utf-8", newline="") as file:
        return {row["constant"]: float(row["value"]) for row in csv.DictReader(file)}


@cache
def speed_class(card: Accelerator) -> str:
    """The class whose measured shares stand for this card; `other` where nothing does."""
    by_stack = {"metal": "apple", "rocm": "rocm"}
    if card.stack in by_stack:
        return by_stack[card.stack]
    for name, families in SPEED_CLASSES.items():
        if card.family in families or any(card.family == f"{f}-32G" for f in families):
            return name
    return "other"


def generation(engine: str, version: str = "", date: str = "") -> str:
    """The generation of an engine that a version, or else an ISO date, belongs to."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\b.*", version)
    numbers = (int(found[1]), int(found[2])) if found else None
    for limit, released, name in GENERATIONS.get(engine, ((None, None, engine),)):
        if limit is None or released is None:
            return name
        if (numbers < limit) if numbers else (date and date < released):
            return name
    raise AssertionError(f"the generations of {engine} have no last one")


def era(engine: str, day: str) -> str:
    """The generation that was current on an ISO day; empty for today's, or where none is given.

    Measurements of its earlier generations speak for today's, put right by the model's difference.
    """
    found = generation(engine, date=day)
    return "" if found == generation(engine) else found


def link_name(gpu: Accelerator) -> str:
    """nvlink, pcie-p2p or pcie: the path of an all-reduce inside one node."""
    if gpu.nvlink_gb_s > 0:
        return "nvlink"
    return "pcie-p2p" if gpu.p2p else "pcie"


def factors(
    card: ModelCard, precision: str, engine: str, gpu: Accelerator, gpus: int, maker: str
) -> dict[str, Names]:
    """Names of the constants whose product is each of `RATES`; `maker`: see `generation`."""
    kind, form = speed_class(gpu), FORMAT_KINDS[precision]
    if form == "mxfp4":  # assumed: nobody measured it, and its kernels unpack 4 bits alike
        form = "int4"
    runs = f"engine.{maker}"
    group = "server" if kind in SERVER_CLASSES else "apple" if kind == "apple" else "consumer"
    bandwidth: Names = ("hardware.all.bandwidth", f"hardware.{kind}.bandwidth")
    compute: Names = ("hardware.all.compute", f"hardware.{kind}.compute", f"{runs}.compute")
    stream: Names = (*bandwidth, f"{runs}.bandwidth")
    matrix = compute
    layer: Names = (f"{runs}.layer_s",)
    if form != "float16":
        native = form == "float8" and gpu.fp8_tflops is not None
        stream += (f"format.{form}.bandwidth",)
        matrix += (f"format.{form}.native_compute" if native else f"format.{form}.compute",)
        if form in ("int4", "int8"):
            stream += (f"format.{form}.{group}.bandwidth",)
        if engine == "transformers":
            layer += (f"format.{form}.transformers.layer",)
    prefill = matrix
    if engine in GGUF_ENGINES:
        stream += (f"engine.llama.cpp.{group}.bandwidth",)
        # Layers of the next part of a prompt run on one GPU while those of this part do on another.
        doubled = ("two", "four", "eight")
        prefill += tuple(
            f"engine.llama.cpp.{name}.prefill" for n, name in enumerate(doubled) if gpus > 2**n
        )
    cache_rate: Names = (*bandwidth, "cache.bandwidth", f"{runs}.cache")
    decode: Names = (*matrix, "decode.compute")
    if card.mixture_of_experts:
        decode += ("experts.compute",)
        stream += ("experts.bandwidth",)
        if engine == "transformers":
            layer += ("experts.transformers.layer",)
        elif engine not in GGUF_ENGINES:  # whose layers cost many times as much; nobody measured it
            layer += ("experts.fused.layer",)
    link = f"link.{link_name(gpu)}"
    latency: Names = (f"{link}.latency_s",)
    if gpus > 2:
        latency += (f"{link}.four.latency",)
    if gpus > 4:
        latency += (f"{link}.eight.latency",)
    return {
        "stream": stream,
        "cache": cache_rate,
        "matrix": prefill,
        "decode_matrix": decode,
        "attention": (*compute, f"{runs}.attention"),
        "overhead_s": (f"{runs}.step_s",),
        "layer_s": layer,
        "sequence_s": (f"{runs}.sequence_s",),
        "overlap_loss": ("decode.overlap_loss",),
        "exposed": (f"{runs}.exposed",),
        "prefill_s": (f"{runs}.prefill_s",),
        "reduce_latency_s": latency,
        "reduce_rate": (f"{link}.rate",),
    }
