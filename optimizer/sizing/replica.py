"""One replica: what bounds it, and its pace at any number of users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from optimizer.model_cards import ModelCard, model_card
from optimizer.sizing.bands import Band, bands, modelled_basis
from optimizer.sizing.constants import (
    BEFORE_AMPERE,
    BEFORE_VOLTA,
    ENGINES,
    FORMAT_KINDS,
    GB,
    GGUF_ENGINES,
    GGUF_ONLY,
)
from optimizer.sizing.kv_cache import kv_bits
from optimizer.sizing.measured import (
    SAME_USERS,
    Asked,
    InferenceRow,
    Point,
    between,
    index,
    points,
    published,
)
from optimizer.sizing.memory import (
    MemoryBreakdown,
    serving_memory,
    tensor_parallel_fault,
    usable_bytes,
)
from optimizer.sizing.placement import Placement, placement
from optimizer.sizing.reservation import reservations
from optimizer.sizing.results import SpeedAt, Unfit
from optimizer.sizing.throughput import InferenceSpeed, inference_speed
from providers.hardware import Accelerator, accelerators

MODELLED = "roofline with constants fitted to published measurements (docs/sizing.md)"
HOST_BYTES_PER_S = 50e9
"""Assumed: what a desktop's two channels of DDR5 reach."""
METAL_ENGINES = ("ollama", "llama.cpp", "transformers")


@dataclass(frozen=True, slots=True)
class Replica:
    """A model at a precision on an engine and `gpus` GPUs, for one mix of request lengths."""

    card: ModelCard
    precision: str
    engine: str
    gpu: Accelerator
    gpus: int
    prompt_tokens: int
    output_tokens: int
    speed: InferenceSpeed
    lies: Placement
    """On each GPU."""
    host_s: float
    """A step's time in the layers that stay in host memory; 0 without any."""
    measured: tuple[Point, ...]

    @property
    def capacity(self) -> int:
        """Sequences at full length that memory and engine let run at once; at least 1."""
        length = self.prompt_tokens + self.output_tokens
        fitting = self.lies.most_sequences(self.prompt_tokens, length)
        return min(fitting, self.speed.max_sequences)

    @property
    def mean_capacity(self) -> int:
        """The same at mean length: offline work that may be preempted."""
        length = self.prompt_tokens + self.output_tokens / 2
        fitting = self.lies.most_sequences(self.prompt_tokens, length)
        return min(fitting, self.speed.max_sequences)

    def memory(self, users: int) -> MemoryBreakdown:
        return serving_memory(
            self.card,
            self.precision,
            self.engine,
            self.gpu,
            self.gpus,
            users=users,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
            kv_precision=self.lies.kv_precision,
            offload_layers=self.lies.offload_layers,
        )

    def token_s(self, users: float) -> float:
        """Seconds between two tokens of one of `users` running sequences; never falls as they grow.

        Measured concurrencies count where there are any; between two of them the model is bent to
        both; outside, it is held to the nearest of them.
        """
        modelled = self.speed.token_s(users, self.prompt_tokens, self.output_tokens) + self.host_s
        if not self.measured:
            return modelled
        first, last = self.measured[0], self.measured[-1]
        if users <= first.users:
            return first.token_s if users == first.users else min(modelled, first.token_s)
        if users >= last.users:
            return last.token_s if users == last.users else max(modelled, last.token_s)
        above = next(i for i, point in enumerate(self.measured) if point.users >= users)
        return between(self.measured[above - 1], self.measured[above], users, modelled)

    def output_tokens_per_s(self, users: float) -> float:
        """Generated tokens of `users` running sequences together, every prefill's time counted."""
        prefill = self.speed.prefill_s(self.prompt_tokens) / self.output_tokens
        return users / (self.token_s(users) + prefill)

    def ttft_s(self, users: float) -> float:
        return self.speed.ttft_s(users, self.prompt_tokens, self.output_tokens) + self.host_s

    @property
    def admitted(self) -> int:
        """Users answered at once: what memory holds, or was measured to be served."""
        proven = (int(point.users) for point in self.measured if not point.scaled)
        return min(max(self.capacity, *proven, 0), self.speed.max_sequences)

    def at(self, users: int, running: int) -> SpeedAt:
        """The pace `users` see while at most `running` of them are answered at once."""
        together = min(users, running)
        total = self.output_tokens_per_s(together)
        waiting = (users - together) / total * self.output_tokens
        label, provenance, band = self.label(together)
        modelled = self.speed.token_s(together, self.prompt_tokens, self.output_tokens)
        return SpeedAt(
            users=users,
            running=together,
            tokens_per_s_per_user=total / users if waiting else 1.0 / self.token_s(together),
            output_tokens_per_s=total,
            ttft_s=self.ttft_s(together) + waiting,
            label=label,
            provenance=provenance,
            band=band,
            modelled_tokens_per_s_per_user=1.0 / modelled,
        )

    def label(self, users: float) -> tuple[str, str, Band]:
        """What the pace at `users` rests on, by whom, and how far off such figures usually are."""
        nearest = min(self.measured, key=lambda p: abs(p.users - users), default=None)
        if nearest is not None and abs(nearest.users - users) <= SAME_USERS * users:
            if nearest.scaled:
                note = f"scaled by the model from {_cite(nearest.row)}"
                return "interpolated", note, bands()["scaled"]
            return "measured", _cite(nearest.row), bands()["measured"]
        below = [point for point in self.measured if point.users < users]
        above = [point for point in self.measured if point.users > users]
        if below and above:
            low, high = below[-1], above[0]
            between = f"between {low.users:g} and {high.users:g} users"
            scaled = ", scaled by the model" if low.scaled else ""
            basis = "scaled" if low.scaled else "interpolated"
            note = f"{between}{scaled}: {_cite(low.row)}; {_cite(high.row)}"
            return "interpolated", note, bands()[basis]
        return "modelled", MODELLED, bands()[modelled_basis(users)]


