"""``rentopt sensitivity``: from a plan to tables and data, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from review_cases import HOSTILE, questions, tiny
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.report.plan_json import plan_to_json
from optimizer.review.sensitivity.ranges import compared_quote, seen_prices, spans
from optimizer.review.sensitivity.results import Basis
from optimizer.review.sensitivity.study import study
from optimizer.review.sensitivity.told import study_md, study_text
from providers.adapter import ProviderTable, Snapshot
from providers.errors import RentoptError
from providers.money import Money
from providers.store import open_store
from providers.stored import price_changes

TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"


def run(folder, *arguments, code=0):
    """What the command prints and, where it is refused, what it says."""
    asked = ["sensitivity", str(folder / "plan.json"), "--store", "none", *map(str, arguments)]
    done = CliRunner().invoke(app, asked, env={"COLUMNS": "200"})
    if isinstance(done.exception, RentoptError):
        assert done.exception.exit_code == code
        return str(done.exception)
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tiny.yaml").write_bytes(TINY.read_bytes())
    (tmp_path / "plan.json").write_text(plan_to_json(tiny()[0]), encoding="utf-8")
    return tmp_path


def test_the_json_is_the_same_each_time_and_holds_every_part(folder):
    asked = ("--draws", 200, "--seed", 5, "--format", "json")
    text = run(folder, *asked)
    assert run(folder, *asked) == text
    body = json.loads(text)
    assert body["monte_carlo"]["seed"] == 5
    assert body["monte_carlo"]["draws"] == 200
    assert len(body["scenarios"]["scenarios"]) == 9
    assert Decimal(body["tornado"]["npv"]) < 0
    assert body["waiting"] is None


def test_the_table_names_every_assumption_with_what_its_range_rests_on(folder):
    text = run(folder, "--draws", 100)
    npv = json.loads(run(folder, "--draws", 100, "--format", "json"))["tornado"]["npv"]
    assert f"renting is cheaper by {-Decimal(npv):,.2f} CNY as planned" in text
    for words in ("no data: 20% either side", "published range: owning.pue", "seed 1"):
        assert words in text
    assert "NPV is 0 at" in text


def test_own_scenarios_come_from_a_file(folder):
    (folder / "own.csv").write_text(
        "name,probability,rent,use\nboom,25 %,3,0.9\nbust,0.75,0.5,\n", encoding="utf-8"
    )
    text = run(folder, "--scenarios", folder / "own.csv", "--format", "json", "--draws", 10)
    table = json.loads(text)["scenarios"]
    assert [case["name"] for case in table["scenarios"]] == ["boom", "bust"]
    assert table["scenarios"][0]["values"] == [["rent", "3"], ["use", "0.9"]]
    assert table["how"] == "from own.csv"


def test_faulty_scenarios_are_refused_with_every_fault_and_its_line(folder):
    (folder / "own.csv").write_text(
        "name,probability,rent\na,0.5,many\nb,half,1\n", encoding="utf-8"
    )
    told = run(folder, "--scenarios", folder / "own.csv", code=2)
    assert "own.csv:2: rent: 'many' is no number" in told
    assert "own.csv:3: probability: 'half' is no number" in told
    (folder / "own.csv").write_text("name,probability,rents\na,1,2\n", encoding="utf-8")
    told = run(folder, "--scenarios", folder / "own.csv", code=2)
    assert "'rents' is no assumption; hint: there are rent, use" in told
    (folder / "own.csv").write_text("name,probability\na,0.5\nb,0.4\n", encoding="utf-8")
    told = run(folder, "--scenarios", folder / "own.csv", code=2)
    assert "the probabilities add up to 0.9, not to 1" in told


@pytest.mark.parametrize("text", ["rent:residual", "rent=0.5", "rent:residual=2", "a:b=x"])
def test_what_is_no_correlation_is_refused(folder, text):
    told = run(folder, "--correlation", text, code=2)
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


def test_a_price_store_gives_the_history_of_the_offer_compared_with(folder):
    """Half the price, then the whole, then double, 60 days apart; what came later is left out."""
    _, problem = tiny()
    offer = compared_quote(questions()["tiny"][0], problem).listing.offer
    place = str(folder / "prices.db")
    with open_store(place) as store:
        for number, factor in enumerate(("0.5", "1", "2", "9")):
            at = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(60 * number)
            snapshot = Snapshot("https://seller.example", at, f"answer {number}".encode())
            found = ProviderTable("seller", at, (snapshot,), (_at(offer, factor),), ())
            store.publish(found, started_at=at, now=at)
    seen = price_changes(place, offer.sku, date(2026, 11, 22))
    assert [(day, one.price.amount / offer.price.amount) for day, one in seen] == [
        (date(2026, 6, 1) + timedelta(60 * n), Decimal(factor))
        for n, factor in enumerate(("0.5", "1", "2"))
    ]
    assert price_changes(str(folder / "none.db"), offer.sku, date(2026, 11, 22)) == []
    asked = ["sensitivity", str(folder / "plan.json"), "--store", place, "--draws", "10"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "price history: this offer, 3 prices from 2026-06-01" in done.stdout


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
