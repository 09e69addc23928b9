from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.estimate import Serving, Unfit, size_batch, size_service, speed_at
from optimizer.sizing.memory import cache_capacity_tokens
from optimizer.sizing.rates import generation, speed_class
from optimizer.sizing.throughput import inference_speed
from providers.hardware import accelerators

DUAL = ("Qwen2-72B", "gptq-int4", "vllm", "RTX4090", 2)
SHORT = {"prompt_tokens": 50, "output_tokens": 200}
CHAT = {"prompt_tokens": 500, "output_tokens": 300}


def total(users, engine="vllm", precision="gptq-int4"):
    pace = speed_at("Qwen2-72B", precision, engine, "RTX4090", 2, users, **SHORT)
    assert not isinstance(pace, Unfit)
    return pace.output_tokens_per_s


@pytest.mark.parametrize(("users", "least", "most"), [(1, 12, 40), (2, 24, 70), (32, 150, 600)])
def test_two_4090_serve_qwen2_72b_int4_about_as_reported(users, least, most):
    assert least < total(users) < most


def test_each_of_32_users_on_two_4090_sees_about_ten_tokens_a_second():
    assert 6 < total(32) / 32 < 18


def test_ollama_does_not_rise_beyond_two_users():
    rates = [total(users, "ollama", "q4_0") for users in (1, 2, 4, 32)]
    assert 10 < rates[0] < 25
    assert rates[1] > 1.5 * rates[0]
    assert rates[1] == rates[2] == rates[3]


@pytest.mark.parametrize("model", ["Llama-3-8B", "Qwen2-72B"])
def test_an_m3_max_decodes_about_half_as_fast_as_a_4090(model):
    def step_s(gpu: str, gpus: int) -> float:
        speed = inference_speed(model_card(model), "q4_0", "ollama", accelerators()[gpu], gpus)
        assert speed is not None
        return speed.step_s(1, 500)

    assert 0.3 < step_s("RTX4090", 2) / step_s("M3Max-40c-128GB", 1) < 0.6


def test_four_4090_beat_two_a100_for_one_stream_of_int4_and_lose_to_them_for_many():
    def rate(gpu: str, gpus: int, precision: str, users: int) -> float:
        pace = speed_at("Qwen2-72B", precision, "vllm", gpu, gpus, users, **CHAT)
        assert not isinstance(pace, Unfit)
        return pace.output_tokens_per_s

    cheap, dear = ("RTX4090", 4, "gptq-int4"), ("A100-SXM4-80GB", 2, "bf16")
    assert rate(*cheap, 1) > rate(*dear, 1)
    assert rate(*cheap, 64) < rate(*dear, 64)


def test_more_cards_by_layers_do_not_speed_up_one_stream():
    two, four = (
        speed_at("Llama-3-8B", "bf16", "transformers", "RTX4090", n, 1, **CHAT) for n in (2, 4)
    )
    assert not isinstance(two, Unfit)
    assert not isinstance(four, Unfit)
    assert four.tokens_per_s_per_user == pytest.approx(two.tokens_per_s_per_user, rel=0.01)


def reduce_s(gpu: str, gpus: int) -> float:
    """One all-reduce of 64 tokens."""
    speed = inference_speed(model_card("Llama-3-70B"), "bf16", "vllm", accelerators()[gpu], gpus)
    assert speed is not None
    return speed.reduce_latency_s + 64 * speed.reduce_s_per_token


def test_the_export_cut_of_nvlink_shows_in_the_link_and_nowhere_else():
    card = model_card("Llama-3-70B")
    for whole, cut, share in (("A100", "A800", 400 / 600), ("H100", "H800", 400 / 900)):
        form = "SXM4" if whole == "A100" else "SXM5"
        full, less = (
            inference_speed(card, "bf16", "vllm", accelerators()[f"{name}-{form}-80GB"], 8)
            for name in (whole, cut)
        )
        assert full is not None
        assert less is not None
        assert less.reduce_s_per_token == pytest.approx(full.reduce_s_per_token / share)
        assert less.weight_stream_s == full.weight_stream_s
        assert less.reduce_latency_s == full.reduce_latency_s


def test_a_card_without_peer_to_peer_has_the_slowest_link():
    gpus = ("RTX4090", "A100-PCIe-80GB", "A100-SXM4-80GB", "H100-SXM5-80GB")
    for count in (2, 4, 8):
        times = [reduce_s(gpu, count) for gpu in gpus]
        assert times == sorted(times, reverse=True)