def _cite(row: InferenceRow) -> str:
    version = f" {row.engine_version}" if row.engine_version else ""
    what = f"{row.model} {row.quant} on {row.gpus}x{row.hardware}, {row.engine}{version}"
    return f"{row.id}: {what}, {row.source}, {row.date}"


@lru_cache(maxsize=8192)
def replica(
    model: str,
    precision: str,
    engine: str,
    gpu: str,
    gpus: int,
    prompt_tokens: int,
    output_tokens: int,
    maker: str = "",
    own: tuple[InferenceRow, ...] = (),
    lengths_stated: bool = True,
    kv_precision: str = "bf16",
    offload_layers: int = 0,
) -> Replica | Unfit:
    """The replica, or why there can be none: software, split, memory, unknown figures.

    `maker` is the engine's generation (empty: the newest); `own` are the
    user's measurements, preferred to published ones.
    """
    card, accelerator = model_card(model), accelerators()[gpu]
    fault = software_fault(precision, engine, accelerator, gpus)
    fault = fault or tensor_parallel_fault(card, engine, gpus)
    length = prompt_tokens + output_tokens
    if not fault and length > card.max_context_tokens:
        fault = f"{length} tokens exceed the context of {card.max_context_tokens} of {card.id}"
    if fault:
        return Unfit(fault)
    fault = memory_fault(card, engine, accelerator, kv_precision, offload_layers)
    if fault:
        return Unfit(fault)
    lies = placement(
        card,
        precision,
        engine,
        accelerator,
        gpus,
        kv_precision=kv_precision,
        offload_layers=offload_layers,
    )
    usable_gb = usable_bytes(accelerator, engine) * gpus / GB
    weights_gb = lies.weights_together / GB
    machine = f"{gpus} x {gpu} ({accelerator.memory_gb:g} GB each, {usable_gb:.1f} GB usable)"
    if weights_gb > usable_gb:
        return Unfit(f"weights of {weights_gb:.1f} GB do not fit {machine}")
    if not lies.most_sequences(prompt_tokens, length):
        return Unfit(
            f"weights of {weights_gb:.1f} GB leave no room for one request of {length} tokens "
            f"on {machine}"
        )
    speed = inference_speed(card, precision, engine, accelerator, gpus, maker=maker)
    if speed is None:
        return Unfit(f"memory bandwidth or compute rate of {gpu} is not known")
    plain = kv_precision == "bf16" and not offload_layers
    if kv_precision != "bf16":
        narrower = kv_bits(card, kv_precision) / 16.0
        speed = replace(speed, kv_s_per_token=speed.kv_s_per_token * narrower)
    asked = Asked(
        card,
        precision,
        engine,
        maker,
        gpu,
        gpus,
        prompt_tokens,
        output_tokens,
        lengths_stated,
        speed,
    )
    found = points(asked, index(own)) or points(asked, published())
    return Replica(
        card,
        precision,
        engine,
        accelerator,
        gpus,
        prompt_tokens,
        output_tokens,
        speed,
        lies,
        _host_s(lies),
        found if plain else (),
    )


