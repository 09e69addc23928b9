"""The scenarios document: every fault with its place; the starter; the command."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from cases import SCENARIOS, book, listed, schedule
from ruamel.yaml import YAML
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.schedule.load import parse_schedule
from optimizer.schedule.starters import STARTERS, starter
from optimizer.uncertainty.document import scenarios_schema_text
from providers.book import bundled_book
from providers.errors import DocumentError
from providers.price_table import write_offers

HEAD = "rentopt_scenarios: 1\nknown_from: 2026-12-20\n"


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        listed(folder, text).scenarios(schedule(), book())
    return [str(fault).removeprefix(f"{folder}/") for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            HEAD + "scenarios:\n  - {name: a, probability: 50 %}\n  - {name: b, probability: 40 %}",
            [
                "scenarios.yaml:4:3: scenarios: the probabilities add up to 90 %, expected 100 %; "
                "hint: 10 % is missing"
            ],
        ),
        (
            HEAD + "scenarios:\n  - {name: a, probability: 50 %}\n  - {name: a, probability: 50 %}",
            [
                "scenarios.yaml:5:12: scenarios.1.name: two scenarios are called 'a'; "
                "hint: give each its own name"
            ],
        ),
        (
            HEAD + "scenarios:\n  - name: a\n    probability: 100 %\n    rents: {all: 2}",
            [
                "scenarios.yaml:6:5: scenarios.0.rents: unknown key 'rents'; "
                "hint: did you mean 'rent'?"
            ],
        ),
        (
            HEAD + "scenarios:\n  - {name: a, probability: 100 %, rent: {acmee: 2, all: 0}}",
            [
                "scenarios.yaml:4:57: scenarios.0.rent.all: expected a factor above 0, at most "
                "1000, found 0"
            ],
        ),
        (
            HEAD + "scenarios:\n  - {name: a, probability: 1, rent: {acmee: 2}, load: {chatt: 2}}",
            [
                "scenarios.yaml:4:38: scenarios.0.rent.acmee: 'acmee' is no provider, purchase "
                "model, tier, offer, GPU or node such as 8xA800 that the prices or the hardware "
                "table know; hint: did you mean acme, acme/dear, acme/two?",
                "scenarios.yaml:4:56: scenarios.0.load.chatt: there is no workload 'chatt' in the "
                "schedule; hint: did you mean 'chat'?",
            ],
        ),
        (
            HEAD.replace("12-20", "12-01") + "scenarios: [{name: a, probability: 1}]",
            [
                "scenarios.yaml:2:13: known_from: 2026-12-01 is not after the schedule's first "
                "day, 2026-12-01; hint: nothing would be open, or nothing agreed"
            ],
        ),
        (HEAD, ["scenarios.yaml:1:1: expected `scenarios` or `generated`, found neither"]),
        ("- a", ["scenarios.yaml:1:1: expected a mapping with `rentopt_scenarios: 1`, "
                 "`known_from:` and `scenarios:`"]),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, said: list[str]) -> None:
    assert faults(tmp_path, text) == said


def test_factors_that_fit_multiply_and_delays_add_up(tmp_path: Path) -> None:
    text = HEAD + (
        "scenarios:\n  - name: a\n    probability: 100 %\n"
        "    rent: {all: 2, acme: 1.5, spot: 3}\n    load: {all: 2, chat: 110 %}\n"
        "    delay: {all: 3 days, 1xRTX4090: 1 week}\n"
    )
    (scenario,) = listed(tmp_path, text).scenarios(schedule(), book())
    factors = {offer.sku: float(scenario.rent_factor(offer)) for offer in book().offers}
    assert factors["acme/hour"] == 3
    assert factors["other/hour"] == 2
    assert factors["acme/spot"] == 9
    assert float(scenario.load_factor("chat")) == pytest.approx(2.2)
    assert float(scenario.load_factor("tune")) == 2
    assert scenario.days_late("1xRTX4090") == 10
    assert scenario.words == (
        "rent x 2, rent of acme x 1.5, 1 more rent, load x 2, load of chat x 1.1, "
        "delivery 3 days late, delivery 7 days late of 1xRTX4090"
    )


@pytest.mark.parametrize("name", ["inference", "mixed", "training"])
def test_the_starter_suits_the_starters_of_schedules(tmp_path: Path, name: str) -> None:
    assert name in STARTERS
    whole = parse_schedule(starter(name), f"{name}.yaml")
    prices = bundled_book("current", as_of=whole.first_day)
    scenarios = listed(tmp_path, starter("scenarios")).scenarios(whole, prices)
    assert [s.name for s in scenarios] == ["as planned", "success", "quiet"]


def test_the_published_schema_takes_the_starter_and_refuses_faults() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(scenarios_schema_text()))
    plain = YAML(typ="safe").load(SCENARIOS)
    plain["known_from"] = str(plain["known_from"])
    assert list(validator.iter_errors(plain)) == []
    assert list(validator.iter_errors(plain | {"known": 1}))
    assert list(validator.iter_errors({"rentopt_scenarios": 1}))


# -- the command ---------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A schedule of ten days with its prices, and scenarios for it."""
    (tmp_path / "prices.csv").write_bytes(write_offers(book().offers))
    text = """
rentopt: 1
name: small
currency: CNY
horizon: {start: 2026-12-01, days: 40 days}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    phases: [{users: 30}]
    floor: 20 tokens/s
    hardware: {allow: [RTX4090]}
market: {quotes: [prices.csv], providers: {allow: [acme, other]}}
"""
    (tmp_path / "schedule.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "scenarios.yaml").write_text(
        HEAD.replace("12-20", "12-05")
        + "scenarios:\n  - {name: few, probability: 60 %, load: {all: 0.2}}\n"
        "  - {name: many, probability: 40 %, load: {chat: 3}, rent: {all: 1.5}}\n",
        encoding="utf-8",
    )
    return tmp_path


