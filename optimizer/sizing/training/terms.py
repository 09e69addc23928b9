"""The arithmetic, traffic and waiting of one optimizer step, before any fitted constant."""

from __future__ import annotations

import math
from dataclasses import dataclass

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import FP8_SPEEDUP_WITH_UNITS
from optimizer.sizing.memory import weights_bytes
from optimizer.sizing.training.setup import (
    Gang,
    Setup,
    layer_values,
    trained_params,
)

FABRIC_LATENCY_S = 60e-6
"""Of one message between nodes."""
STEP_BYTES = {"adamw": 28.0, "adamw-bf16": 14.0, "adamw-8bit": 10.0, "sgd": 6.0}
"""Read and written per trained parameter by the optimizer: states, gradient, weight."""
HOST_BYTES_PER_S = 100e9
"""Of a node's host memory, for the optimizer and for copies of all GPUs together; assumed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Nominal seconds on one GPU, and counts; per micro-step unless said otherwise."""

    gemm_s: float
    """Large multiplications at the dense 16-bit rate."""
    gemm8_s: float
    """The same at twice that rate: what runs in FP8."""
    attention_s: float
    """Scores and their product with the values, causal, at the dense 16-bit rate."""
    stream_s: float
    """Reading once what a layer keeps, per pass, at the nominal bandwidth."""
    dequantise_s: float
    """Reading 4-bit weights and writing 16-bit ones, per pass, at the nominal bandwidth."""
    launches: float
    """Layers times passes."""
    tensor_s: float
    """All-reduces of tensor and context parallelism at the nominal link."""
    gather_s: float
    """Weights gathered and gradients scattered inside a node, at the nominal link."""
    gather_fabric_s: float
    """The same between nodes."""
    host_s: float
    """Weights and gradients over the link to the host."""
    reduce_s: float
    """Gradients and weights, once per optimizer step, inside a node."""
    reduce_fabric_s: float
    """The same between nodes."""
    step_s: float
    """The optimizer, once per optimizer step."""
    accumulation: float
    bubble: float
    """Idle share of a pipeline, on top of its work."""
    doublings: float
    """Of the number of nodes, from one."""


def passes(setup: Setup) -> float:
    """Forward passes that the multiplications of one micro-step cost.

    Forward 1, gradients of activations 1, gradients of weights 1, which frozen weights do
    without; and what is recomputed.
    """
    recomputed = {"none": 0.0, "selective": 0.1, "full": 1.0}[setup.checkpointing]
    return (2.0 if setup.adapters else 3.0) + recomputed


def model_flops_per_token(card: ModelCard, setup: Setup) -> float:
    """Arithmetic of one trained token, recomputation not counted: what MFU counts.

    6N, or 4N for adapters, and causal attention. Source: Kaplan et al. 2020, arXiv:2001.08361;
    Chowdhery et al. 2022, arXiv:2204.02311, appendix B.
    """
    attention = 2.0 * card.layers * card.heads * card.head_dim * setup.sequence_tokens
    return (2.0 if setup.adapters else 3.0) * (2.0 * card.params_active_b * 1e9 + attention)


def step_terms(card: ModelCard, setup: Setup, gang: Gang) -> Terms | None:
    """Terms of one optimizer step; None where the card's rates are not known."""
    gpu, tokens = gang.gpu, setup.local_tokens
    if gpu.fp16_tflops is None or gpu.bandwidth_gb_s is None:
        return None
    rate, bandwidth = gpu.fp16_tflops * 1e12, gpu.bandwidth_gb_s * 1e9
    split = setup.tensor_parallel * setup.pipeline_parallel
    times = passes(setup)
    lookup_b = 0.0 if card.tied_embeddings else card.params_embedding_b
    head_b = card.params_lm_head_b or card.params_embedding_b
    body = 2.0 * (card.params_active_b - lookup_b - head_b) * 1e9 * tokens * times / split
    head = 2.0 * head_b * 1e9 * tokens * times / setup.tensor_parallel
    head /= setup.pipeline_parallel  # the other stages get more layers
    eighth = setup.precision == "fp8" and gpu.fp8_tflops is not None
    width = card.heads * card.head_dim
    recomputed = 1.0 if setup.checkpointing == "full" else 0.0
    # Forward 1; backward 2.5, as flash attention computes the scores again.
    attention = 2.0 * card.layers * width * setup.sequence_tokens * tokens
    attention *= (3.5 + recomputed) / split
    kept = card.layers * layer_values(card) + card.vocab * 2.0
    again = {"none": 0.0, "selective": 0.6, "full": 1.0}[setup.checkpointing]
    stream = 2.0 * kept * tokens * (3.0 + again) / split
    dequantise = 0.0
    if setup.method == "qlora":
        dequantise = (2.0 + 0.56) * card.params_linear_b * 1e9 * times / split
    layers = card.layers / setup.pipeline_parallel
    return Terms(
        gemm_s=((0.0 if eighth else body) + head) / rate,
        gemm8_s=(body / rate / FP8_SPEEDUP_WITH_UNITS) if eighth else 0.0,
        attention_s=attention / rate,
        stream_s=stream / bandwidth,
        dequantise_s=dequantise / bandwidth,
        launches=layers * times,
        tensor_s=_tensor_s(card, setup, gang),
        accumulation=float(setup.accumulation),
        bubble=_bubble(setup),
        doublings=math.log2(gang.nodes),
        **_exchange(card, setup, gang),
    )


