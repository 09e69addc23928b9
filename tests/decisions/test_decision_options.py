"""The options of `rentopt plan` and `breakeven` that ask for another plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from optimizer.cli.main import app
from providers.errors import RentoptError

TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"
DAY = ("--as-of", "2026-11-22", "--store", "none")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in (*arguments, *DAY)])


def test_a_plan_with_wishes_names_them_and_can_be_kept(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    asked = ("--without", "gpushare", "--gap", "2%", "--time-limit", "50")
    done = run("plan", TINY, *asked, "--format", "json", "-o", target)
    assert done.exit_code == 0, done.output
    body = json.loads(target.read_text(encoding="utf-8"))
    assert body["wishes"] == ["without gpushare"]
    assert body["options"] == ["--gap 2%", "--time-limit 50", "--without gpushare"]
    assert "gpushare" not in {rental["provider"] for rental in body["rentals"]}
    again = run("plan", TINY, "--keep", target, "--keep-tolerance", "50%")
    assert again.exit_code == 0, again.output
    assert "Kept from plan.json" in again.output
    assert "near plan.json: a change must save more than 50 % of the cost" in again.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--without", "gpushar"], "did you mean gpushare"),
        (["--keep", TINY], "not JSON"),
        (["--keep", "nowhere.json"], "cannot be read"),
    ],
)
def test_a_name_nobody_knows_and_a_file_that_is_no_plan_are_told(
    arguments: list[object], words: str
) -> None:
    done = run("plan", TINY, *arguments)
    assert isinstance(done.exception, RentoptError)
    assert done.exception.exit_code == 2
    assert words in str(done.exception)


def test_wishes_against_each_other_are_a_wrong_call() -> None:
    done = run("plan", TINY, "--only-rent", "--only-own")
    assert done.exit_code == 2
    assert "not both" in done.output


def test_break_even_points_take_wishes() -> None:
    done = run("breakeven", TINY, "--without", "suanjiayun", "--no-ladder", "--time-limit", "5")
    assert done.exit_code == 0, done.output
    assert "suanjiayun" not in done.output
