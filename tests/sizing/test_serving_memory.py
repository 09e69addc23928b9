from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.constants import ENGINES, GB, GIB
from optimizer.sizing.memory import (
    cache_capacity_tokens,
    kv_cache_bytes_per_token,
    serving_memory,
    tensor_parallel_fault,
    usable_bytes,
)
from optimizer.sizing.placement import placement
from optimizer.sizing.replica import replica
from optimizer.sizing.results import Unfit
from optimizer.sizing.weights import precisions
from providers.hardware import accelerators

QWEN = model_card("Qwen2-72B")
RTX4090 = accelerators()["RTX4090"]
A800 = accelerators()["A800-SXM4-80GB"]

cards = st.sampled_from(list(model_cards().values()))
tokens = st.integers(1, 100_000)


@pytest.mark.parametrize("card", model_cards().values(), ids=lambda card: card.id)
def test_the_cache_of_a_token_is_what_the_model_table_says(card):
    assert kv_cache_bytes_per_token(card) == card.kv_bytes_per_token_16bit


def test_grouped_queries_shrink_the_cache_eightfold():
    assert kv_cache_bytes_per_token(model_card("Qwen-72B")) == 8 * kv_cache_bytes_per_token(QWEN)


def test_latent_attention_caches_one_compressed_vector_a_layer():
    assert kv_cache_bytes_per_token(model_card("DeepSeek-V3")) == 61 * 576 * 2


@given(cards, st.integers(1, 64), tokens, tokens)
def test_more_context_never_lowers_memory(card, users, fewer, more):
    fewer, more = sorted((fewer, more))

    def needed(prompt: int) -> float:
        memory = serving_memory(
            card, "bf16", "vllm", A800, 8, users=users, prompt_tokens=prompt, output_tokens=100
        )
        return memory.required_gb

    assert needed(fewer) <= needed(more)


@given(cards, st.sampled_from(precisions()), st.integers(1, 32), tokens)
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
    assert usable_bytes(RTX4090, "vllm") / GB == pytest.approx(22.4, abs=0.1)


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


@pytest.mark.parametrize("kv_precision", ["fp8", "int8"])
def test_a_cache_of_8_bits_holds_about_twice_the_tokens(kv_precision):
    engine = "vllm" if kv_precision == "fp8" else "lmdeploy"
    wide, narrow = (
        cache_capacity_tokens(QWEN, "bf16", engine, A800, 4, 1000, kv_precision=kv)
        for kv in ("bf16", kv_precision)
    )
    assert 1.85 < narrow / wide < 2.001


def test_ollama_really_takes_40_gb_for_qwen2_72b():
    """GiB, as nvidia-smi adds them up over two RTX 4090; 2048 tokens, Ollama's default context."""
    memory = serving_memory(
        QWEN, "q4_0", "ollama", RTX4090, 2, users=1, prompt_tokens=1748, output_tokens=300
    )
    assert memory.claimed_gb * GB / GIB == pytest.approx(40, rel=0.015)
    assert memory.claimed_gb == pytest.approx(memory.required_gb)


def test_vllm_claims_42_gb_of_two_24_gb_cards_whatever_it_needs():
    """GiB: nine tenths of the 23.64 that a program can have of each, before its graphs."""
    lies = placement(QWEN, "gptq-int4", "vllm", RTX4090, 2)
    claimed = lies.claimed(1000, 1, 1300) - lies.policy.graph_bytes
    assert claimed * 2 / GIB == pytest.approx(42.5, abs=0.1)
    small = placement(model_card("Qwen2.5-0.5B"), "bf16", "vllm", RTX4090, 2)
    assert small.claimed(1000, 1, 1300) == lies.claimed(1000, 1, 1300)


def test_layers_in_host_memory_leave_the_gpu():
    memory = [
        serving_memory(
            QWEN,
            "q4_k_m",
            "llama.cpp",
            RTX4090,
            1,
            users=1,
            prompt_tokens=1000,
            output_tokens=300,
            offload_layers=layers,
        )
        for layers in (0, 30, 40, 80)
    ]
    assert [entry.fits for entry in memory] == [False, False, True, True]
    together = [entry.weights_gb + entry.kv_cache_gb + entry.host_gb for entry in memory]
    assert together == pytest.approx([together[0]] * 4, rel=1e-6)


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_every_engine_states_how_it_reserves(engine):
    lies = placement(QWEN, "bf16", engine, A800, 4)
    free, claimed = lies.cache(1000), lies.claimed(1000, 1, 1300)
    assert 0 < free < lies.visible
    assert claimed <= lies.visible
    assert lies.weights + lies.sequence(1300) < claimed


def test_a_share_of_the_free_memory_leaves_the_rest_for_work():
    lies = placement(QWEN, "bf16", "lmdeploy", A800, 4)
    free = lies.visible - lies.fixed - lies.weights - lies.activations(1000)
    assert lies.cache(1000) == pytest.approx(0.8 * free)


engines = st.sampled_from(sorted(ENGINES))


@given(cards, st.sampled_from(precisions()), engines, tokens, st.floats(1.0, 4.0))
def test_more_memory_never_unfits(card, precision, engine, prompt, times):
    small = replace(A800, id="some card")
    large = replace(small, memory_gb=small.memory_gb * times)
    fitting = [
        placement(card, precision, engine, gpu, 2).most_sequences(prompt, prompt + 100)
        for gpu in (small, large)
    ]
    assert fitting[0] <= fitting[1]


@given(cards, engines, tokens, tokens)
def test_longer_context_never_fits_more_sequences(card, engine, one, other):
    lies = placement(card, "bf16", engine, A800, 8)
    shorter, longer = sorted((one, other))
    assert lies.most_sequences(longer, longer) <= lies.most_sequences(shorter, shorter)


@given(cards, engines, st.integers(0, 20), st.integers(1, 4000))
def test_the_longest_prompt_fits_beside_the_load_and_a_longer_one_does_not(
    card, engine, users, prompt
):
    lies = placement(card, "bf16", engine, A800, 8)
    longest = lies.longest_prompt(users, prompt + 100, reserve=100)
    most = card.max_context_tokens - 100
    free = lies.cache(longest) - users * lies.sequence(prompt + 100)
    if longest:
        assert lies.sequence(longest + 100) <= free
    if longest < most:
        beyond = lies.cache(longest + 1) - users * lies.sequence(prompt + 100)
        assert lies.sequence(longest + 101) > beyond


def test_stages_and_tensor_parallelism_together_divide_the_weights():
    """Two stages of four: each GPU holds an eighth of the layers, and a part of the rest."""
    stages = placement(QWEN, "bf16", "vllm", A800, 8, pipeline=2)
    heads = placement(QWEN, "bf16", "vllm", A800, 8)
    assert (stages.tensor, heads.tensor) == (4, 8)
    assert stages.weights == pytest.approx(heads.weights, rel=0.03)
    assert stages.sequence(4096) == pytest.approx(heads.sequence(4096), rel=0.06)
