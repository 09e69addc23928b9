import json
from pathlib import Path

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from optimizer.cli.size import size
from optimizer.model_cards import UnknownModelError
from optimizer.report.size.document import size_schema_text
from providers import hardware
from providers.errors import DocumentError, RentoptError
from providers.hardware import UnknownHardwareError

runner = CliRunner()
app = typer.Typer()
app.command()(size)

DAY = ("--as-of", "2026-11-22")
LENGTHS = ("--prompt-tokens", "1000")
DUAL = ("Qwen2-72B", "--on", "2x4090", "--precision", "gptq-int4", *LENGTHS, *DAY)
CONFIGS = Path(__file__).parents[1] / "model_cards" / "configs"


def run(*args: str) -> str:
    result = runner.invoke(app, list(args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def answer(*args: str) -> dict:
    found = json.loads(run(*args, "--format", "json"))
    jsonschema.validate(found, json.loads(size_schema_text()))
    return found


def node(*args: str) -> dict:
    (only,) = answer(*args)["nodes"]
    return only


def test_one_node_shows_its_pace_up_to_what_memory_holds():
    found = node(*DUAL)
    users = [pace["users"] for pace in found["curve"]]
    assert users == [1, 2, 4, 5, 8]
    assert found["curve"][-1]["running"] == found["most_users_in_memory"] == 5
    paces = [pace["tokens_per_s_per_user"] for pace in found["curve"]]
    assert paces == sorted(paces, reverse=True)
    labels = {pace["label"] for pace in found["curve"]}
    assert labels <= {"measured", "interpolated", "modelled"}


def test_the_memory_is_broken_down_in_words():
    text = run(*DUAL)
    assert "weights 41.6 + KV cache 2.1 + work 0.7 + engine 0.8 = 45.3 of 45.7 GB" in text
    assert "claimed: 46.9 GB" in text


def test_required_and_claimed_memory_are_told_apart():
    small = node("Qwen2.5-0.5B", "--on", "1x4090", "--users", "1", *DAY)["memory"]
    assert small["required_gb"] < 3
    assert small["claimed_gb"] > 22


def test_a_million_tokens_cost_the_node_hour_over_the_tokens_of_an_hour():
    found = node(*DUAL)
    hourly, last = float(found["price"]["node_hour"]), found["curve"][-1]
    expected = hourly / (last["tokens_per_s"] * 3600) * 1e6
    assert float(last["per_million"]) == pytest.approx(expected, rel=0.01)


def test_another_currency_is_converted():
    assert node(*DUAL, "--currency", "usd")["price"]["currency"] == "USD"
    assert "USD/M" in run(*DUAL, "--currency", "usd")


def test_hardware_without_a_price_says_so():
    args = ("Llama-3-8B", "--on", "M3Max-40c-128GB", "--precision", "q4_k_m", *DAY)
    found = node(*args)
    assert found["price"] is None
    assert found["curve"][0]["per_million"] is None
    assert found["engine"] == "llama.cpp"
    assert "price: no price known" in run(*args)


def test_a_model_that_does_not_fit_says_by_how_much_and_what_would_do():
    found = node("Qwen2-72B", "--on", "2x4090", *DAY)
    assert not found["fits"]
    assert found["reason"].startswith("weights of 145.4 GB do not fit 2 x RTX4090")
    changes = {entry["change"]: entry["value"] for entry in found["remedies"]}
    assert changes == {"precision": "awq-int4", "gpus": 8}
    text = run("Qwen2-72B", "--on", "2x4090", *DAY)
    assert "it fits with any one of:\n  --precision awq-int4" in text


def test_every_remedy_makes_it_fit():
    args = ("Qwen2-72B", "--on", "2x4090", "--precision", "gptq-int4", *DAY, "--users", "8")
    found = node(*args)
    assert "the cache holds 5 requests of 1300 tokens at once" in found["reason"]
    changes = {entry["change"] for entry in found["remedies"]}
    assert {"kv_precision", "context", "users", "gpus"} <= changes
    for entry in found["remedies"]:
        option, value = entry["words"].split()[:2]
        assert node(*args, option, value)["fits"], entry


def test_layers_in_host_memory_make_room_and_cost_speed():
    args = ("Qwen2-72B", "--on", "1x4090", "--precision", "q4_k_m", *DAY)
    (offload,) = [e for e in node(*args)["remedies"] if e["change"] == "offload_layers"]
    fewest = offload["value"]
    assert not node(*args, "--offload-layers", str(fewest - 1))["fits"]
    found = node(*args, "--offload-layers", str(fewest), "--floor", "0.1")
    assert found["memory"]["host_gb"] > 20
    whole = node("Qwen2-72B", "--on", "2x4090", "--precision", "q4_k_m", *DAY)
    assert found["curve"][0]["tokens_per_s"] < whole["curve"][0]["tokens_per_s"] / 4


def test_an_engine_that_leaves_no_layers_out_says_so():
    found = node(*DUAL, "--offload-layers", "4")
    assert found["reason"].startswith("vllm leaves no layers in host memory")


def test_a_cache_of_8_bits_carries_more_and_one_that_the_engine_lacks_is_refused():
    assert node(*DUAL, "--kv-precision", "fp8")["most_users_in_memory"] == 11
    assert "not in int8" in node(*DUAL, "--kv-precision", "int8")["reason"]


def test_the_context_is_prompt_and_answer():
    found = answer(*DUAL, "--context", "2000")["question"]
    assert (found["prompt_tokens"], found["output_tokens"]) == (1700, 300)
    assert node(*DUAL, "--context", "2000")["most_users_in_memory"] == 3


def test_the_longest_new_prompt_shrinks_as_the_load_grows():
    longest = [
        node(*DUAL, "--users", users)["longest_prompt_tokens"] for users in ("1", "2", "4", "5")
    ]
    assert longest == sorted(longest, reverse=True)
    assert longest[0] > 3 * longest[-1]


def test_a_configuration_stands_for_a_model_and_brings_its_precision():
    path = str(CONFIGS / "Qwen2-72B-Instruct-GPTQ-Int4.json")
    found = answer(path, "--on", "2x4090", *DAY)
    assert found["question"]["precision"] == "gptq-int4"
    # The build's padded MLP gives a little more to work on than the model's own.
    assert found["nodes"][0]["memory"] == pytest.approx(node(*DUAL)["memory"], abs=0.02)
    assert answer(path, "--on", "2x4090", "--precision", "fp8", *DAY)["nodes"][0]["fits"] is False
    assert "Qwen2-72B-Instruct-GPTQ-Int4 gptq-int4" in run(path, "--on", "2x4090", *DAY)


def test_a_floor_that_no_user_reaches_is_told_beside_the_table():
    text = run(*DUAL, "--floor", "100")
    assert "users within the limits: none; one user alone gets" in text
    assert node(*DUAL, "--floor", "100")["users"] == 0


def test_without_hardware_all_of_it_is_ranked_by_the_cost_of_a_token():
    found = answer("Qwen2-72B", "--precision", "gptq-int4", *DAY)["nodes"]
    fitting = [entry for entry in found if entry["fits"]]
    costs = [entry["per_million"] for entry in fitting]
    known = [float(cost) for cost in costs if cost is not None]
    assert known == sorted(known)
    assert costs[len(known) :] == [None] * (len(costs) - len(known))
    assert "2xRTX4090" in [entry["hardware"] for entry in fitting]
    assert all(entry["reason"] for entry in found if not entry["fits"])


def test_hardware_that_carries_too_few_users_is_out():
    found = answer("Qwen2-72B", "--precision", "gptq-int4", "--users", "16", *DAY)["nodes"]
    assert all(entry["users"] >= 16 for entry in found if entry["fits"])
    assert any("and 16 were asked for" in entry["reason"] for entry in found)


def test_explain_puts_the_numbers_into_the_formulas():
    text = run(*DUAL, "--users", "4", "--explain")
    assert "70.213 B linear x 4.156 bits, padded = 36.61 GB" in text
    assert "cache of a token: 80 layers x 1024 keys and values x 16 bits = 160.0 KiB" in text
    assert "cache: 4 x 1300 tokens in blocks of 16 = 4 x 0.215 = 0.86 GB" in text
    assert "vllm takes 0.90 of it (gpu_memory_utilization)" in text
    assert "expected error: weights within 1 %" in text
    assert "measurements nearby" in text
    assert answer(*DUAL, "--explain")["explanation"]
    assert not answer(*DUAL)["explanation"]


def test_explain_names_measurements_with_what_the_model_alone_says():
    text = run("Llama-3-8B", "--on", "1x4090", "--precision", "q4_k_m", "--explain", *DAY)
    assert "XD-0009: Llama-3-8B Q4_K_M, llama.cpp, 1xRTX4090" in text
    assert "; model " in text


def test_explain_says_why_hardware_is_out():
    plain = run("Qwen2-72B", "--precision", "gptq-int4", *DAY)
    full = run("Qwen2-72B", "--precision", "gptq-int4", "--explain", *DAY)
    assert "--explain says why" in plain
    assert "provenance" not in plain
    assert "provenance" in full
    found = answer("Qwen2-72B", "--precision", "gptq-int4", *DAY)["nodes"]
    out = [entry for entry in found if not entry["fits"]]
    assert out
    assert all(f"{entry['hardware']}: {entry['reason']}" in full for entry in out)


def test_the_chart_draws_the_batching_curve():
    text = run(*DUAL, "--chart")
    bars = [line.count("█") for line in text.splitlines() if "█" in line]
    assert bars == sorted(bars)
    assert bars[-1] == 46
    assert "below the floor" in text


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_an_image_is_the_curve_and_the_same_each_time(tmp_path, ending):
    first, second = (tmp_path / f"{name}.{ending}" for name in ("a", "b"))
    run(*DUAL, "--output", str(first))
    run(*DUAL, "--output", str(second))
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 5000


def test_there_is_no_curve_without_one_node(tmp_path):
    for args in (("Qwen2-72B", "--chart"), ("Qwen2-72B", "--train", "lora", "--chart")):
        result = runner.invoke(app, [*args, *DAY])
        assert result.exit_code == 2
        assert "no batching curve" in result.output
    with pytest.raises(RentoptError, match="does not fit"):
        run("Qwen2-72B", "--on", "1x4090", "-o", str(tmp_path / "a.png"), *DAY)


def test_the_output_can_be_a_file(tmp_path):
    path = tmp_path / "answer.json"
    assert run(*DUAL, "--format", "json", "-o", str(path)) == ""
    assert path.read_text(encoding="utf-8") == run(*DUAL, "--format", "json")


def test_training_on_one_node_shows_speed_utilisation_and_cost():
    found = node("Qwen2-72B", "--train", "lora", "--on", "8xA800", *DAY)
    assert found["mfu"] > 0.10
    assert float(found["per_million"]) > 0
    assert found["memory"]["weights_gb"] > 10
    assert "memory of each GPU: weights" in run(
        "Qwen2-72B", "--train", "lora", "--on", "8xA800", *DAY
    )


def test_two_nodes_cost_twice_as_much_an_hour():
    one, two = (
        node("Qwen2-72B", "--train", "lora", "--on", "8xA800", "--nodes", n, *DAY)
        for n in ("1", "2")
    )
    per_hour = [float(entry["per_million"]) * entry["tokens_per_s"] for entry in (one, two)]
    assert per_hour[1] == pytest.approx(2 * per_hour[0], rel=0.01)


def test_full_training_of_70b_does_not_fit_one_server():
    text = run("Qwen2-72B", "--train", "full", "--on", "8xA800", *DAY)
    assert "fits: no; full training of Qwen2-72B takes" in text


def test_without_hardware_training_is_ranked_too():
    found = answer("Qwen2-72B", "--train", "qlora", *DAY)["nodes"]
    fitting = [entry for entry in found if entry["fits"]]
    assert len(fitting) > 10
    for entry in fitting:
        assert entry["memory"]["required_gb"] <= entry["memory"]["available_gb"]


@pytest.fixture
def forgotten():
    """What a test makes known is forgotten after it."""
    yield
    hardware._own.clear()
    hardware.register(())


@pytest.mark.usefixtures("forgotten")
def test_hardware_of_ones_own_is_sized_like_any_other(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,memory_gb,bandwidth_gb_s,fp16_tflops\nMyCard-64G,64,1500,200\n", encoding="utf-8"
    )
    args = ("Qwen2-72B", "--precision", "gptq-int4", "--hardware-file", str(path), *DAY)
    assert node(*args, "--on", "1xMyCard-64G")["fits"]
    assert "MyCard-64G" in [entry["hardware"][2:] for entry in answer(*args)["nodes"]]


def test_a_fault_in_ones_own_hardware_is_told_with_its_line(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id,memory_gb\nRTX4090,48\nMine,many\n", encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        run("Qwen2-72B", "--hardware-file", str(path), *DAY)
    told = [str(fault) for fault in caught.value.faults]
    assert "mine.csv:2" in told[0]
    assert "'RTX4090' is in the bundled table already" in told[0]
    assert "mine.csv:3" in told[1]


@pytest.mark.parametrize("format", ["table", "csv", "md"])
def test_rows_come_in_every_form(format):
    text = run(*DUAL, "--format", format)
    assert "tokens/s" in text
    assert "modelled" in text


def test_csv_keeps_the_remarks_off_stdout():
    assert "price:" not in run(*DUAL, "--format", "csv")


def test_a_terminal_of_100_columns_holds_every_table():
    for args in (DUAL, ("Qwen2-72B", "--precision", "gptq-int4", *DAY)):
        table = [line for line in run(*args).splitlines() if line.endswith("modelled")]
        assert table
        assert max(map(len, table)) <= 100


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("Qwenn2-72B",), UnknownModelError),
        (("Qwen2-72B", "--on", "3x4900"), UnknownHardwareError),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(args, error):
    with pytest.raises(error, match="did you mean"):
        runner.invoke(app, list(args), catch_exceptions=False)


def test_an_unknown_precision_is_refused_with_the_nearest():
    result = runner.invoke(app, ["Qwen2-72B", "--precision", "gptq-int5"])
    assert result.exit_code == 2
    assert "no number format; did you mean" in " ".join(result.output.split())


def test_an_unknown_currency_is_refused():
    result = runner.invoke(app, [*DUAL, "--currency", "GBP"])
    assert result.exit_code == 2
