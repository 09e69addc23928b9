"""Training speeds of other predictors on the same rows, in the same run.

    pip install --no-deps llm-analysis
    python tests/benchmarks/bench_training_peers.py

Rows: published full training and pretraining on cards that llm-analysis knows, whose constants of
ours were fitted without the row's source.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sizing"))

from training_scoring import HeldOut, held_out, one_utilisation, percentile

CARDS = {
    "A100-SXM4-40GB": "a100-sxm-40gb",
    "A100-40GB": "a100-sxm-40gb",
    "A100-SXM4-80GB": "a100-sxm-80gb",
    "A100-80GB": "a100-sxm-80gb",
    "H100-SXM5-80GB": "h100-sxm-80gb",
}
ZERO = {"ddp": 0, "zero-1": 1, "zero-2": 2, "zero-3": 3, "hsdp": 3}
RECOMPUTED = {"none": 0, "selective": 1, "full": 2}


def llm_analysis_tokens_per_s(row: HeldOut, flops_efficiency: float | None) -> float:
    """The prediction of llm-analysis (Li 2023); None: its default, every FLOP of the card."""
    from llm_analysis.analysis import ActivationRecomputation, DSZeRO, LLMAnalysis
    from llm_analysis.config import (
        DtypeConfig,
        ModelConfig,
        ParallelismConfig,
        get_gpu_config_by_name,
    )

    case, setup = row.case, row.case.setup
    card = case.card
    model = ModelConfig(
        name=card.id,
        num_layers=card.layers,
        n_head=card.heads,
        hidden_dim=card.hidden,
        vocab_size=card.vocab,
        max_seq_len=max(setup.sequence_tokens, card.max_context_tokens),
        num_key_value_heads=card.kv_heads,
        ffn_embed_dim=card.intermediate or 4 * card.hidden,
        expansion_ratio=4,
    )
    split = setup.tensor_parallel * setup.pipeline_parallel
    analysis = LLMAnalysis(
        model,
        get_gpu_config_by_name(CARDS[case.row.hardware]),
        DtypeConfig(),
        ParallelismConfig(
            tp_size=setup.tensor_parallel,
            pp_size=setup.pipeline_parallel,
            dp_size=max(1, case.gang.gpus // split),
        ),
        flops_efficiency=flops_efficiency,
    )
    found = analysis.training(
        batch_size_per_gpu=setup.micro_batch,
        gradient_accumulation_steps=setup.accumulation,
        seq_len=setup.sequence_tokens,
        activation_recomputation=ActivationRecomputation(RECOMPUTED[setup.checkpointing]),
        ds_zero=DSZeRO(ZERO[setup.strategy]),
        mlp_gated_linear_units=card.mlp_type == "gated",
    )
    replicas = max(1, case.gang.gpus // split)
    tokens = replicas * setup.micro_batch * setup.accumulation * setup.sequence_tokens
    return float(tokens / found["latency_per_iter"])


def comparable(row: HeldOut) -> bool:
    case = row.case
    plain = case.setup.precision == "bf16" and case.setup.offload == "none"
    whole = not case.setup.adapters and case.setup.context_parallel == 1
    return plain and whole and case.row.hardware in CARDS


def main() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    rows = [row for row in held_out("tokens_per_s") if comparable(row)]
    kept: list[str] = []
    peer: dict[float | None, list[float]] = {None: [], 0.5: []}
    begun = time.perf_counter()
    for row in rows:
        try:
            found = {share: llm_analysis_tokens_per_s(row, share) for share in peer}
        except AssertionError:  # llm-analysis refuses what it holds for too large
            continue
        kept.append(row.case.row.id)
        for share, pace in found.items():
            peer[share].append(pace / row.measured - 1.0)
    took = time.perf_counter() - begun
    plain = {row.case.row.id: row.error for row in one_utilisation()}
    ours = {row.case.row.id: row.error for row in rows}
    each_ms = took / max(len(kept), 1) / 2 * 1000
    print(f"{len(kept)} of {len(rows)} rows, {each_ms:.1f} ms a row (peer)")
    for name, errors in (
        ("rentopt, source left out", [ours[key] for key in kept]),
        ("6N at one utilisation, source left out", [plain[key] for key in kept]),
        ("llm-analysis, default efficiency", peer[None]),
        ("llm-analysis, half of the FLOPs", peer[0.5]),
    ):
        middle, worst = percentile(errors, 0.5), percentile(errors, 0.9)
        print(f"{name:40s} median {middle:6.1%}   90th percentile {worst:6.1%}")


if __name__ == "__main__":
    main()
