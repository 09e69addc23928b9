"""Published inference rows as cases of the speed formulas, in NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil
from typing import Any, cast

import numpy as np

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.calibration.priors import Prior, priors
from optimizer.sizing.measured import InferenceRow, inference_rows
from optimizer.sizing.memory import cache_capacity_tokens
from optimizer.sizing.rates import RATES, factors, generation, speed_class
from optimizer.sizing.throughput import InferenceSpeed, Work, reached, work
from providers.hardware import accelerators

Array = np.ndarray[Any, np.dtype[np.float64]]

ENGINES = {
    "vLLM": "vllm",
    "SGLang": "sglang",
    "TensorRT-LLM": "tensorrt-llm",
    "lmdeploy": "lmdeploy",
    "llama.cpp": "llama.cpp",
    "transformers": "transformers",
    "AutoAWQ": "autoawq",
    "ExLlama": "exllama",
    "ExLlamaV2": "exllama",
    "MLC-LLM": "mlc-llm",
    "gpt-fast (torch.compile)": "gpt-fast",
    "DeepSpeed-MII": "deepspeed-mii",
}
"""Engines of the table that have constants; the others were measured too rarely to say."""

FORMATS = {
    "FP16": "bf16",
    "BF16": "bf16",
    "FP8": "fp8",
    "GPTQ-Int8": "gptq-int8",
    "INT8-wo": "gptq-int8",
    "GPTQ-Int4": "gptq-int4",
    "4bit-g128": "gptq-int4",
    "INT4-g32": "gptq-int4",
    "AWQ-Int4": "awq-int4",
    "BNB-NF4": "nf4",
    "Q8_0": "q8_0",
    "Q4_K_M": "q4_k_m",
}

STATIC_ENGINES = ("transformers", "autoawq", "exllama", "gpt-fast", "mlc-llm", "llama.cpp")
"""Run the batch they are given: whatever was measured has fitted."""

CAUTION = 0.5
"""Times every prior's spread; chosen, like `fit.NOISE`, by the errors on rows not fitted."""

SPEEDS = ("decode_tok_s", "tpot_ms", "output_tok_s", "total_tok_s", "prefill_tok_s", "ttft_ms")


@dataclass(frozen=True, slots=True)
class Case:
    """One published figure and what the formulas need to predict it."""

    row: InferenceRow
    engine: str
    generation: str
    hardware_class: str
    form: str
    asked: Work
    names: dict[str, tuple[str, ...]]
    sequences: float
    """That run at once: no more than the memory holds and the engine admits."""

    @property
    def task(self) -> str:
        """What kind of speed it is: what errors are reported by."""
        if self.row.metric in ("prefill_tok_s", "ttft_ms"):
            return "prefill"
        if self.row.workload != "static":
            return "saturated serving"
        return "single stream" if self.row.concurrency == 1 else "batched decode"

    @property
    def cell(self) -> str:
        return self.row.cell


def cases() -> list[Case]:
    """Every row of the bundled table that the formulas claim to describe."""
    made = (_case(row) for row in inference_rows() if row.metric in SPEEDS)
    return [case for case in made if case is not None]


