"""A seller who writes tags, formulas, markup, marks and ten thousand letters into a quote: no
output of any command does anything with it but show it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app

LONG = "x" * 10_000
NASTY = {
    "tag": "<script>alert(1)</script>",
    "formula": "=cmd()|'/c calc'!A1",
    "plus": "+1+cmd()",
    "at": "@SUM(1)",
    "markup": "[red]bold[/red] [link](javascript:x)",
    "mark": "\u202egnp.exe\u2066",
    "pipe": "a|b`c`*d*",
}
SCHEDULE = """
rentopt: 1
name: strangers
currency: CNY
horizon: {start: 2026-12-01, days: 20}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [RTX4090]}
    measured: [{on: 1xRTX4090, tokens: 15 tokens/s, users: 1}]
    phases: [{users: 1}]
hardware:
  buy:
    - {node: 1xRTX4090, price: PRICE CNY, max: 1, busy_power: 500 W, source: "=cmd() <b>dealer</b>"}
market: {quotes: [quotes.csv], tiers: {allow: [own_quote]}, confidence: C}
money: {electricity: 1 CNY/kWh, residual: {2 months: 50 %}}
"""
COLUMNS = (
    "provider", "sku", "instance_type", "region", "tier", "gpu", "gpu_count", "interconnect",
    "vcpu", "ram_gb", "purchase_model", "increment", "tenor", "price", "currency", "upfront",
    "tax_included", "min_units", "max_units", "max_gpus_per_host", "observed_at", "valid_until",
    "confidence", "source", "note",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Quotes, two schedules and their plans, all with hostile text."""
    place = tmp_path_factory.mktemp("strangers")
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number, (name, text) in enumerate(NASTY.items()):
        writer.writerow({
            "provider": text, "sku": f"{text}{number}", "instance_type": f"{text} {LONG}",
            "region": text, "tier": "own_quote", "gpu": "RTX4090", "gpu_count": 1,
            "interconnect": "none", "purchase_model": "on_demand", "increment": "hour",
            "price": 2 + number / 10, "currency": "CNY", "tax_included": "yes", "min_units": 1,
            "max_gpus_per_host": 1, "observed_at": "2026-11-01", "confidence": "A",
            "source": f"{text} {name}", "note": f"{text} {LONG}",
        })  # fmt: skip
    (place / "quotes.csv").write_text(out.getvalue(), encoding="utf-8")
    for name, price in (("rents", "90000"), ("buys", "300")):
        text = SCHEDULE.replace("PRICE", price)
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
        told = run(place, "plan", place / f"{name}.yaml", "--format", "json")
        (place / f"{name}.json").write_text(told, encoding="utf-8")
    return place


def run(folder: Path, *arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(
        app, [*map(str, arguments), "--as-of", "2026-11-22", "--store", "none"]
        if arguments[0] in ("plan", "offers")
        else [*map(str, arguments), "--store", "none"],
    )  # fmt: skip
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


TABLES = {
    "offers": ("offers", "--quotes", "{}/quotes.csv", "--gpu", "RTX4090"),
    "plan": ("plan", "{}/rents.yaml"),
    "plan-why": ("plan", "{}/buys.yaml", "--why", "--details"),
    "explain": ("review", "{}/buys.json", "--explain", "npv", "--explain", "plan.pv"),
    "explain-list": ("review", "{}/rents.json", "--explain", "list"),
    "sensitivity": ("sensitivity", "{}/buys.json", "--draws", "20"),
    "diff": ("diff", "{}/rents.json", "{}/buys.json"),
    "breakeven": ("breakeven", "{}/buys.yaml", "--as-of", "2026-11-22"),
}
MARKDOWN = {
    "offers": (*TABLES["offers"], "--format", "md"),
    "plan": (*TABLES["plan-why"], "--format", "md"),
    "sensitivity": (*TABLES["sensitivity"], "--format", "md"),
    "diff": (*TABLES["diff"], "--format", "md"),
}
CSV = {
    "offers": (*TABLES["offers"], "--format", "csv"),
    **{
        f"plan-{table}": ("plan", "{}/rents.yaml", "--format", "csv", "--csv-table", table)
        for table in ("calendar", "rentals", "ledger", "cash-flow")
    },
    "focus": ("review", "{}/buys.json", "--format", "focus"),
    "focus-1.4": ("review", "{}/rents.json", "--format", "focus", "--focus-version", "1.4"),
}


def asked(folder: Path, arguments: tuple[str, ...]) -> str:
    return run(folder, *(argument.replace("{}", str(folder)) for argument in arguments))


@pytest.mark.parametrize("name", TABLES)
def test_nothing_in_a_table_steers_a_terminal(folder, name):
    text = asked(folder, TABLES[name])
    for line in text.splitlines():
        assert line.isprintable(), line[:200]
        assert len(line) < 12_000
    assert LONG not in text


def test_brackets_are_no_markup_in_a_table(folder):
    assert "[red]bold[/red]" in asked(folder, TABLES["offers"])


@pytest.mark.parametrize("name", MARKDOWN)
def test_nothing_in_markdown_is_a_tag_or_a_link(folder, name):
    text = asked(folder, MARKDOWN[name])
    ours = re.sub(r"<!-- rentopt diff -->|</?(details|summary)>", "", text)
    assert not re.search(r"(?<!\\)<", ours)
    assert not re.search(r"(?<!\\)\[[^\]\\]*\]\(", text)


@pytest.mark.parametrize("name", CSV)
def test_no_cell_of_a_csv_begins_like_a_formula(folder, name):
    text = asked(folder, CSV[name])
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert cells
    for cell in cells:
        number = re.fullmatch(r"[+-]?[0-9.,]+", cell)
        assert number or cell == "-" or not cell.startswith(("=", "+", "-", "@")), cell[:80]
        assert cell.isprintable(), cell[:80]


def test_json_keeps_every_letter_for_programs(folder):
    plan = json.loads((folder / "rents.json").read_text(encoding="utf-8"))
    assert plan["rentals"][0]["provider"] == NASTY["tag"]
