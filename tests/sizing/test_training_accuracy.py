"""Errors of training on rows that the constants were not fitted to; docs/sizing.md prints them."""

import csv
import re
from functools import cache
from pathlib import Path

import pytest
from training_scoring import (
    by_class,
    card_of,
    held_out,
    one_utilisation,
    pairwise_accuracy,
    percentile,
)

from optimizer.model_cards import model_card
from optimizer.sizing.training import fit_memory, fit_speed
from optimizer.sizing.training.constants import constants
from optimizer.sizing.training.expected import expected_errors
from optimizer.sizing.training.memory import training_memory
from optimizer.sizing.training.setup import Gang, Setup
from providers.bundled import data_path
from providers.hardware import accelerators

DOCS = Path(__file__).parents[2] / "docs" / "sizing.md"


def errors(metric):
    return [row.error for row in held_out(metric)]


def test_speeds_of_unseen_sources_are_within_the_goal():
    missed = errors("tokens_per_s")
    assert len(missed) > 400
    assert percentile(missed, 0.5) < 0.12
    assert percentile(missed, 0.9) < 0.35


def test_memory_of_unseen_sources_stays_close():
    missed = errors("peak_memory_gb")
    assert len(missed) > 100
    assert percentile(missed, 0.5) < 0.10
    assert percentile(missed, 0.9) < 0.25


def test_one_utilisation_for_everything_is_far_worse():
    plain = [row.error for row in one_utilisation()]
    ours = errors("tokens_per_s")
    assert percentile(plain, 0.5) > 1.5 * percentile(ours, 0.5)
    assert percentile(plain, 0.9) > 1.5 * percentile(ours, 0.9)


def test_the_constants_are_what_the_rows_give():
    fitted = fit_speed.fit(fit_speed.timed()) | fit_memory.fit(fit_memory.peaks())
    assert fitted == pytest.approx(dict(constants()), rel=0.02)


@pytest.mark.parametrize("source", ["FMS", "TT"])
def test_a_stored_prediction_comes_from_a_fit_without_its_source(source):
    timed = fit_speed.timed()
    known = fit_speed.fit([case for case in timed if case.row.group != source])
    mine = [case for case in timed if case.row.group == source]
    stored = {row.case.row.id: row.error for row in held_out("tokens_per_s")}
    assert fit_speed.errors(mine, known).tolist() == pytest.approx(
        [stored[case.row.id] for case in mine], abs=0.01
    )


HOURLY = {
    "A100-SXM4-40GB": 1.3,
    "A100-SXM4-80GB": 1.8,
    "A800-SXM4-80GB": 1.8,
    "H100-SXM5-80GB": 2.9,
    "H800-SXM5-80GB": 2.9,
    "H100-SXM-96GB-HBM2e-500W": 2.7,
    "RTX3090": 0.22,
    "RTX4090": 0.45,
    "RTXA5000": 0.27,
    "RTXPRO6000": 1.6,
}
"""USD per GPU-hour, of the order that clouds ask; any fixed prices do for a ranking."""


def test_hardware_is_ranked_by_speed_and_by_tokens_per_money():
    count, by_speed = pairwise_accuracy(lambda row: 1.0)
    assert count > 100
    assert by_speed >= 0.9
    count, by_money = pairwise_accuracy(lambda row: 1.0 / HOURLY[card_of(row)])
    assert count > 100
    assert by_money >= 0.9


@cache
def printed():
    return {
        (match[1], match[2]): (int(match[3]), match[4], match[5])
        for match in re.finditer(
            r"^\| (\w+) \| (\w+) \| (\d+) \| ([\d.]+ %) \| ([\d.]+ %) \|$",
            DOCS.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }


def test_the_documentation_prints_the_training_errors_as_they_are():
    shown = {
        key: (e.rows, f"{100 * e.median:.1f} %", f"{100 * e.p90:.1f} %")
        for key, e in expected_errors().items()
    }
    assert printed() == shown


def test_the_documentation_prints_them_by_software_and_chip():
    shown = [
        f"| training: {name} | {len(missed)} | {100 * percentile(missed, 0.5):.1f} % "
        f"| {100 * percentile(missed, 0.9):.1f} % |"
        for name, missed in by_class().items()
    ]
    text = DOCS.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("| training: ")] == shown


