"""Speed of inference: a roofline per step, engine overheads, and what the links between GPUs cost.

A decode step streams the weights once and every running sequence's cache once; a prefill is
bound by the matrix rate. Source of the form: Pope et al. 2022, "Efficiently Scaling Transformer
Inference", arXiv:2211.05102. How much of the nominal rates is reached: `optimizer.sizing.rates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import ENGINES
from optimizer.sizing.memory import kv_cache_bytes_per_token, replicated_kv_factor
from optimizer.sizing.rates import RATES, factors, fitted, generation
from optimizer.sizing.weights import weights
from providers.hardware import Accelerator


@dataclass(frozen=True, slots=True)
class Work:
    """What a case asks of the nominal hardware: seconds at 100 % of its rates.

    Like `InferenceSpeed` it holds numbers, or NumPy arrays of them with one entry a case.
    """

    weight_stream_s: float
    """All weights through memory once, on every GPU of the replica in parallel."""
    expert_share: float
    """Of the weights that are routed experts; 0 for dense models."""
    expert_missed: float
    """Chance that a token leaves an expert alone: 1 - k/E; 1 for dense models."""
    kv_s_per_token: float
    """One cached token of one sequence, read once."""
    flop_s_per_token: float
    """Arithmetic of one token, attention left out."""
    attention_s_per_token_pair: float
    """Arithmetic of attention, per new token and token before it, in a prefill."""
    layers: float
    reduces: float
    """All-reduces per pass: two a layer under tensor parallelism."""
    reduce_s_per_token: float
    """Bytes of one token's all-reduce at the link's nominal rate."""


@dataclass(frozen=True, slots=True)
class InferenceSpeed:
    """Times of one replica: a model at a precision, on an engine, on `gpus` of one kind.

    Its methods are plain arithmetic, which takes numbers and NumPy arrays alike.
    """

    weight_stream_s: float
    expert_share: float
    expert_missed: float
    kv_s_per_token: float
    flop_s_per_token: float
    decode_flop_s_per_token: float
    """Slower than in a prefill: few rows a matrix, fewer still an expert."""
    attention_s_per_token_pair: float
    host_s: float
    """Scheduling and launches of one step."""
    sequence_s: float
    """The same, for each running sequence."""
    overlap_loss: float
    """Of the shorter of streaming and arithmetic, what does not hide behind the longer."""
    exposed: float
    """Of the shorter of the GPU's and the host's time, what does not hide behind the longer."""
    prefill_constant_s: float
    reduces: float
    reduce_latency_s: float
    reduce_s_per_token: float
    max_sequences: int

    def step_s(self, sequences: float, context_tokens: float) -> float:
        """One decode step: one new token for each of `sequences`, each `context_tokens` long."""
        streaming = self.weight_stream_s * self._touched(sequences)
        work = _overlap(streaming, self.decode_flop_s_per_token * sequences, self.overlap_loss)
        cache = sequences * context_tokens * self.kv_s_per_token
        gpu = work + cache + self._reduce_s(sequences)
        return _overlap(gpu, self.host_s + self.sequence_s * sequences, self.exposed)

    def prefill_s(self, tokens: float) -> float:
        """Reading one prompt of `tokens`: until its first token."""
        arithmetic = self.flop_s_per_token * tokens
        arithmetic += self.attention_s_per_token_pair * tokens * tokens / 2
        streaming = self.weight_stream_s * self._touched(tokens)
        gpu = _overlap(arithmetic, streaming, self.overlap_loss) + self._reduce_s(tokens)
        return _overlap(gpu, self.host_s, self.exposed) + self.prefill_constant_s

    def token_s(self, sequences: float, prompt_tokens: float, output_tokens: float) -> float:
        """Seconds between two tokens of one user, the prefills of the others included.

        Each of `sequences` users starts a request every `output_tokens` tokens, and its prefill
        holds up the others, not itself: t_step + (sequences - 1) x t_prefill / output_tokens.
        """
        step = self.step_s(sequences, prompt_tokens + output_tokens / 2)
        return step + (sequences - 1) * self.prefill_s(prompt_tokens) / output_tokens

    def output_tokens_per_s(
        self, sequences: float, prompt_tokens: float, output_tokens: float
    ) -> float:
        """Generated tokens of all users together; the time counts every prefill, one's own too.

        Each user repeats a cycle of one prefill and `output_tokens` tokens.
        """
        pace = self.token_s(sequences, prompt_tokens, output_tokens)
        return sequences / (pace + self.prefill_s(prompt_tokens) / output_tokens)

    def ttft_s(self, sequences: float, prompt_tokens: float, output_tokens: float) -> float:
        """Time to first token: the step under way, then the own prefill. No queue."""
        step = self.step_s(sequences, prompt_tokens + output_tokens / 2)
        return step + self.prefill_s(prompt_tokens)

    def _touched(self, tokens: float) -> float:
        """Share of the weights that `tokens` tokens need: 1 - (1 - k/E)^tokens of the experts."""
        missed: float = self.expert_missed**tokens
        return 1.0 - self.expert_share * missed

    def _reduce_s(self, tokens: float) -> float:
        return self.reduces * (self.reduce_latency_s + self.reduce_s_per_token * tokens)


def _overlap(one: float, other: float, loss: float) -> float:
    """The longer of two times, and the share `loss` of the shorter."""
    apart = abs(one - other)
    return (one + other + apart) / 2 + loss * (one + other - apart) / 2


def work(
    card: ModelCard,
    precision: str,
    engine: str,
    gpu: Accelerator,
    gpus: int,
    kv_bytes: int = 2,
) -> Work | None:
    """What the case asks, or None where the card's bandwidth or matrix rate is unknown."""
    if gpu.bandwidth_gb_s is None or gpu.fp16_tflops is None:
        return None
    parallel = gpus if ENGINES[engine].tensor_parallel else 1
    bandwidth = gpu.bandwidth_gb_s * 1e9 * parallel
    rate = gpu.fp16_tflops * 1e12 * parallel
    stored = weights(card, precision)
    read = stored.total
    if stored.head:  # a row of the embedding is read, not the matrix
        read -= stored.embedding
    cache = kv_cache_bytes_per_token(card, kv_bytes) * replicated_kv_factor(card, engine, gpus)
    used, known = card.experts_per_token or 0, card.experts or 0
    unused_b = max(card.params_total_b - card.params_active_b, 0.0)
    routed_b = unused_b / (1 - used / known) if known else 0.0
    shuttled = 2.0 * (parallel - 1) / parallel * card.hidden * 2.0
    link = (gpu.nvlink_gb_s or gpu.host_link_gb_s or 31.5) * 1e9
    return Work(
        weight_stream_s=read / bandwidth,
        expert_share=min(routed_b / card.params_total_b, 1.0),
        expert_missed=1.0 - used / known if known else 1.0,
        kv_s_per_token=cache / bandwidth,
        flop_s_per_token=2.0 * card.params_active_b * 1e9 / rate,
        attention_s_per_token_pair=4.0 * card.layers * card.heads * card.head_dim / rate,
        layers=card.layers,
        reduces=2.0 * card.layers if parallel > 1 else 0.0,
        reduce_s_per_token=shuttled / link,
    )


