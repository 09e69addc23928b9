import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.estimate import Serving, Unfit, size_batch, size_service, speed_at
from optimizer.sizing.throughput import inference_speed, link_between
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


def test_the_export_cut_of_nvlink_shows_in_the_link_and_nowhere_else():
    cards = accelerators()
    full, cut = (link_between(cards[f"A{n}00-SXM4-80GB"], 8) for n in (1, 8))
    assert cut.bytes_per_s == pytest.approx(full.bytes_per_s * 400 / 600)
    assert cut.latency_s == full.latency_s
    hopper, cut = (link_between(cards[f"H{n}00-SXM5-80GB"], 8) for n in (1, 8))
    assert cut.bytes_per_s == pytest.approx(hopper.bytes_per_s * 400 / 900)


def test_a_card_without_peer_to_peer_has_the_slowest_link():
    cards = accelerators()
    rates = [
        link_between(cards[gpu], 2).bytes_per_s
        for gpu in ("RTX4090", "A100-PCIe-80GB", "A100-SXM4-80GB", "H100-SXM5-80GB")
    ]
    assert rates == sorted(rates)
    assert rates[0] == 5e9


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
