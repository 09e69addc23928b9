"""``rentopt diff``: table, Markdown and JSON, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from decimal import Decimal

import pytest
from two_plans import difference, made
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.diff.results import Amount, Cause, Difference, Made, Part
from optimizer.report.diff_text import MARKER, diff_json, diff_md, diff_text

HOSTILE = (
    "=cmd|'/c calc'!A1 <script>alert(1)</script> [red] \u202egnp.exe\x07\x1b[31m " + "x" * 10_000
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("plans")
    made(place, "a")
    made(place, "b", own="2.5 CNY", USERS="2")
    return place


def run(*arguments, code=0):
    done = CliRunner().invoke(app, ["diff", *map(str, arguments), "--store", "none"])
    assert done.exit_code == code, done.output
    return done.stdout


def test_the_table_leads_with_the_change_and_its_causes(folder):
    text = run(folder / "a.json", folder / "b.json")
    assert text.startswith("one card costs 4,")
    assert "CNY more" in text.splitlines()[0]
    for words in ("By cause", "own/card/hour", "workloads.chat.phases.0.users: 1 → 2", "in all"):
        assert words in text


def test_shown_amounts_add_up_to_the_cent(folder):
    text = run(folder / "a.json", folder / "b.json")
    table = text.split("By cause\n")[1].split("\n  - ")[0].splitlines()[1:]
    rows = [re.findall(r"[+-]?[0-9,]+\.[0-9]{2}", line) for line in table]
    assert len(rows) == len(Cause) + 1
    for column in (0, 1):
        *parts, whole = (Decimal(row[column].replace(",", "")) for row in rows)
        assert sum(parts) == whole != 0


@pytest.mark.parametrize(
    ("before", "after"),
    [("383655.794", "415532.5654"), ("0.005", "1.004"), ("10", "9.995"), ("7.001", "7.0049")],
)
def test_the_headline_is_the_difference_of_the_costs_it_names(before, after):
    """Each rounded by itself, 31,876.77 would be what 415,532.57 is more than 383,655.79."""
    low, high = (Amount(Decimal(value), Decimal(value)) for value in (before, after))
    told = Difference(
        "CNY", Made("a week", "a.json", "2026-11-22", low),
        Made("a week", "b.json", "2026-11-22", high),
        tuple(
            Part(cause, high - low if cause is Cause.PRICE else Amount(), Decimal(0), ())
            for cause in Cause
        ),
    )  # fmt: skip
    text = diff_text(told, width=None, color=False)
    amounts = [
        Decimal(amount.replace(",", ""))
        for amount in re.findall(r"[0-9,]+\.[0-9]{2}", text.splitlines()[0])
    ]
    table = text.split("By cause\n")[1].split("\n  - ")[0].splitlines()[1:]
    rows = [re.findall(r"[+-]?[0-9,]+\.[0-9]{2}", line) for line in table]
    *shown, whole = (Decimal(row[1].replace(",", "")) for row in rows)
    assert sum(shown) == whole
    assert [value for value in shown if value] in ([], [whole])
    if len(amounts) == 1:
        assert whole == 0
    else:
        change, now, then = amounts
        assert change == abs(now - then) == abs(whole)


def test_the_json_is_exact_and_the_same_each_time(folder):
    asked = (folder / "a.json", folder / "b.json", "--format", "json")
    body = json.loads(run(*asked))
    assert run(*asked) == run(*asked)
    parts = sum(Decimal(part["total"]) for part in body["parts"])
    assert parts == Decimal(body["change"]["total"])
    before, after = Decimal(body["before"]["total"]), Decimal(body["after"]["total"])
    assert after - before == Decimal(body["change"]["total"])


def test_markdown_has_a_marker_to_find_the_comment_by(folder):
    assert run(folder / "a.json", folder / "b.json", "--format", "md").startswith(MARKER)


def test_a_schedule_elsewhere_is_named_for_each_plan(folder, tmp_path):
    shutil.copy(folder / "a.json", tmp_path / "a.json")
    result = CliRunner().invoke(app, ["diff", str(tmp_path / "a.json"), str(folder / "b.json")])
    assert "--schedule-a" in str(result.exception)
    run(tmp_path / "a.json", folder / "b.json", "--schedule-a", folder / "a.yaml")


def test_names_of_strangers_do_nothing(folder):
    found = difference(made(folder, "c"), made(folder, "d", own="3 CNY"))
    parts = tuple(
        replace(
            part,
            items=tuple(replace(x, name=HOSTILE, before=HOSTILE) for x in part.items),
            notes=(HOSTILE,),
        )
        for part in found.parts
    )
    odd = replace(found, parts=parts, after=replace(found.after, name=HOSTILE, file=HOSTILE))
    markdown = diff_md(odd)
    for text in (diff_text(odd, width=120, color=False), markdown):
        assert all(line.isprintable() for line in text.splitlines())
        assert max(map(len, text.splitlines())) < 8000
    assert "<script>" not in markdown.replace("\\<script>", "")
    assert json.loads(diff_json(odd))["after"]["name"] == HOSTILE