def reached(asked: Work, rates: Mapping[str, float], max_sequences: int) -> InferenceSpeed:
    """The times of `asked` at the shares of the nominal rates that `rates` gives (see `RATES`)."""
    return InferenceSpeed(
        weight_stream_s=asked.weight_stream_s / rates["stream"],
        expert_share=asked.expert_share,
        expert_missed=asked.expert_missed,
        kv_s_per_token=asked.kv_s_per_token / rates["cache"],
        flop_s_per_token=asked.flop_s_per_token / rates["matrix"],
        decode_flop_s_per_token=asked.flop_s_per_token / rates["decode_matrix"],
        attention_s_per_token_pair=asked.attention_s_per_token_pair / rates["attention"],
        host_s=rates["overhead_s"] + rates["layer_s"] * asked.layers,
        sequence_s=rates["sequence_s"],
        overlap_loss=rates["overlap_loss"],
        exposed=rates["exposed"],
        prefill_constant_s=rates["prefill_s"],
        reduces=asked.reduces,
        reduce_latency_s=rates["reduce_latency_s"],
        reduce_s_per_token=asked.reduce_s_per_token / rates["reduce_rate"],
        max_sequences=max_sequences,
    )


def inference_speed(
    card: ModelCard,
    precision: str,
    engine: str,
    gpu: Accelerator,
    gpus: int,
    *,
    maker: str = "",
) -> InferenceSpeed | None:
    """The speed of one replica, or None where the card's bandwidth or matrix rate is unknown.

    `maker` is the engine's generation (`optimizer.sizing.rates.generation`); empty: the newest.
    """
    asked = work(card, precision, engine, gpu, gpus)
    if asked is None:
        return None
    constants = fitted()
    names = factors(card, precision, engine, gpu, gpus, maker or generation(engine))
    rates = {rate: prod(constants[name] for name in names[rate]) for rate in RATES}
    return reached(asked, rates, ENGINES[engine].max_sequences)
