import time

import pytest

from optimizer.model_cards import model_card
from optimizer.sizing.estimate import (
    Serving,
    SpeedAt,
    Training,
    Unfit,
    size_batch,
    size_service,
    size_training,
    speed_at,
)
from optimizer.sizing.measured import (
    inference_rows,
    published,
    shape,
    sources,
    training_rows,
)
from providers.hardware import accelerators

DUAL = ("Qwen2-72B", "gptq-int4", "vllm", "RTX4090", 2)
CHAT = {"prompt_tokens": 500, "output_tokens": 300}
LLAMA = ("Llama-3-8B", "bf16", "vllm", "RTX4090", 1)
SHORT = {"prompt_tokens": 200, "output_tokens": 200}


def test_every_measurement_has_an_address_a_date_and_known_hardware():
    assert len(inference_rows()) > 2000
    assert len(training_rows()) > 400
    for row in (*inference_rows(), *training_rows()):
        assert "." in row.source or row.id.startswith("ART-")
        assert row.date[:4].isdigit()
        assert row.hardware in accelerators()
    assert {row.source for row in inference_rows()} <= {
        address for address, _ in sources().values()
    }


def test_measurements_are_positive_numbers():
    assert all(row.value > 0 for row in inference_rows())
    assert all((row.tokens_per_s or 1) > 0 for row in training_rows())


def test_models_of_one_shape_share_their_measurements():
    assert shape(model_card("Qwen2-72B")) == shape(model_card("Qwen2.5-72B"))
    assert shape(model_card("Llama-3-70B")) == shape(model_card("Llama-3.3-70B"))
    assert shape(model_card("Qwen2-72B")) != shape(model_card("Qwen-72B"))


def pace(users: int) -> SpeedAt:
    found = speed_at(*LLAMA, users, **SHORT)
    assert isinstance(found, SpeedAt)
    return found


def test_a_measured_concurrency_says_whose_measurement_it_is():
    assert pace(16).label == "measured"
    assert "github.com" in pace(16).provenance


def test_a_concurrency_between_two_measured_ones_is_interpolated_between_them():
    assert pace(10).label == "interpolated"
    assert "between" in pace(10).provenance
    assert (
        pace(32).tokens_per_s_per_user
        <= pace(10).tokens_per_s_per_user
        <= pace(4).tokens_per_s_per_user
    )


def test_a_concurrency_outside_the_measured_ones_is_modelled():
    assert pace(1).label == "modelled"


def test_a_measurement_of_a_longer_prompt_counts_halfway():
    far = speed_at(*LLAMA, 16, prompt_tokens=1500, output_tokens=500)
    assert isinstance(far, SpeedAt)
    assert far.label == "interpolated"
    assert "scaled by the model from" in far.provenance


def test_an_a800_alone_runs_like_an_a100():
    case = ("Qwen2.5-7B", "bf16", "vllm")
    paces = [
        speed_at(*case, gpu, 1, 1, prompt_tokens=1, output_tokens=2000)
        for gpu in ("A100-80GB", "A800-80GB")
    ]
    assert all(isinstance(found, SpeedAt) and found.label == "measured" for found in paces)
    first, second = (found.tokens_per_s_per_user for found in paces if isinstance(found, SpeedAt))
    assert first == pytest.approx(second, rel=0.01)


def test_a_published_training_speed_is_taken_as_it_stands():
    row = next(
        row
        for row in training_rows()
        if row.id.startswith("FQ") and row.method == "qlora" and row.gpus == 2
    )
    sized = size_training(
        row.model,
        row.method,
        row.hardware,
        row.gpus,
        1,
        sequence_tokens=row.sequence_tokens or 1,
        micro_batch=row.micro_batch or 1,
        accumulation=8,
    )
    assert isinstance(sized, Training)
    assert sized.label == "measured"
    assert row.id.split("-")[0] in sized.provenance


@pytest.mark.parametrize(
    ("engine", "precision", "totals"),
    [
        ("vllm", "gptq-int4", {1: 15, 2: 30, 32: 300}),
        ("ollama", "q4_0", {1: 15, 2: 30, 4: 30, 32: 30}),
    ],
)
def test_two_4090_show_the_articles_rates_where_no_lengths_are_stated(engine, precision, totals):
    case = ("Qwen2-72B-Instruct", precision, engine, "RTX4090", 2)
    unstated = {"prompt_tokens": 1000, "output_tokens": 300, "lengths_stated": False}
    for users, total in totals.items():
        found = speed_at(*case, users, **unstated)
        assert isinstance(found, SpeedAt)
        assert found.label == "measured"
        assert "2024-07-14" in found.provenance
        assert found.output_tokens_per_s == pytest.approx(total, rel=0.10)
        assert found.modelled_tokens_per_s_per_user != found.tokens_per_s_per_user
        assert found.band.low < 1.0 < found.band.high
    between = speed_at(*case[:2], "vllm", *case[3:], 8, **unstated) if engine == "vllm" else None
    if isinstance(between, SpeedAt):
        assert between.label == "interpolated"


def test_the_articles_rates_do_not_stand_for_lengths_that_are_stated():
    case = ("Qwen2-72B", "gptq-int4", "vllm", "RTX4090", 2)
    found = speed_at(*case, 32, prompt_tokens=1000, output_tokens=300)
    assert isinstance(found, SpeedAt)
    assert found.label == "modelled"
    assert found.running < 32


