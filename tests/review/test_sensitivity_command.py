"""``rentopt sensitivity``: from a plan to tables and data, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from review_cases import HOSTILE, questions, tiny

from optimizer.review.sensitivity.ranges import compared_quote, seen_prices, spans
from optimizer.review.sensitivity.results import Basis
from optimizer.review.sensitivity.study import study
from optimizer.review.sensitivity.told import study_md, study_text
from providers.money import Money

TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"
MAIN = [sys.executable, "-c", "from optimizer.cli.main import main; main()"]


@pytest.fixture
def run(tmp_path):
    def runs(*arguments, code=0):
        done = subprocess.run(
            [*MAIN, *map(str, arguments)], capture_output=True, cwd=tmp_path, text=True,
            env={**os.environ, "RENTOPT_STORE": str(tmp_path / "none.db")}, timeout=120,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout, done.stderr

    return runs


@pytest.fixture
def plan(run, tmp_path):
    (tmp_path / "tiny.yaml").write_bytes(TINY.read_bytes())
    run("plan", "tiny.yaml", "--as-of", "2026-11-22", "--format", "json", "-o", "plan.json")
    return "plan.json"


def test_the_json_is_the_same_each_time_and_holds_every_part(run, plan):
    asked = ("sensitivity", plan, "--draws", 200, "--seed", 5, "--format", "json")
    text, _ = run(*asked)
    assert run(*asked)[0] == text
    body = json.loads(text)
    assert body["monte_carlo"]["seed"] == 5
    assert body["monte_carlo"]["draws"] == 200
    assert len(body["scenarios"]["scenarios"]) == 9
    assert Decimal(body["tornado"]["npv"]) < 0
    assert body["waiting"] is None


def test_the_table_names_every_assumption_with_what_its_range_rests_on(run, plan):
    text, _ = run("sensitivity", plan, "--draws", 100)
    assert "renting is cheaper by 309.41 CNY as planned" in text
    for words in ("no data: 20% either side", "published range: owning.pue", "seed 1"):
        assert words in text
    assert "NPV is 0 at" in text


def test_own_scenarios_come_from_a_file(run, plan, tmp_path):
    (tmp_path / "own.csv").write_text(
        "name,probability,rent,use\nboom,25 %,3,0.9\nbust,0.75,0.5,\n", encoding="utf-8"
    )
    text, _ = run("sensitivity", plan, "--scenarios", "own.csv", "--format", "json", "--draws", 10)
    table = json.loads(text)["scenarios"]
    assert [case["name"] for case in table["scenarios"]] == ["boom", "bust"]
    assert table["scenarios"][0]["values"] == [["rent", "3"], ["use", "0.9"]]
    assert table["how"] == "from own.csv"


def test_faulty_scenarios_are_refused_with_every_fault_and_its_line(run, plan, tmp_path):
    (tmp_path / "own.csv").write_text(
        "name,probability,rent\na,0.5,many\nb,half,1\n", encoding="utf-8"
    )
    _, told = run("sensitivity", plan, "--scenarios", "own.csv", code=2)
    assert "own.csv:2: rent: 'many' is no number" in told
    assert "own.csv:3: probability: 'half' is no number" in told
    (tmp_path / "own.csv").write_text("name,probability,rents\na,1,2\n", encoding="utf-8")
    _, told = run("sensitivity", plan, "--scenarios", "own.csv", code=2)
    assert "'rents' is no assumption; hint: there are rent, use" in told
    (tmp_path / "own.csv").write_text("name,probability\na,0.5\nb,0.4\n", encoding="utf-8")
    _, told = run("sensitivity", plan, "--scenarios", "own.csv", code=2)
    assert "the probabilities add up to 0.9, not to 1" in told


@pytest.mark.parametrize("text", ["rent:residual", "rent=0.5", "rent:residual=2", "a:b=x"])
def test_what_is_no_correlation_is_refused(run, plan, text):
    _, told = run("sensitivity", plan, "--correlation", text, code=2)
    assert "is no correlation between -1 and 1" in " ".join(told.replace("│", "").split())


def test_ranges_come_from_the_offers_of_the_plan_where_there_are_enough(tmp_path):
    _, problem = tiny()
    question = questions()["tiny"][0]
    rent = next(span for span in spans(question, problem) if span.driver == "rent")
    assert rent.basis is Basis.DATED
    assert rent.low <= question.lots[0].rent <= rent.high
    assert "offers of RTX4090 by the hour" in rent.source


def test_a_price_history_is_told_in_the_rent_of_the_question():
    _, problem = tiny()
    question = questions()["tiny"][0]
    offer = compared_quote(question, problem).listing.offer
    first = date(2026, 5, 1)
    changes = [
        (first + timedelta(30 * n), _at(offer, factor))
        for n, factor in enumerate(("0.5", "1", "2", "1.5", "1"))
    ]
    seen = seen_prices(question, problem, changes)
    assert [price.price / question.lots[0].rent for price in seen] == [
        Decimal(f) for f in ("0.5", "1", "2", "1.5", "1")
    ]
    rent = next(span for span in spans(question, problem, seen) if span.driver == "rent")
    assert rent.basis is Basis.HISTORY
    assert (rent.low, rent.high) == (question.lots[0].rent / 2, question.lots[0].rent * 2)


def _at(offer, factor):
    return replace(offer, price=Money(offer.price.amount * Decimal(factor), offer.price.currency))


def test_names_of_strangers_do_nothing_in_tables():
    plan, _ = tiny()
    found = study(questions()["base"][0], draws=10)
    bars = tuple(replace(bar, span=replace(bar.span, source=HOSTILE)) for bar in found.tornado.bars)
    odd = replace(found, tornado=replace(found.tornado, bars=bars))
    named = replace(plan, name=HOSTILE)
    markdown = study_md(odd, named)
    for text in (study_text(odd, named, width=100, color=False), markdown):
        assert all(line.isprintable() for line in text.splitlines())
    assert "<script>" in markdown
    assert "<script>" not in markdown.replace("\\<script>", "")