def _bubble(setup: Setup) -> float:
    """Source: Narayanan et al. 2021, arXiv:2104.04473, section 2.2."""
    stages = setup.pipeline_parallel
    return (stages - 1) / (setup.accumulation * setup.virtual_stages)


def nominal_link(gang: Gang) -> float:
    """Bytes per second, one direction, of the link that a GPU reaches its neighbours by."""
    if gang.gpu.nvlink_gb_s > 0:
        return gang.gpu.nvlink_gb_s * 1e9 / 2
    return host_link(gang)


def host_link(gang: Gang) -> float:
    own = gang.gpu.host_link_gb_s if gang.host_link_gb_s is None else gang.host_link_gb_s
    return (own or 31.5) * 1e9


def _shared_host_link(gang: Gang) -> float:
    return min(host_link(gang), HOST_BYTES_PER_S / gang.gpus_per_node)


def _ring(gpus: float) -> float:
    return (gpus - 1) / gpus


def _tensor_s(card: ModelCard, setup: Setup, gang: Gang) -> float:
    """Two all-reduces of a layer's output forward, two backward, two more when recomputed; and
    keys and values handed round a ring under context parallelism.

    Source: Shoeybi et al. 2019, arXiv:1909.08053; Liu et al. 2023, arXiv:2310.01889.
    """
    layers, tokens = card.layers / setup.pipeline_parallel, setup.local_tokens
    again = 1.0 if setup.checkpointing == "full" else 0.0
    moved = 0.0
    if setup.tensor_parallel > 1:
        each = 2.0 * tokens * card.hidden * 2.0 * _ring(setup.tensor_parallel)
        moved += (4.0 + 2.0 * again) * layers * each
    if setup.context_parallel > 1:
        each = 2.0 * tokens * 2.0 * card.kv_heads * card.head_dim / setup.tensor_parallel
        moved += (3.0 + again) * layers * each * (setup.context_parallel - 1)
    return moved / nominal_link(gang)


def _exchange(card: ModelCard, setup: Setup, gang: Gang) -> dict[str, float]:
    """Seconds of weights, gradients and states on their way.

    zero-3 gathers the weights forward and backward and scatters gradients in every micro-step;
    the others reduce gradients once per optimizer step, and zero-1 and -2 gather the weights
    then. Source: Rajbhandari et al. 2020, arXiv:1910.02054, section 7.
    """
    split = setup.tensor_parallel * setup.pipeline_parallel
    replicas = max(1, gang.gpus // split)  # ranks of a context-parallel group count too
    inside = max(1, min(replicas, gang.gpus_per_node // min(gang.gpus_per_node, split)))
    outside = max(1, round(replicas / inside))
    link, fabric = nominal_link(gang), gang.fabric_bytes_per_s
    trained = trained_params(card, setup) / split
    base = weights_bytes(card, setup.base if setup.method == "qlora" else "bf16") / split
    weights = base + 2.0 * trained if setup.adapters else base
    gradients = 2.0 * trained
    gather = gather_fabric = reduce = reduce_fabric = 0.0
    share = gang.gpus_per_node / inside  # replicas' parts that leave one node at once
    if setup.strategy in ("zero-3", "hsdp"):
        moved = 2.0 * weights + gradients
        gather = moved * _ring(inside) / link
        if setup.strategy == "zero-3":
            gather_fabric = moved * share * _ring(outside) / fabric
        else:
            reduce_fabric = 2.0 * gradients * share * _ring(outside) / fabric
    elif replicas > 1:
        moved = 2.0 * gradients
        reduce = moved * _ring(inside) / link
        reduce_fabric = moved * share * _ring(outside) / fabric
        reduce_fabric += FABRIC_LATENCY_S if outside > 1 else 0.0
    divided = 1.0
    if setup.strategy != "ddp":
        divided = inside if setup.strategy == "hsdp" else replicas
    updated = trained * STEP_BYTES[setup.optimizer] / divided
    bandwidth = (gang.gpu.bandwidth_gb_s or 1.0) * 1e9
    host = step = 0.0
    if setup.offload == "none":
        step = updated / bandwidth
    else:
        each = trained / divided
        step = updated * gang.gpus_per_node / HOST_BYTES_PER_S
        step += 4.0 * each / _shared_host_link(gang)
        if setup.step_in_backward:
            host, step = step, 0.0
    if setup.offload == "all":
        kept = weights / (divided if setup.strategy in ("zero-3", "hsdp") else 1.0)
        host += (2.0 * kept + gradients / divided) / _shared_host_link(gang)
    return {
        "gather_s": gather,
        "gather_fabric_s": gather_fabric,
        "host_s": host,
        "reduce_s": reduce,
        "reduce_fabric_s": reduce_fabric,
        "step_s": step,
    }