@given(
    st.sampled_from([gpu for gpu, card in accelerators().items() if card.stack == "cuda"]),
    st.sampled_from([2, 4, 8]),
    st.floats(1.0, 4.0),
)
def test_a_faster_link_never_slows(gpu, gpus, factor):
    card = accelerators()[gpu]
    wider = replace(
        card, nvlink_gb_s=card.nvlink_gb_s * factor, host_link_gb_s=card.host_link_gb_s * factor
    )
    bridged = replace(card, p2p=True)
    joined = replace(card, nvlink_gb_s=max(card.nvlink_gb_s, 400.0))
    model = model_card("Qwen2.5-32B")
    slow = inference_speed(model, "bf16", "vllm", card, gpus)
    for better in (wider, bridged, joined):
        fast = inference_speed(model, "bf16", "vllm", better, gpus)
        if slow is not None and fast is not None:
            assert fast.step_s(16, 1000) <= slow.step_s(16, 1000) * (1 + 1e-9)
            assert fast.prefill_s(1000) <= slow.prefill_s(1000) * (1 + 1e-9)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(model_cards())),
    st.sampled_from(["bf16", "gptq-int4", "q4_k_m"]),
    st.sampled_from(["RTX4090", "A100-80GB", "L4", "H20-96GB"]),
    st.sampled_from([1, 2, 4, 8]),
    st.floats(1.0, 3.0),
    st.integers(1, 4000),
)
def test_more_memory_never_unfits(model, precision, gpu, gpus, factor, prompt):
    engine = "llama.cpp" if precision == "q4_k_m" else "vllm"
    card, small = model_card(model), accelerators()[gpu]
    large = replace(small, memory_gb=small.memory_gb * factor)
    room = [
        cache_capacity_tokens(card, precision, engine, one, gpus, prompt) for one in (small, large)
    ]
    assert max(room[1], 0) >= max(room[0], 0)


@settings(deadline=None)
@given(
    st.sampled_from(["Qwen2-72B", "Llama-3-8B", "Qwen3-30B-A3B", "Mixtral-8x7B"]),
    st.sampled_from(["vllm", "sglang", "tensorrt-llm", "transformers"]),
    st.sampled_from(["RTX4090", "A100-80GB", "H100-SXM5-80GB", "L40S", "B200-180GB"]),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 4000),
    st.integers(1, 2000),
)
def test_throughput_rises_with_concurrency_up_to_saturation(
    model, engine, gpu, gpus, prompt, output
):
    speed = inference_speed(model_card(model), "bf16", engine, accelerators()[gpu], gpus)
    assert speed is not None
    rates = [speed.output_tokens_per_s(n, prompt, output) for n in (1, 2, 4, 8, 16, 64, 256)]
    assert all(later >= earlier * (1 - 1e-9) for earlier, later in pairwise(rates))
    paces = [speed.token_s(n, prompt, output) for n in (1, 2, 4, 8, 16, 64, 256)]
    assert paces == sorted(paces)


@given(st.integers(1, 64), st.integers(16, 4000), st.integers(16, 2000))
def test_times_and_rates_have_the_units_they_claim(users, prompt, output):
    speed = inference_speed(
        model_card("Llama-3-8B"), "bf16", "vllm", accelerators()["A100-80GB"], 1
    )
    assert speed is not None
    # 15 GB at 1.2 to 2.0 TB/s; 16 GFLOP at 100 to 300 TFLOP/s.
    assert 0.006 < speed.weight_stream_s < 0.013
    assert 16e9 / 300e12 < speed.flop_s_per_token < 16e9 / 100e12
    cycle = output * speed.token_s(users, prompt, output) + speed.prefill_s(prompt)
    rate = speed.output_tokens_per_s(users, prompt, output)
    assert rate == pytest.approx(users * output / cycle)


def test_a_users_own_prefill_delays_his_first_token_and_not_his_pace():
    speed = inference_speed(
        model_card("Llama-3-8B"), "bf16", "vllm", accelerators()["A100-80GB"], 1
    )
    assert speed is not None
    assert speed.token_s(1, 4000, 10) == pytest.approx(speed.step_s(1, 4005))
    assert speed.ttft_s(1, 4000, 10) > speed.prefill_s(4000)
    assert speed.output_tokens_per_s(1, 4000, 10) < 0.5 / speed.token_s(1, 4000, 10)


@pytest.mark.parametrize(
    ("version", "day", "name"),
    [
        ("0.5.4", "", "vllm-0"),
        ("v0.6.3", "", "vllm-0.6"),
        ("0.11.0", "", "vllm-1"),
        ("", "2024-07-14", "vllm-0"),
        ("", "2025-01-01", "vllm-0.6"),
        ("nightly", "2026-01-01", "vllm-1"),
        ("", "", "vllm-1"),
    ],
)
def test_an_engines_generation_is_known_by_version_or_day(version, day, name):
    assert generation("vllm", version, day) == name


def test_an_older_engine_is_slower_and_todays_is_the_newest():
    lengths = {"prompt_tokens": 800, "output_tokens": 300}
    then, now = (speed_at(*DUAL, 1, as_of=day, **lengths) for day in ("2024-07-14", "2026-11-28"))
    assert not isinstance(then, Unfit)
    assert not isinstance(now, Unfit)
    assert then.tokens_per_s_per_user < 0.8 * now.tokens_per_s_per_user
    assert speed_at(*DUAL, 1, **lengths) == now


def test_an_unknown_card_takes_what_is_usual_for_all():
    card = replace(accelerators()["A100-80GB"], id="X1", family="X1")
    assert speed_class(card) == "other"
    known, unknown = (
        inference_speed(model_card("Llama-3-8B"), "bf16", "vllm", gpu, 1)
        for gpu in (accelerators()["A100-80GB"], card)
    )
    assert known is not None
    assert unknown is not None
    assert 1.0 < unknown.step_s(1, 500) / known.step_s(1, 500) < 1.6


