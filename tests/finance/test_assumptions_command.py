"""`rentopt assumptions`: every default, where it comes from, and what is due."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from datetime import date
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from optimizer.cli.assumptions import assumptions
from optimizer.finance.defaults import defaults
from optimizer.finance.presets import presets, vat_rates
from optimizer.review.assumptions import reviewed
from optimizer.sizing import constants
from optimizer.sizing.rates import fitted
from optimizer.sizing.reservation import fitted_memory
from optimizer.sizing.training.constants import constants as training_constants
from providers.errors import RentoptError
from providers.fx import bundled_fx

app = typer.Typer()
app.command()(assumptions)
DAY = "2026-11-23"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--as-of", DAY], catch_exceptions=False)


def listed(*arguments: str) -> dict[str, dict[str, Any]]:
    rows = json.loads(run(*arguments, "--format", "json").stdout)["assumptions"]
    return {row["id"]: row for row in rows}


def test_every_default_and_every_rule_is_listed_with_source_and_age() -> None:
    rows = listed()
    assert set(defaults()) <= set(rows)
    assert {f"depreciation.{name}" for name in presets()} <= set(rows)
    assert {f"vat.{name}" for name in vat_rates()} <= set(rows)
    for row in rows.values():
        assert row["source"], row["id"]
        seen = date.fromisoformat(row["observed_at"])
        assert row["age_days"] == (date.fromisoformat(DAY) - seen).days


def test_an_id_is_listed_once() -> None:
    ids = [row.default.id for row in reviewed(date(2026, 11, 23))]
    assert len(ids) == len(set(ids))


def test_sizing_constants_are_listed_as_the_program_has_them() -> None:
    rows = listed("sizing")
    assert not [id for id in rows if "._" in id]
    speedup = rows["sizing.fp8_speedup_with_units"]["value"]
    assert float(speedup) == constants.FP8_SPEEDUP_WITH_UNITS
    per_engine = [id for id in rows if id.startswith("sizing.engines.")]
    assert len(per_engine) == len(constants.ENGINES) * len(fields(constants.Engine))
    used = {f"speed.{name}": value for name, value in fitted().items()}
    used |= {f"memory.{name}": value for name, value in fitted_memory().items()}
    used |= {f"training.{name}".replace(" ", "_"): x for name, x in training_constants().items()}
    assert {id: float(rows[f"sizing.{id}"]["value"]) for id in used} == used
    assert rows["sizing.memory.driver_gb"]["unit"].startswith("GB")


def test_the_exchange_rates_in_use_are_listed() -> None:
    table = bundled_fx()
    rates = table.per_pivot[max(table.per_pivot)]
    rows = listed("fx")
    assert {currency: rows[f"fx.eur{currency.lower()}"]["value"] for currency in rates} == {
        currency: f"{value:f}" for currency, value in rates.items()
    }


def test_what_a_user_must_give_has_no_value_and_not_a_zero() -> None:
    assert listed("tax")["tax.rate.cn"]["value"] is None
    assert "must be given" in run("tax").stdout


def test_only_what_counts_unasked_is_listed_on_request() -> None:
    rows = listed("--applied")
    assert rows
    assert all(row["applied"] for row in rows.values())
    assert not any(row["group"] in ("tax", "vat", "depreciation") for row in rows.values())


def test_what_is_past_its_review_is_told_and_fails_only_when_strict() -> None:
    late = listed("--due")
    assert "running.electricity.usd" in late
    assert all(row["review_after"] < DAY for row in late.values())
    plain = run("--due")
    assert plain.exit_code == 0
    assert "past the day of review" in plain.stderr
    assert run("--due", "--strict").exit_code == 4
    assert run("depreciation", "--strict").exit_code == 0


def test_the_same_rows_come_as_csv_and_markdown() -> None:
    done = run("owning", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["id"] for row in rows] == list(listed("owning"))
    assert all(row["source"] for row in rows)
    assert run("owning", "--format", "md").stdout.startswith("| id | value |")


def test_an_unknown_group_is_refused_with_the_nearest() -> None:
    with pytest.raises(RentoptError, match="did you mean owning"):
        run("owing")
