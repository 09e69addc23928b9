import json

import pytest
import typer
from typer.testing import CliRunner

from optimizer.cli.size import size
from optimizer.model_cards import UnknownModelError
from providers.hardware import UnknownHardwareError

runner = CliRunner()
app = typer.Typer()
app.command()(size)

DAY = ("--as-of", "2026-11-22")
DUAL = ("Qwen2-72B", "--on", "2x4090", "--precision", "gptq-int4", *DAY)


def run(*args: str) -> str:
    result = runner.invoke(app, list(args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def answer(*args: str) -> dict:
    return json.loads(run(*args, "--format", "json"))


def test_one_node_shows_its_pace_from_one_to_64_users():
    found = answer(*DUAL)
    assert [row["users"] for row in found["rows"]] == [1, 2, 4, 8, 16, 32, 64]
    paces = [row["tokens/s per user"] for row in found["rows"]]
    assert paces == sorted(paces, reverse=True)
    assert all(row["label"] in ("measured", "interpolated", "modelled") for row in found["rows"])


def test_the_memory_is_broken_down_in_words():
    memory = answer(*DUAL)["facts"]["memory at so many"]
    assert memory.startswith("weights 41.5 + KV cache")
    assert memory.endswith("of 47.4 GB")


def test_a_million_tokens_cost_the_node_hour_over_the_tokens_of_an_hour():
    found = answer(*DUAL)
    hourly = float(found["facts"]["price"].split()[0])
    row = found["rows"][-1]
    expected = hourly / (row["tokens/s"] * 3600) * 1e6
    assert float(row["CNY per million output tokens"]) == pytest.approx(expected, rel=0.01)


def test_another_currency_is_converted():
    usd = answer(*DUAL, "--currency", "usd")
    assert "USD/hour" in usd["facts"]["price"]
    assert "USD per million output tokens" in usd["rows"][0]


def test_hardware_without_a_price_says_so():
    found = answer("Llama-3-8B", "--on", "M3Max-40c-128GB", "--precision", "q4_k_m", *DAY)
    assert found["facts"]["price"] == "no price known"
    assert found["rows"][0]["CNY per million output tokens"] is None
    assert found["facts"]["engine"] == "llama.cpp"


def test_a_model_that_does_not_fit_says_by_how_much():
    text = run("Qwen2-72B", "--on", "2x4090", *DAY)
    assert "fits: no: weights of 145.4 GB do not fit 2 x RTX4090" in text


def test_a_floor_that_no_user_reaches_is_told_beside_the_table():
    text = run(*DUAL, "--floor", "100")
    assert "users within the limits: none: one user alone gets" in text


def test_without_hardware_all_of_it_is_ranked_by_the_cost_of_a_token():
    found = answer("Qwen2-72B", "--precision", "gptq-int4", *DAY)
    costs = [row["CNY per million output tokens"] for row in found["rows"]]
    known = [float(cost) for cost in costs if cost is not None]
    assert known == sorted(known)
    assert costs[len(known) :] == [None] * (len(costs) - len(known))
    assert "2xRTX4090" in [row["hardware"] for row in found["rows"]]
    assert found["unfit"]


def test_explain_gives_provenance_and_reasons():
    plain = run("Qwen2-72B", "--precision", "gptq-int4", *DAY)
    full = run("Qwen2-72B", "--precision", "gptq-int4", "--floor", "40", "--explain", *DAY)
    assert "--explain says why" in plain
    assert "provenance" not in plain
    assert "roofline" in full
    assert "do not fit" in full or "were asked for" in full


def test_training_on_one_node_shows_speed_utilisation_and_cost():
    found = answer("Qwen2-72B", "--train", "lora", "--on", "8xA800", *DAY)
    assert found["rows"][0]["MFU %"] > 10
    assert float(found["rows"][0]["CNY per million tokens"]) > 0
    assert "weights" in found["facts"]["memory of each GPU"]


def test_two_nodes_cost_twice_as_much_an_hour():
    one, two = (
        answer("Qwen2-72B", "--train", "lora", "--on", "8xA800", "--nodes", n, *DAY)["rows"][0]
        for n in ("1", "2")
    )
    per_hour = [float(row["CNY per million tokens"]) * row["tokens/s"] for row in (one, two)]
    assert per_hour[1] == pytest.approx(2 * per_hour[0], rel=0.01)


def test_full_training_of_70b_does_not_fit_one_server():
    text = run("Qwen2-72B", "--train", "full", "--on", "8xA800", *DAY)
    assert "fits: no: full training of Qwen2-72B takes" in text


def test_without_hardware_training_is_ranked_too():
    found = answer("Qwen2-72B", "--train", "qlora", *DAY)
    assert len(found["rows"]) > 10
    assert all(row["GB a GPU"] <= row["of GB"] for row in found["rows"])


@pytest.mark.parametrize("format", ["table", "csv", "md"])
def test_rows_come_in_every_form(format):
    text = run(*DUAL, "--format", format)
    assert "tokens/s per user" in text
    assert "64" in text


def test_csv_keeps_the_remarks_off_stdout():
    assert "price:" not in run(*DUAL, "--format", "csv")


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


def test_an_unknown_currency_is_refused():
    result = runner.invoke(app, [*DUAL, "--currency", "GBP"])
    assert result.exit_code == 2
