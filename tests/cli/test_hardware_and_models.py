"""`rentopt hardware` and `rentopt models`: what is known, and from where."""

import csv
import io
import json

import pytest
import typer
from typer.testing import CliRunner

from optimizer.cli.hardware import hardware
from optimizer.cli.models import models
from optimizer.model_cards import UnknownModelError, model_cards
from optimizer.report.tables import Column, render
from providers.hardware import UnknownHardwareError, accelerators

app = typer.Typer()
app.command("hardware")(hardware)
app.command("models")(models)


def run(*arguments):
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def document(*arguments):
    return json.loads(run(*arguments, "--format", "json").stdout)


def test_all_accelerators_are_listed():
    listed = {card["id"] for card in document("hardware")["accelerators"]}
    assert listed == set(accelerators())


def test_a_family_is_listed_with_notes_and_sources():
    text = run("hardware", "4090").stdout
    assert "RTX4090" in text
    assert "A100" not in text
    assert "[TechPowerUp data" in text


def test_a_figure_that_is_not_known_is_a_dash_and_not_a_zero():
    [row] = csv.DictReader(io.StringIO(run("hardware", "M5 Ultra", "--format", "csv").stdout))
    assert (row["GB/s"], row["FP16 TFLOPS"]) == ("-", "-")
    assert row["checked"] == "partly"


def test_cards_are_chosen_by_stack_and_memory():
    cards = document("hardware", "--stack", "metal", "--min-memory", "128")["accelerators"]
    assert {card["stack"] for card in cards} == {"metal"}
    assert min(card["memory_gb"] for card in cards) >= 128


def test_purchase_prices_are_told_per_gpu_in_one_currency():
    told = document("hardware", "3090", "--prices", "--as-of", "2026-11-22")
    rig = next(p for p in told["purchase_prices"] if p["item"] == "4x RTX 3090 rig (consumer)")
    assert rig["low"] == {"amount": "3487", "currency": "USD"}
    assert rig["per_gpu"] == {"amount": "6193.81", "currency": "CNY"}
    assert rig["complete"] is True


def test_purchase_prices_of_july_2024_can_be_asked_for():
    text = run("hardware", "--prices", "--table", "china-2024-07", "--as-of", "2024-07-14").stdout
    assert "28,000 CNY" in text
    assert "6 purchase prices of 6 in table china-2024-07" in text


def test_an_unknown_card_is_refused_with_the_nearest():
    with pytest.raises(UnknownHardwareError, match="did you mean"):
        run("hardware", "RTX 4900")


def test_all_models_are_listed():
    assert [card["id"] for card in document("models")["models"]] == list(model_cards())


def test_a_model_is_shown_with_its_cache_and_source():
    text = run("models", "Qwen2-72B-Instruct").stdout
    assert "72.706" in text
    assert "320" in text
    assert "NeMo" in text


def test_models_are_chosen_by_size():
    cards = document("models", "--min-params", "65", "--max-params", "75")["models"]
    assert {"Qwen2-72B", "Llama-2-70B"} <= {card["id"] for card in cards}
    assert all(65 <= card["params_total_b"] <= 75 for card in cards)


def test_an_unknown_model_is_refused_with_the_nearest():
    with pytest.raises(UnknownModelError, match="did you mean"):
        run("models", "Qwen2-27B")


def test_a_table_prints_brackets_as_they_are():
    text = render(["a", Column("n", right=True)], [("[bold]x[/bold]", 5), ("y", None)])
    assert text.splitlines()[1].split() == ["[bold]x[/bold]", "5"]


def test_numbers_stand_to_the_right():
    assert render([Column("n", right=True)], [("1",), ("100",)]).splitlines() == [
        "  n",
        "  1",
        "100",
    ]


def test_wide_characters_keep_the_columns_in_line():
    lines = render(["name", "n"], [("恒源云", "1"), ("ab", "2")]).splitlines()
    assert lines[1].index("1") + 3 == lines[2].index("2")


def test_csv_and_markdown_quote_what_would_break_them():
    assert render(["a"], [("x,y",)], "csv") == 'a\n"x,y"\n'
    assert render(["a"], [("x|y\nz",)], "md") == "| a |\n| --- |\n| x\\|y z |\n"


def test_a_row_of_another_length_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="2 cells for 1 columns"):
        render(["a"], [(1, 2)])


def test_an_unknown_format_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="not table, csv or md"):
        render(["a"], [], "xml")


def test_a_terminal_gets_bold_titles_and_a_folded_last_column(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = render(["gpu", "note"], [("A100-SXM4-80GB", "one two three four five six seven eight")])
    lines = text.splitlines()
    assert "\x1b[1m" in lines[0]
    assert "A100-SXM4-80GB" in lines[1]
    assert len(lines) > 2
    assert "…" not in text
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in render(["gpu"], [("A800",)])