served = st.tuples(
    st.sampled_from(["Qwen2-72B", "Llama-3-8B", "Qwen3-30B-A3B", "DeepSeek-V2-Lite", "Qwen2.5-7B"]),
    st.sampled_from(["bf16", "gptq-int4", "fp8"]),
    st.sampled_from(["vllm", "sglang", "transformers"]),
    st.sampled_from(["RTX4090", "A100-80GB", "H800-SXM5-80GB", "L40S"]),
    st.sampled_from([1, 2, 4]),
)
lengths = st.tuples(st.integers(1, 8000), st.integers(1, 2000))


@settings(deadline=None)
@given(served, lengths, st.integers(1, 400), st.integers(1, 400))
def test_more_users_never_raise_the_pace_of_one(case, length, fewer, more):
    fewer, more = sorted((fewer, more))
    options = {"prompt_tokens": length[0], "output_tokens": length[1]}
    few, many = (speed_at(*case, users, **options) for users in (fewer, more))
    if not isinstance(few, Unfit) and not isinstance(many, Unfit):
        assert many.tokens_per_s_per_user <= few.tokens_per_s_per_user * (1 + 1e-9)
        assert many.ttft_s >= few.ttft_s * (1 - 1e-9)


@settings(deadline=None)
@given(served, lengths, st.floats(1, 60))
def test_a_service_keeps_its_floor_and_its_memory(case, length, floor):
    options = {"prompt_tokens": length[0], "output_tokens": length[1]}
    sized = size_service(*case, floor_tokens_per_s=floor, ttft_s=None, **options)
    if isinstance(sized, Serving):
        assert sized.tokens_per_s_per_user >= floor * (1 - 1e-9)
        assert sized.memory.required_gb <= sized.memory.available_gb * (1 + 1e-9)
        assert sized.requests_per_s * length[1] == pytest.approx(sized.output_tokens_per_s)


@settings(deadline=None)
@given(served, lengths)
def test_a_higher_floor_never_lets_more_users_in(case, length):
    options = {"prompt_tokens": length[0], "output_tokens": length[1], "ttft_s": None}
    loose = size_service(*case, floor_tokens_per_s=5, **options)
    tight = size_service(*case, floor_tokens_per_s=20, **options)
    if isinstance(tight, Serving):
        assert isinstance(loose, Serving)
        assert loose.users >= tight.users


def test_offline_work_runs_at_more_users_and_more_tokens_than_a_service():
    service = size_service(*DUAL, floor_tokens_per_s=15, ttft_s=None, **CHAT)
    batch = size_batch(*DUAL, **CHAT)
    assert isinstance(service, Serving)
    assert isinstance(batch, Serving)
    assert batch.users >= service.users
    assert batch.output_tokens_per_s >= service.output_tokens_per_s
    assert batch.memory.required_gb <= batch.memory.available_gb


@pytest.mark.parametrize(
    ("case", "limits", "words"),
    [
        (("Qwen2-72B", "bf16", "vllm", "RTX4090", 2), (15, None), "weights of 145.4 GB do not fit"),
        (("Qwen2-72B", "q4_0", "llama.cpp", "M3Max-40c-128GB", 1), (15, None), "were asked for"),
        ((*DUAL,), (15, 0.05), "time to first token is"),
        ((*DUAL[:2], "ollama", "RTX4090", 2), (15, None), "reads GGUF files"),
        (("Qwen2-72B", "q8_0", "vllm", "RTX4090", 8), (15, None), "is a GGUF format"),
        (("Llama-3-8B", "bf16", "vllm", "M3Max-40c-128GB", 1), (15, None), "does not run on Apple"),
        (("Llama-3-8B", "bf16", "vllm", "V100-SXM2-32GB", 1), (15, None), "V100 has no bf16"),
        (("Llama-3-8B", "bf16", "llama.cpp", "M5Ultra-256GB", 1), (15, None), "is not known"),
    ],
)
def test_hardware_that_cannot_serve_says_why(case, limits, words):
    floor, ttft = limits
    sized = size_service(*case, floor_tokens_per_s=floor, ttft_s=ttft, **CHAT)
    assert isinstance(sized, Unfit)
    assert words in sized.reason


def test_a_prompt_beyond_the_context_is_refused():
    sized = size_batch(
        "Llama-3-8B", "bf16", "vllm", "A800-80GB", 1, prompt_tokens=9000, output_tokens=100
    )
    assert isinstance(sized, Unfit)
    assert "context of 8192" in sized.reason


@pytest.mark.parametrize("model", model_cards())
def test_every_known_model_has_a_pace_or_a_reason_on_eight_h800(model):
    sized = size_batch(
        model, "bf16", "vllm", "H800-SXM5-80GB", 8, prompt_tokens=500, output_tokens=200
    )
    assert sized.reason if isinstance(sized, Unfit) else sized.output_tokens_per_s > 0
