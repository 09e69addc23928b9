"""Inference speed against other predictors: same rows, same run; and what an answer takes.

    python tests/benchmarks/bench_sizing.py [--genz-rows 300]

GenZ joins in where it is installed (``pip install genz-llm``); its rows are 16-bit ones of dense
models. Prints Markdown tables; asserts nothing, because seconds belong to a machine.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from optimizer.model_cards import model_cards
from optimizer.sizing.calibration.cases import Array, Case, Table, cases
from optimizer.sizing.calibration.peers import one_constant, plain_roofline
from optimizer.sizing.calibration.ranking import ranking, usd_per_gpu_hour
from optimizer.sizing.calibration.validate import HELD_OUT, errors, held_out, in_scope
from optimizer.sizing.estimate import size_service
from providers.hardware import accelerators

PAIRS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genz-rows", type=int, default=300, help="at most; 0: without GenZ")
    asked = parser.parse_args()
    table = Table(cases())
    rows = np.array([in_scope(case) and case.task != "prefill" for case in table.cases])
    print("| rows held out by | predictor | rows | median | P90 | pairs ranked right by cost |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for key in HELD_OUT:
        line(table, rows, key, "rentopt", held_out(table, key))
        line(table, rows, key, "roofline, one constant", plain_roofline(table, key))
    if asked.genz_rows:
        against_genz(table, rows, asked.genz_rows)
    speed()


def line(table: Table, rows: Array, key: str, name: str, off: Array) -> None:
    found = errors(off[rows])
    kept = [case for case, use in zip(table.cases, rows, strict=True) if use]
    order = ranking(kept, off[rows], usd_per_gpu_hour())
    print(
        f"| {key} | {name} | {found.rows} | {found.median:.1%} | {found.ninetieth:.1%} "
        f"| {order.accuracy:.1%} of {order.pairs} |"
    )


def against_genz(table: Table, rows: Array, most: int) -> None:
    try:
        with quiet():
            import GenZ
    except ImportError as error:
        print(f"\nGenZ did not run: {error}")
        return
    off = np.full(len(table.cases), np.nan)
    able = [
        i
        for i, case in enumerate(table.cases)
        if rows[i] and case.form == "bf16" and not model_cards()[case.row.model].mixture_of_experts
    ]
    for i in able[:: max(len(able) // most, 1)]:
        with quiet():
            off[i] = genz_error(table, i, GenZ)
    seen = np.isfinite(off)
    print("\n| same rows, held out by source | rows | median | P90 |\n| --- | ---: | ---: | ---: |")
    for name, found in (
        ("rentopt", held_out(table, "source")),
        ("GenZ 0.0.16, one constant fitted", one_constant(table, "source", off)),
        ("GenZ as it is", off),
        ("roofline, one constant", plain_roofline(table, "source")),
    ):
        result = errors(found[seen])
        print(f"| {name} | {result.rows} | {result.median:.1%} | {result.ninetieth:.1%} |")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """GenZ prints and warns a great deal."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def genz_error(table: Table, i: int, genz: Any) -> float:
    """Logarithm of GenZ's figure over the one that the row shows."""
    case: Case = table.cases[i]
    row, gpu, card = case.row, accelerators()[case.row.hardware], model_cards()[case.row.model]
    users, prompt, output = max(round(case.sequences), 1), table.prompt[i], table.output[i]
    asked = {
        "model": genz.Models.ModelConfig(
            model=card.id,
            vocab_size=card.vocab,
            hidden_size=card.hidden,
            intermediate_size=card.intermediate,
            num_ffi=2 if card.mlp_type == "gated" else 1,
            num_decoder_layers=card.layers,
            num_attention_heads=card.heads,
            num_key_value_heads=card.kv_heads,
            head_dim=card.head_dim,
        ),
        "batch_size": users,
        "system_name": {
            "Flops": gpu.fp16_tflops,
            "Memory_size": 1000 * gpu.memory_gb,  # whether it fits is not the question
            "Memory_BW": gpu.bandwidth_gb_s,
            "ICN": (gpu.nvlink_gb_s or gpu.host_link_gb_s or 31.5) / 2,
            "real_values": True,
        },
        "bits": "bf16",
        "tensor_parallel": row.gpus,
    }
    halfway = {"input_tokens": max(int(prompt), 1), "output_tokens": int(output) // 2}
    step_s = genz.decode_moddeling(**asked, **halfway, Bb=1)["Latency"] / 1000
    wall_s = step_s * output
    if prompt > 1 and row.metric in ("output_tok_s", "total_tok_s"):
        wall_s += genz.prefill_moddeling(**asked, input_tokens=int(prompt))["Latency"] / 1000
    if row.metric == "tpot_ms":
        return float(np.log(step_s * 1000 / row.value))
    tokens = users * ((prompt + output) if row.metric == "total_tok_s" else output)
    return float(np.log(tokens / wall_s / row.value))


def speed() -> None:
    """Seconds of `PAIRS` sizings that were never asked before, against reading the tables."""
    cards = [gpu for gpu, card in accelerators().items() if card.stack == "cuda"]
    began = time.process_time()
    cases()
    tables = time.process_time() - began
    began = time.process_time()
    for number in range(PAIRS):
        size_service(
            ("Qwen2.5-72B", "Llama-3-8B", "Mixtral-8x7B")[number % 3],
            ("bf16", "gptq-int4")[number // 3 % 2],
            "vllm",
            cards[number // 6 % len(cards)],
            (1, 2, 4, 8)[number // 6 // len(cards) % 4],
            prompt_tokens=500 + number,
            output_tokens=300,
            floor_tokens_per_s=10,
            ttft_s=None,
        )
    took = time.process_time() - began
    print(f"\n{PAIRS} layout x hardware pairs: {took:.2f} s of processor time")
    print(f"that is {took / tables:.1f} times preparing the {len(cases())} rows of the calibration")


if __name__ == "__main__":
    main()
