from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.constants import GB, GIB
from optimizer.sizing.formats import weight_formats
from optimizer.sizing.gguf import gguf_files
from optimizer.sizing.placement import placement
from optimizer.sizing.throughput import inference_speed
from optimizer.sizing.weights import (
    hf_calculator_gib,
    precisions,
    weights,
    weights_bytes,
    weights_gb_all_int4,
)
from providers.hardware import accelerators

CONFIGS = Path(__file__).parents[1] / "model_cards" / "configs"
QWEN = model_card("Qwen2-72B")
A100 = accelerators()["A100-SXM4-80GB"]
cards = st.sampled_from(list(model_cards().values()))


def test_hugging_faces_calculator_says_33_59_for_qwen2_72b_instruct_at_four_bits():
    """No head, but the tables of cosines and sines of 32768 positions in each of 80 layers."""
    card = model_card(str(CONFIGS / "Qwen2-72B-Instruct.json"))
    assert round(hf_calculator_gib(card, bits=4), 2) == 33.59


def test_parameters_times_half_a_byte_is_33_86():
    assert round(weights_gb_all_int4(QWEN), 2) == 33.86


def test_vllm_loads_42_gb_of_qwen2_72b_int4():
    """41.6 GB: groups of 128 with their scales, a 16-bit embedding and head, a padded MLP."""
    card = model_card(str(CONFIGS / "Qwen2-72B-Instruct-GPTQ-Int4.json"))
    assert weights_bytes(card, card.precision) / GB == pytest.approx(41.6, abs=0.05)
    assert weights_bytes(QWEN, "gptq-int4") == weights_bytes(card, "gptq-int4")


@pytest.mark.parametrize(
    ("model", "precision", "gb"),
    [
        ("Llama-3-8B", "bf16", 16.06),
        ("Qwen2.5-7B", "bf16", 15.23),
        # Rows of 29568 do not divide by 256: llama.cpp takes larger blocks for them.
        ("Qwen2-72B", "q4_k_m", 47.42),
        ("Qwen2-72B", "q4_0", 41.2),
        ("Mixtral-8x7B", "q4_k_m", 28.45),
        ("Mixtral-8x7B", "q8_0", 49.62),
        ("gpt-oss-120b", "mxfp4", 65.2),
        ("gpt-oss-20b", "mxfp4", 13.8),
        ("DeepSeek-V3", "fp8", 674.0),
    ],
)
def test_weights_are_as_large_as_the_published_files(model, precision, gb):
    assert weights_bytes(model_card(model), precision) / GB == pytest.approx(gb, rel=0.01)


def test_a_group_adds_its_scale_and_zero():
    bits = {name: form.linear_bits for name, form in weight_formats().items()}
    assert bits["gptq-int4"] == 4 + (16 + 4) / 128
    assert bits["gptq-int4-g32"] == 4 + (16 + 4) / 32
    assert bits["awq-int4-g64"] == 4 + (16 + 4) / 64
    assert bits["gptq-int8"] == 8 + (16 + 8) / 128
    assert bits["nf4"] == 4.5
    assert bits["nf4-dq"] == pytest.approx(4.127, abs=0.001)
    assert bits["gptq-int4-channel"] < bits["gptq-int4"] < bits["gptq-int4-g32"]


def test_a_tied_head_is_stored_once_but_not_in_fp8():
    card = model_card("Qwen2.5-1.5B")
    assert card.tied_embeddings
    assert weights_bytes(card, "bf16") == pytest.approx(card.params_total_b * 2e9, rel=1e-6)
    assert weights(card, "fp8").head == weights(card, "fp8").embedding


def test_only_experts_of_gpt_oss_are_stored_in_four_bits():
    card = model_card("gpt-oss-20b")
    attention = sum(
        2 * card.layers * card.hidden * card.head_dim * heads for heads in (card.heads, 8)
    )
    experts = card.params_linear_b * 1e9 - attention
    assert weights(card, "mxfp4").linear == pytest.approx(attention * 2 + experts * 4.25 / 8)


def test_every_precision_has_a_speed_too():
    assert len(gguf_files()) >= 9
    for precision in precisions():
        engine = "llama.cpp" if precision in gguf_files() else "vllm"
        speed = inference_speed(QWEN, precision, engine, A100, 2)
        assert speed is not None
        assert speed.token_s(1, 1000, 300) > 0


LADDERS = (
    ("bf16", "fp8", "gptq-int4-g32", "gptq-int4-g64", "gptq-int4", "gptq-int4-channel"),
    ("bf16", "gptq-int8-g32", "gptq-int8", "gptq-int8-channel", "gptq-int4"),
    ("bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_k_s", "q3_k_m", "q2_k"),
    ("bf16", "nf4", "nf4-dq"),
)


@given(cards, st.sampled_from(LADDERS))
def test_a_narrower_format_never_takes_more_memory(card, ladder):
    # FP8 builds of small tied models store the head again: the linear layers are what shrinks.
    sizes = [weights(card, precision).linear for precision in ladder]
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(sizes))


@given(cards, st.sampled_from(precisions()), st.integers(1, 16))
def test_tensor_parallelism_never_raises_the_weights_of_a_gpu(card, precision, gpus):
    alone, fewer, more = (
        placement(card, precision, "vllm", A100, n).weights for n in (1, gpus, gpus + 1)
    )
    assert more <= fewer
    assert alone == pytest.approx(weights_bytes(card, precision))
    assert more * (gpus + 1) >= weights_bytes(card, precision)


@given(cards)
def test_without_the_tables_the_calculator_counts_the_model_without_its_head(card):
    bare = replace(card, max_context_tokens=1)
    head = 0.0 if card.tied_embeddings else card.params_lm_head_b
    counted = hf_calculator_gib(bare, bits=8) * GIB / 1e9
    assert counted == pytest.approx(card.params_total_b - head, rel=1e-3)