def test_a_sibling_card_with_the_same_chip_is_scaled_from():
    case = ("Qwen2.5-7B", "bf16", "vllm")
    plain, cut = (
        speed_at(*case, gpu, 1, 26, prompt_tokens=200, output_tokens=200)
        for gpu in ("RTX4090", "RTX4090D")
    )
    assert isinstance(plain, SpeedAt)
    assert isinstance(cut, SpeedAt)
    assert (plain.label, cut.label) == ("measured", "interpolated")
    assert "scaled by the model from" in cut.provenance
    assert cut.tokens_per_s_per_user < plain.tokens_per_s_per_user


def test_rows_that_siblings_contradict_are_never_looked_up():
    suspects = [row for row in inference_rows() if row.suspect]
    assert suspects
    listed = {row.id for rows in published().values() for row in rows}
    assert not listed & {row.id for row in suspects}


def test_the_users_own_rate_beats_the_model():
    sized = size_service(
        *DUAL, floor_tokens_per_s=15, ttft_s=None, measured=[("RTX4090", 2, 400.0, 20)], **CHAT
    )
    assert isinstance(sized, Serving)
    assert (sized.users, sized.tokens_per_s_per_user) == (20, 20.0)
    assert (sized.label, sized.provenance) == ("measured", "measured by the user")


def test_the_largest_measured_level_that_keeps_the_floor_counts():
    levels = [("RTX4090", 2, 15.0, 1), ("RTX4090", 2, 30.0, 2), ("RTX4090", 2, 300.0, 32)]
    patient = size_service(*DUAL, floor_tokens_per_s=9, ttft_s=None, measured=levels, **CHAT)
    reader = size_service(*DUAL, floor_tokens_per_s=15, ttft_s=None, measured=levels, **CHAT)
    hasty = size_service(*DUAL, floor_tokens_per_s=16, ttft_s=None, measured=levels, **CHAT)
    assert isinstance(patient, Serving)
    assert isinstance(reader, Serving)
    assert isinstance(hasty, Unfit)
    assert (patient.users, reader.users) == (32, 2)
    assert "15.0 tokens/s per user were measured" in hasty.reason


def test_a_rate_without_users_is_shared_out_at_the_floor():
    sized = size_service(
        *DUAL, floor_tokens_per_s=15, ttft_s=None, measured=[("RTX4090", 2, 310.0, None)], **CHAT
    )
    assert isinstance(sized, Serving)
    assert sized.users == 20


def test_a_rate_on_other_hardware_changes_nothing():
    plain = size_batch(*DUAL, **CHAT)
    assert size_batch(*DUAL, measured=[("RTX4090", 4, 999.0, None)], **CHAT) == plain
    own = size_batch(*DUAL, measured=[("RTX4090", 2, 999.0, None)], **CHAT)
    assert isinstance(own, Serving)
    assert own.output_tokens_per_s == 999.0


def test_a_measured_node_is_carried_to_several_by_the_models_scaling():
    batch = {"sequence_tokens": 4096, "micro_batch": 1, "accumulation": 8}
    gang = ("Qwen2-72B", "lora", "A800-80GB", 8)
    own = [("A800-80GB", 8, 3000.0, None)]
    one = size_training(*gang, 1, measured=own, **batch)
    two = size_training(*gang, 2, measured=own, **batch)
    assert isinstance(one, Training)
    assert isinstance(two, Training)
    assert one.tokens_per_s == 3000.0
    assert 3000 < two.tokens_per_s <= 6000
    assert "scaled to 2" in two.provenance


def test_a_users_rate_counts_even_where_the_memory_model_sees_no_room():
    sized = size_training(
        "Qwen2-72B",
        "full",
        "A800-80GB",
        8,
        1,
        sequence_tokens=4096,
        micro_batch=1,
        accumulation=8,
        measured=[("A800-80GB", 8, 500.0, None)],
    )
    assert isinstance(sized, Training)
    assert not sized.memory.fits


def test_a_plan_asks_hundreds_of_questions_in_a_blink():
    size_service(*DUAL, floor_tokens_per_s=15, ttft_s=None, **CHAT)  # the tables are read once
    begun = time.process_time()
    for n in range(200):
        size_service(
            *DUAL, floor_tokens_per_s=15, ttft_s=None, prompt_tokens=400 + n, output_tokens=300
        )
    for n in range(500):
        size_training(
            "Qwen2-72B",
            "lora",
            "A800-80GB",
            8,
            1 + n % 8,
            sequence_tokens=4000 + n,
            micro_batch=1,
            accumulation=8,
        )
    assert time.process_time() - begun < 1.0  # 0.02 s of an idle core


def test_an_old_generation_of_the_engine_does_not_pass_for_todays():
    """vLLM 0.2 gave one user of a 70B model 34 tokens/s on eight H100; today twice that."""
    case = ("Llama-2-70B", "bf16", "vllm", "H100-SXM5-80GB", 8, 1)
    lengths = {"prompt_tokens": 500, "output_tokens": 200}
    then = speed_at(*case, as_of="2024-01-31", **lengths)
    now = speed_at(*case, **lengths)
    assert isinstance(then, SpeedAt)
    assert isinstance(now, SpeedAt)
    assert then.label == "measured"
    assert now.label == "interpolated"
    assert now.tokens_per_s_per_user > 1.5 * then.tokens_per_s_per_user
