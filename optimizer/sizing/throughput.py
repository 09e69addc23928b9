"""Speed of inference: a roofline per step, engine overheads, and what the links between GPUs cost.

A decode step streams the weights once and every running sequence's cache once; a prefill is
bound by the matrix rate. Source of the form: Pope et al. 2022, "Efficiently Scaling Transformer
Inference", arXiv:2211.05102; the constants are in `optimizer.sizing.constants`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import (
    CROWDED_LATENCY,
    ENGINES,
    FORMATS,
    FP8_SPEEDUP_WITH_UNITS,
    GGUF_ENGINES,
    NVLINK_600,
    NVLINK_900,
    PCIE_NO_P2P,
    PCIE_P2P,
    SLOW_FORMATS,
    EngineCosts,
    Link,
    class_name,
    hardware_class,
)
from optimizer.sizing.memory import kv_cache_bytes_per_token, replicated_kv_factor, weights_bytes
from providers.hardware import Accelerator

OVERLAP_LOSS = 0.65
"""[fit] Of the shorter of streaming and arithmetic, what does not hide behind the longer."""
KV_BANDWIDTH = 0.86
"""[fit] Of the class's bandwidth that attention over the cache reaches."""
PREFILL_CONSTANT_S = 5e-3
"""[fit] Scheduling and launch of one prefill."""
EXPERT_COMPUTE = 0.18
"""[fit] Of the dense matrix rate that few tokens per expert reach."""


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


@dataclass(frozen=True, slots=True)
class InferenceSpeed:
    """Times of one replica: a model at a precision, on an engine, on `gpus` of one kind.

    Made once by `inference_speed`; its methods are arithmetic.
    """

    weight_stream_s: float
    """All weights through memory once, on every GPU of the replica in parallel."""
    experts: int
    experts_per_token: int
    expert_share: float
    """Of the weights that are routed experts; 0 for dense models."""
    kv_s_per_token: float
    """One cached token of one sequence, read once."""
    flop_s_per_token: float
    """Arithmetic of one token, attention left out."""
    attention_s_per_token_pair: float
    """Arithmetic of attention, per new token and token before it, in a prefill."""
    step_overhead_s: float
    sequence_s: float
    reduces: int
    """All-reduces per pass: two a layer under tensor parallelism."""
    reduce_latency_s: float
    reduce_s_per_token: float
    decode_compute_share: float
    """Of the prefill's matrix rate in a decode step; below 1 for mixtures."""
    max_sequences: int

    def step_s(self, sequences: float, context_tokens: float) -> float:
        """One decode step: one new token for each of `sequences`, each `context_tokens` long."""
        streaming = self.weight_stream_s * self._touched(sequences)
        arithmetic = self.flop_s_per_token * sequences / self.decode_compute_share
        work = max(streaming, arithmetic) + OVERLAP_LOSS * min(streaming, arithmetic)
        cache = sequences * context_tokens * self.kv_s_per_token
        overhead = self.step_overhead_s + self.sequence_s * sequences
        return work + cache + overhead + self._reduce_s(sequences)

    def prefill_s(self, tokens: float) -> float:
        """Reading one prompt of `tokens`: until its first token."""
        arithmetic = self.flop_s_per_token * tokens
        arithmetic += self.attention_s_per_token_pair * tokens * tokens / 2
        streaming = self.weight_stream_s * self._touched(tokens)
        return max(arithmetic, streaming) + PREFILL_CONSTANT_S + self._reduce_s(tokens)

    def token_s(self, sequences: float, prompt_tokens: int, output_tokens: int) -> float:
        """Seconds between two tokens of one user, the prefills of the others included.

        Each of `sequences` users starts a request every `output_tokens` tokens, and its prefill
        holds the others up: t_step + sequences x t_prefill / output_tokens.
        """
        step = self.step_s(sequences, prompt_tokens + output_tokens / 2)
        return step + sequences * self.prefill_s(prompt_tokens) / output_tokens

    def ttft_s(self, sequences: float, prompt_tokens: int, output_tokens: int) -> float:
        """Time to first token: the step under way, then the own prefill. No queue."""
        step = self.step_s(sequences, prompt_tokens + output_tokens / 2)
        return step + self.prefill_s(prompt_tokens)

    def _touched(self, tokens: float) -> float:
        """Share of the weights that `tokens` tokens need: 1 - (1 - k/E)^tokens of the experts."""
        if not self.experts:
            return 1.0
        missed = math.pow(1.0 - self.experts_per_token / self.experts, tokens)
        return 1.0 - self.expert_share * missed

    def _reduce_s(self, tokens: float) -> float:
        return self.reduces * (self.reduce_latency_s + self.reduce_s_per_token * tokens)


def inference_speed(
    card: ModelCard, precision: str, engine: str, gpu: Accelerator, gpus: int
) -> InferenceSpeed | None:
    """The speed of one replica, or None where the card's bandwidth or matrix rate is unknown."""
    if gpu.bandwidth_gb_s is None or gpu.fp16_tflops is None:
        return None
    kind, form, costs = hardware_class(gpu), FORMATS[precision], ENGINES[engine]
    parallel = gpus if costs.tensor_parallel else 1
    bandwidth = gpu.bandwidth_gb_s * 1e9 * kind.bandwidth * parallel
    stream = bandwidth * form.bandwidth_factor
    if form.kind == "int4":
        stream *= kind.int4_bandwidth
    stream *= SLOW_FORMATS.get((engine, form.kind), 1.0)
    if engine in GGUF_ENGINES:
        stream *= kind.gguf_bandwidth
    flops = _flops_per_s(gpu, form.compute_factor, form.kind, costs) * parallel
    read = weights_bytes(card, precision)
    if not card.tied_embeddings:  # a row of the embedding is read, not the matrix
        read -= card.params_embedding_b * 1e9 * form.embedding_bytes
    cache = kv_cache_bytes_per_token(card) * replicated_kv_factor(card, engine, gpus)
    link = link_between(gpu, gpus)
    split = parallel > 1
    shuttled = 2.0 * (gpus - 1) / gpus * card.hidden * 2.0
    expert_b = max(card.params_total_b - card.params_active_b, 0.0)
    k, total = card.experts_per_token or 0, card.experts or 0
    routed_b = expert_b / (1 - k / total) if total else 0.0
    return InferenceSpeed(
        weight_stream_s=read / stream,
        experts=total,
        experts_per_token=k,
        expert_share=min(routed_b / card.params_total_b, 1.0),
        kv_s_per_token=cache * costs.kv_traffic_factor / (bandwidth * KV_BANDWIDTH),
        flop_s_per_token=2.0 * card.params_active_b * 1e9 / flops,
        attention_s_per_token_pair=4.0 * card.layers * card.heads * card.head_dim / flops,
        step_overhead_s=costs.step_s + costs.layer_s * card.layers,
        sequence_s=costs.sequence_s,
        reduces=2 * card.layers if split else 0,
        reduce_latency_s=link.latency_s,
        reduce_s_per_token=shuttled / link.bytes_per_s,
        decode_compute_share=EXPERT_COMPUTE if card.mixture_of_experts else 1.0,
        max_sequences=costs.max_sequences,
    )


def _flops_per_s(gpu: Accelerator, factor: float, kind: str, costs: EngineCosts) -> float:
    rate = (gpu.fp16_tflops or 0.0) * 1e12 * hardware_class(gpu).compute * costs.compute_efficiency
    if kind == "float8" and gpu.fp8_tflops is not None:
        return rate * FP8_SPEEDUP_WITH_UNITS
    return rate * factor