def _host_s(lies: Placement) -> float:
    """Streaming the weights that stay in host memory, once a step; their share of the GPU's time
    is left in, an upper bound."""
    layers = lies.stored.linear * lies.offload_layers / lies.card.layers
    return layers / HOST_BYTES_PER_S


def memory_fault(
    card: ModelCard, engine: str, gpu: Accelerator, kv_precision: str, offload_layers: int
) -> str:
    """Why the engine cannot keep the cache or the layers so; empty when it can."""
    policy = reservations()[engine]
    if kv_precision not in policy.kv_precisions:
        known = ", ".join(policy.kv_precisions)
        return f"{engine} keeps its cache in {known}, not in {kv_precision}"
    if offload_layers and not policy.offload:
        able = ", ".join(name for name, entry in reservations().items() if entry.offload)
        return f"{engine} leaves no layers in host memory; use {able}"
    if offload_layers and gpu.unified_memory:
        return f"{gpu.id} has one memory for host and GPU"
    if offload_layers > card.layers:
        return f"{card.id} has {card.layers} layers, fewer than the {offload_layers} to leave out"
    return ""


def software_fault(precision: str, engine: str, gpu: Accelerator, gpus: int) -> str:
    """Why the engine cannot run the format on the card; empty when it can."""
    if precision not in FORMAT_KINDS:
        return f"{precision} is none of {', '.join(FORMAT_KINDS)}"
    if engine not in ENGINES:
        return f"{engine} is none of {', '.join(ENGINES)}"
    kind = FORMAT_KINDS[precision]
    if engine in GGUF_ENGINES and precision not in (*GGUF_ONLY, "bf16", "fp16"):
        return f"{engine} reads GGUF files, not {precision}; use q4_k_m or q8_0"
    if engine not in GGUF_ENGINES and precision in GGUF_ONLY:
        return f"{precision} is a GGUF format, which {engine} does not serve; use llama.cpp"
    if kind == "nf4" and engine not in ("transformers", "vllm"):
        return f"{engine} does not serve nf4"
    if gpu.stack == "metal" and engine not in METAL_ENGINES:
        return f"{engine} does not run on {gpu.vendor} silicon; use llama.cpp or ollama"
    if gpu.stack == "metal" and (kind == "nf4" or kind == "float8"):
        return f"{precision} needs an NVIDIA or AMD card"
    if ENGINES[engine].tensor_parallel and gpu.family in BEFORE_VOLTA:
        return f"{engine} does not support {gpu.family}"
    if precision in ("bf16", "fp8") and gpu.family in BEFORE_AMPERE and engine not in GGUF_ENGINES:
        return f"{gpu.family} has no {precision}; use fp16 or gptq-int4"
    if gpu.unified_memory and gpus > 1:
        return f"several {gpu.id} do not serve one model"
    return ""
