from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.constants import FORMATS, GB
from optimizer.sizing.memory import (
    kv_cache_bytes_per_token,
    serving_memory,
    tensor_parallel_fault,
    usable_bytes,
    weights_bytes,
    weights_gb_all_int4,
)
from optimizer.sizing.replica import replica
from optimizer.sizing.results import Unfit
from providers.hardware import accelerators

QWEN = model_card("Qwen2-72B")
RTX4090 = accelerators()["RTX4090"]
A800 = accelerators()["A800-SXM4-80GB"]

cards = st.sampled_from(list(model_cards().values()))
tokens = st.integers(1, 100_000)


def test_the_calculator_counts_every_weight_of_qwen2_72b_at_four_bits():
    assert weights_gb_all_int4(QWEN) == pytest.approx(33.59, rel=0.01)


def test_vllm_really_takes_42_gb_for_qwen2_72b_int4():
    assert weights_bytes(QWEN, "gptq-int4") / GB == pytest.approx(42, rel=0.10)


def test_ollama_really_takes_40_gb_for_qwen2_72b():
    assert weights_bytes(QWEN, "q4_0") / GB == pytest.approx(40, rel=0.10)


@pytest.mark.parametrize(
    ("model", "precision", "gb"),
    [
        ("Llama-3-8B", "bf16", 16.06),
        ("Llama-3-8B", "q8_0", 8.54),
        ("Llama-3-8B", "q4_k_m", 4.92),
        ("Llama-3-70B", "q4_k_m", 42.5),
        ("Qwen2.5-7B", "bf16", 15.23),
    ],
)
def test_weights_are_as_large_as_the_published_files(model, precision, gb):
    assert weights_bytes(model_card(model), precision) / GB == pytest.approx(gb, rel=0.02)


def test_a_tied_head_is_stored_once():
    card = model_card("Qwen2.5-1.5B")
    assert card.tied_embeddings
    assert weights_bytes(card, "bf16") == pytest.approx(card.params_total_b * 2e9, rel=0.001)


@pytest.mark.parametrize("card", model_cards().values(), ids=lambda card: card.id)
def test_the_cache_of_a_token_is_what_the_model_table_says(card):
    assert kv_cache_bytes_per_token(card) == card.kv_bytes_per_token_16bit


def test_grouped_queries_shrink_the_cache_eightfold():
    assert kv_cache_bytes_per_token(model_card("Qwen-72B")) == 8 * kv_cache_bytes_per_token(QWEN)


def test_latent_attention_caches_one_compressed_vector_a_layer():
    assert kv_cache_bytes_per_token(model_card("DeepSeek-V3")) == 61 * 576 * 2


@given(cards)
def test_a_narrower_format_never_takes_more_memory(card):
    order = ["bf16", "gptq-int8", "gptq-int4"]
    sizes = [weights_bytes(card, precision) for precision in order]
    assert sizes == sorted(sizes, reverse=True)
    assert weights_bytes(card, "bf16") >= weights_bytes(card, "q8_0") > weights_bytes(card, "q4_0")


@given(cards, st.integers(1, 64), tokens, tokens)
def test_more_context_never_lowers_memory(card, users, fewer, more):
    fewer, more = sorted((fewer, more))

    def needed(prompt: int) -> float:
        memory = serving_memory(
            card, "bf16", "vllm", A800, 8, users=users, prompt_tokens=prompt, output_tokens=100
        )
        return memory.required_gb

    assert needed(fewer) <= needed(more)


@given(cards, st.sampled_from(sorted(FORMATS)), st.integers(1, 32), tokens)
def test_more_gpus_never_raise_the_memory_of_one(card, precision, users, prompt):
    each = []
    for gpus in (1, 2, 4, 8):
        memory = serving_memory(
            card,
            precision,
            "vllm",
            A800,
            gpus,
            users=users,
            prompt_tokens=prompt,
            output_tokens=100,
        )
        each.append(memory.required_gb / gpus)
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(each))


def test_a_card_of_24_gb_leaves_an_engine_about_22():
    assert usable_bytes(RTX4090, "vllm") / GB == pytest.approx(22.2, abs=0.1)


def test_a_mac_gives_the_gpu_three_quarters_of_its_memory():
    mac = accelerators()["M3Max-40c-128GB"]
    assert usable_bytes(mac, "llama.cpp") / 2**30 == pytest.approx(96)


def fits(model, precision, engine, gpu, gpus):
    return not isinstance(replica(model, precision, engine, gpu, gpus, 500, 300), Unfit)


def test_70b_in_fp16_takes_six_24_gb_cards_by_layers_and_eight_by_heads():
    layers = [n for n in range(1, 9) if fits("Qwen2-72B", "fp16", "transformers", "RTX4090", n)]
    heads = [n for n in range(1, 9) if fits("Qwen2-72B", "fp16", "vllm", "RTX4090", n)]
    assert layers == [6, 7, 8]
    assert heads == [8]


def test_heads_that_do_not_divide_are_refused_with_both_numbers():
    fault = tensor_parallel_fault(QWEN, "vllm", 6)
    assert "64 heads" in fault
    assert "6 GPUs" in fault
    assert not tensor_parallel_fault(QWEN, "llama.cpp", 6)


@pytest.mark.parametrize(
    ("model", "precision", "engine", "gpu", "gpus"),
    [
        ("Qwen2.5-32B", "gptq-int4", "vllm", "RTX4090", 1),
        ("Qwen2-7B", "fp16", "vllm", "RTX4090", 1),
        ("Qwen2-72B", "gptq-int4", "vllm", "RTX4090", 2),
        ("Qwen2-72B", "q8_0", "llama.cpp", "M3Max-40c-128GB", 1),
        ("Qwen2-72B", "fp16", "llama.cpp", "M2Ultra-76c-192GB", 1),
        ("Qwen2-72B", "bf16", "vllm", "A800-SXM4-80GB", 2),
    ],
)
def test_what_people_run_fits(model, precision, engine, gpu, gpus):
    assert fits(model, precision, engine, gpu, gpus)


@pytest.mark.parametrize(
    ("model", "precision", "engine", "gpu", "gpus"),
    [
        ("Qwen2-72B", "gptq-int4", "vllm", "RTX4090", 1),
        ("Qwen2-72B", "fp16", "llama.cpp", "M3Max-40c-128GB", 1),
        ("Qwen2-72B", "bf16", "vllm", "A800-SXM4-80GB", 1),
        ("Qwen2.5-32B", "bf16", "vllm", "RTX4090", 2),
    ],
)
def test_what_people_cannot_run_does_not_fit(model, precision, engine, gpu, gpus):
    assert not fits(model, precision, engine, gpu, gpus)