def run(*args: object):
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_the_command_says_what_to_sign_and_its_plans_hold(files: Path) -> None:
    asked = (files / "schedule.yaml", files / "scenarios.yaml")
    places = ("--store", "none", "--gap", "0.05%")
    done = run("hedge", *asked, *places, "--format", "json", "--plans", files / "plans")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [line["scenario"] for line in found["outcomes"]] == ["few", "many"]
    assert found["weight"] == "0"
    published = jsonschema.Draft202012Validator(json.loads(run("schema", "--of", "hedge").stdout))
    published.validate(found)
    assert not published.is_valid(found | {"objective": 1.5})
    assert not published.is_valid({key: x for key, x in found.items() if key != "outcomes"})
    for name in ("few", "many"):
        plan = files / "plans" / f"{name}.json"
        given = ("--scenarios", asked[1], "--scenario", name, "--store", "none")
        held = run("verify", plan, asked[0], *given)
        assert held.exit_code == 0, held.output
        other = "many" if name == "few" else "few"
        lost = run("verify", plan, asked[0], "--scenarios", asked[1], "--scenario", other,
                   "--store", "none")  # fmt: skip
        assert lost.exit_code != 0
    again = run("hedge", *asked, *places, "--format", "json")
    assert again.stdout == done.stdout
    worst = run("hedge", *asked, *places, "--risk", "cvar", "--level", "80%", "--weight", "0.5")
    assert "50.0 % expected cost, 50.0 % CVaR at 80.0 %" in worst.stdout
    for format in ("md", "csv"):
        assert "many" in run("hedge", *asked, *places, "--format", format).stdout


def test_options_that_go_together_are_asked_for_together(files: Path) -> None:
    asked = (files / "schedule.yaml", files / "scenarios.yaml")
    assert run("hedge", *asked, "--weight", "0.5").exit_code == 2
    assert run("verify", files / "scenarios.yaml", asked[0], "--scenario", "few").exit_code == 2


def test_a_starter_of_scenarios_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init", "scenarios").exit_code == 0
    assert (tmp_path / "scenarios.yaml").read_text() == starter("scenarios")
    assert "rentopt hedge" in run("init", "--list").stdout
    assert json.loads(run("schema", "--of", "scenarios").stdout)["title"] == "rentopt scenarios"