def _case(row: InferenceRow) -> Case | None:
    engine, form = ENGINES.get(row.engine), FORMATS.get(row.quant)
    known = row.model in model_cards() and row.prompt_tokens is not None
    if engine is None or form is None or not known or row.suspect:
        return None
    prefills = row.metric in ("prefill_tok_s", "ttft_ms")
    if not prefills and (row.output_tokens or 0) < 16:
        return None
    if row.metric == "tpot_ms" and row.workload == "burst":
        return None
    card, gpu = model_card(row.model), accelerators()[row.hardware]
    asked = work(card, form, engine, gpu, row.gpus, row.kv_bits // 8 or 1)
    if asked is None:
        return None
    maker = generation(engine, row.engine_version, row.date)
    prompt, output = row.prompt_tokens or 0.0, row.output_tokens or 0.0
    sequences = row.concurrency or 4096.0
    if engine not in STATIC_ENGINES:
        room = cache_capacity_tokens(card, form, engine, gpu, row.gpus, int(prompt))
        room *= 16 // row.kv_bits
        fitting = max(room / (prompt + output / 2 + 1), 1.0)
        if row.workload == "static":  # a batch that does not fit runs in equal waves
            fitting = sequences / ceil(sequences / fitting)
        sequences = min(sequences, fitting)
        sequences = min(sequences, admitted(maker, row))
    return Case(
        row,
        engine,
        maker,
        speed_class(gpu),
        form,
        asked,
        factors(card, form, engine, gpu, row.gpus, maker),
        sequences,
    )


def admitted(maker: str, row: InferenceRow) -> float:
    """Most sequences the engine admits at once by default."""
    if maker.startswith("vllm"):
        large = accelerators()[row.hardware].family in ("H100", "H200", "B200", "MI300X")
        return 1024.0 if large and maker == "vllm-1" else 256.0
    return 256.0 if maker in ("deepspeed-mii", "llama.cpp") else 2048.0


class Table:
    """Cases as arrays, and their prediction at any value of the constants."""

    def __init__(self, all_cases: Sequence[Case]) -> None:
        self.cases = list(all_cases)
        rows = [case.row for case in self.cases]
        self.priors = [*priors(), *_nuisances(rows)]
        at = {prior.constant: i for i, prior in enumerate(self.priors)}
        self.constants = [prior.constant for prior in self.priors]
        self.prior = np.log([prior.value for prior in self.priors])
        self.spread = np.array([prior.spread for prior in self.priors]) * CAUTION
        self.log_value = np.log([row.value for row in rows])
        self.asked = Work(
            **{
                field.name: cast(
                    float, np.array([getattr(c.asked, field.name) for c in self.cases])
                )
                for field in fields(Work)
            }
        )
        self.sequences = np.array([case.sequences for case in self.cases])
        self.prompt = np.array([row.prompt_tokens or 0.0 for row in rows])
        self.output = np.array([max(row.output_tokens or 0.0, 1.0) for row in rows])
        self.users = np.array([row.concurrency or 1.0 for row in rows])
        self.metric = np.array([SPEEDS.index(row.metric) for row in rows])
        self.is_time = np.array([row.unit == "ms" for row in rows])
        self.serving = np.array([row.workload in ("burst", "closed") for row in rows])
        self.bursting = np.array([row.workload == "burst" for row in rows], dtype=float)
        self.rates = (*RATES, "tail", "time")
        found: dict[str, list[tuple[int, int]]] = {rate: [] for rate in self.rates}
        for i, case in enumerate(self.cases):
            for rate, names in case.names.items():
                found[rate] += [(i, at[name]) for name in names]
            found["time"].append((i, at[f"source.{study(case.row)}"]))
            found["tail"].append((i, at["burst.tail"]))
        self.entries = {
            rate: cast("tuple[Any, Any]", tuple(np.array(pairs, dtype=np.intp).reshape(-1, 2).T))
            for rate, pairs in found.items()
        }
        """Cases and constants that meet in each rate."""
        counts: dict[str, int] = {}
        for case in self.cases:
            counts[case.cell] = counts.get(case.cell, 0) + 1
        self.weight = np.array([counts[case.cell] ** -0.5 for case in self.cases])

    def log_rates(self, theta: Array) -> dict[str, Array]:
        """Logarithm of each rate of each case, for logarithms `theta` of the constants."""
        count = len(self.cases)
        return {
            rate: np.bincount(rows, theta[columns], minlength=count).astype(np.float64)
            for rate, (rows, columns) in self.entries.items()
        }

    def log_predicted(self, log_rates: dict[str, Array]) -> Array:
        """Logarithm of the figure that each row states."""
        return self.log_figures({rate: np.exp(log) for rate, log in log_rates.items()})

    def log_figures(self, rates: dict[str, Array]) -> Array:
        """The same for the rates themselves, which may be 0 where they are times."""
        speed = reached(self.asked, cast(dict[str, float], rates), 0)
        share = 1.0 + self.bursting * rates["tail"] * self.sequences / self.users
        running = cast(float, np.maximum(self.sequences / share, 1.0))
        answer = self._figures(speed, running)
        slower = np.where(self.is_time, 1.0, -1.0)
        return cast(Array, np.log(answer) + slower * np.log(rates["time"]))

    def log_errors(self, theta: Array) -> Array:
        """Logarithm of predicted over measured, as for a study that nobody has seen."""
        unseen = np.array([name.startswith("source.") for name in self.constants])
        at = np.where(unseen, self.prior, theta)
        return self.log_predicted(self.log_rates(at)) - self.log_value

    def _figures(self, speed: InferenceSpeed, running: float) -> Array:
        prompt, output = cast(float, self.prompt), cast(float, self.output)
        step = speed.step_s(running, prompt + output / 2)
        prefill = np.where(self.prompt > 1, speed.prefill_s(np.maximum(self.prompt, 1)), 0.0)
        paced = step + np.where(self.serving, (running - 1) * prefill / output, 0.0)
        through = running / (step + running * prefill / output)
        first = prefill + np.where(self.users > 1, step, 0.0)
        by_metric = (
            running / step,
            paced * 1000,
            through,
            through * (prompt + output) / output,
            prompt / np.maximum(prefill, 1e-9),
            first * 1000,
        )
        return cast(Array, np.choose(self.metric, cast(Any, by_metric)))


def study(row: InferenceRow) -> str:
    """The short name of the source that a row was read in."""
    return row.id.rsplit("-", 1)[0]


def _nuisances(rows: Sequence[InferenceRow]) -> list[Prior]:
    """What differs between studies and is no property of a case to come."""
    found = [
        Prior(f"source.{name}", 1.0, 0.10, "factor", "hosts and methods of one study")
        for name in sorted({study(row) for row in rows})
    ]
    tail = "how long the last requests of a burst run alone"
    return [*found, Prior("burst.tail", 1.5, 0.4, "factor", tail)]