def test_what_the_files_sum_up_is_what_they_hold():
    for metric, label in (("tokens_per_s", "modelled"), ("peak_memory_gb", "memory")):
        missed, known = errors(metric), expected_errors()[label, "all"]
        assert known.rows == len(missed)
        assert known.median == pytest.approx(percentile(missed, 0.5), abs=0.002)
        assert known.p90 == pytest.approx(percentile(missed, 0.9), abs=0.002)


def gigabytes(model, **setup):
    """All GPUs' memory together, on as many as divide nothing: one."""
    asked = Setup(sequence_tokens=512, micro_batch=1, accumulation=1, **setup)
    big = accelerators()["B300-288GB"]
    return training_memory(model_card(model), asked, Gang(big, 1)).required_gb


@pytest.mark.parametrize(
    ("model", "full", "pure", "lora", "qlora"),
    [
        ("Llama-2-7B", 120, 60, 16, 6),
        ("Qwen2.5-14B", 240, 120, 32, 12),
        ("Llama-2-70B", 1200, 600, 160, 48),
    ],
)
def test_the_rules_of_thumb_of_llama_factory_hold_within_a_quarter(model, full, pure, lora, qlora):
    """hiyouga/LLaMA-Factory README, "Hardware Requirement": orders of size, not measurements."""
    assert gigabytes(model, method="full") == pytest.approx(full, rel=0.25)
    assert gigabytes(model, method="full", optimizer="adamw-bf16") == pytest.approx(pure, rel=0.25)
    assert gigabytes(model, method="lora", lora_rank=8) == pytest.approx(lora, rel=0.25)
    # LLaMA-Factory, unlike PEFT, does not raise embedding and head to 32 bits.
    four_bits = gigabytes(model, method="qlora", framework="native", lora_rank=8)
    assert four_bits == pytest.approx(qlora, rel=0.35)


@pytest.mark.parametrize(
    ("model", "least_gb"), [("Llama-3.1-8B", 6), ("phi-4-14B", 8.5), ("Llama-3.1-70B", 41)]
)
def test_unsloths_minima_for_qlora_are_about_what_is_counted(model, least_gb):
    """unslothai/unsloth documentation, VRAM requirements: short sequences, chunked loss."""
    counted = gigabytes(model, method="qlora", framework="tuned", chunked_loss=True, lora_rank=8)
    assert counted == pytest.approx(least_gb * 1.074, rel=0.35)


def test_torchtune_trains_all_of_an_8b_model_in_19_gib():
    """meta-pytorch/torchtune README: 8-bit paged optimizer stepping in the backward pass."""
    setup = Setup(
        "full",
        2048,
        2,
        1,
        optimizer="adamw-8bit",
        offload="optimizer",
        step_in_backward=True,
        chunked_loss=True,
    )
    memory = training_memory(model_card("Llama-3.1-8B"), setup, Gang(accelerators()["RTX4090"], 1))
    held = memory.required_gb - memory.overhead_gb
    assert held / 1.0737 == pytest.approx(18.9, rel=0.1)
    assert memory.fits


def limits():
    with data_path("measured", "training_limits.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def longest(row, share):
    asked = Setup(
        row["method"],
        max(256, int(float(row["longest_tokens"]) * share)),
        1,
        4,
        framework=row["framework"],
        lora_rank=int(row["lora_rank"]),
    )
    gang = Gang(accelerators()[row["gpu"]], 1)
    return training_memory(model_card(row["model"]), asked, gang).fits


@pytest.mark.parametrize("row", limits(), ids=lambda row: f"{row['model']} on {row['gpu']}")
def test_sequences_beyond_what_people_could_train_do_not_fit(row):
    """A limit was found by trying: beyond it, memory ran out."""
    assert not longest(row, 1.2)
    if row["longest_tokens"] != "0":
        assert longest(row, 0.8)
