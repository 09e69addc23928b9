"""The first evening of an operator: no keys, one, a wrong one, no network; a plan each time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faults import KINDS
from rig import in_a_hurry, planted
from sources import SOURCES

ROOT = Path(__file__).parents[2]
SCHEDULE = ROOT / "data/schedules/tiny.yaml"
KEYLESS = {name for name, source in SOURCES.items() if not source.variables or source.optional}
ONE_KEY = {"LAMBDA_API_KEY": planted()["LAMBDA_API_KEY"]}


@pytest.fixture
def evening(market, monkeypatch):
    """A machine on which no key is set yet."""
    for name in planted():
        monkeypatch.delenv(name, raising=False)
    return market


def refreshed(market, *arguments):
    with in_a_hurry():
        return market.prices("refresh", *arguments)


def planned(market):
    """The price tables that a plan of today used."""
    today = datetime.now(UTC).date().isoformat()
    where = ("--store", str(market.store), "--as-of", today, "--format", "json")
    done = market.run("plan", str(SCHEDULE), *where)
    assert done.exit_code == 0, done.output + repr(done.exception)
    return {source["name"]: source for source in json.loads(done.stdout)["price_sources"]}


def test_without_a_key_what_needs_none_is_published_and_each_missing_key_is_named(evening):
    done = refreshed(evening)
    assert done.exit_code == 0, done.output
    for name in KEYLESS:
        assert f"\n{name:15} published" in f"\n{done.stdout}"
    said = done.stdout.partition("not asked:")[2].splitlines()
    for name in set(SOURCES) - KEYLESS:
        (line,) = [line for line in said if line.startswith(f"  {name}: ")]
        assert "is not set" in line
    assert "failed" not in done.stdout
    assert planned(evening)["cloudrift"]["run_id"] is not None


def test_doctor_says_where_a_key_may_be_given(evening):
    refreshed(evening, "cloudrift")
    said = evening.prices("doctor").output
    for name in set(SOURCES) - KEYLESS:
        (line,) = [line for line in said.splitlines() if line.split()[:1] == [name]]
        assert "not set: " in line
        assert SOURCES[name].variables[0] in line


def test_with_one_key_its_source_is_published_too(evening, monkeypatch):
    for name, value in ONE_KEY.items():
        monkeypatch.setenv(name, value)
    done = refreshed(evening)
    assert done.exit_code == 0
    assert "lambda          published    8 offers (8 new)" in done.stdout
    assert "LAMBDA_API_KEY" not in done.stdout
    assert "lambda" in planned(evening)


def test_a_wrong_key_is_named_and_the_last_good_table_stays(evening, monkeypatch):
    for name, value in ONE_KEY.items():
        monkeypatch.setenv(name, value)
    refreshed(evening)
    before = planned(evening)["lambda"]
    evening.spoil({"lambda": KINDS["401"]})
    done = refreshed(evening)
    assert done.exit_code == 5
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("lambda ")]
    assert "failed" in line
    assert "answered 401; check LAMBDA_API_KEY" in line
    assert planned(evening)["lambda"] == before


def test_with_the_network_down_that_is_said_and_plans_use_the_last_good_tables(evening):
    refreshed(evening)
    before = planned(evening)
    evening.spoil(dict.fromkeys(evening.names, KINDS["refused"]))
    done = refreshed(evening)
    assert done.exit_code == 4
    assert "is this machine offline? The last good tables stay" in done.stdout
    assert planned(evening) == before


def test_the_network_down_from_the_first_refresh_on_leaves_the_bundled_prices(evening):
    evening.spoil(dict.fromkeys(evening.names, KINDS["refused"]))
    assert refreshed(evening).exit_code == 4
    tables = planned(evening)
    assert tables
    assert not set(tables) & set(SOURCES)
    probe = evening.prices("status", "--max-age", "36h")
    assert probe.exit_code == 4


def test_silence_is_taken_for_no_network_too(evening):
    evening.names = ("cloudrift", "oci")
    evening.spoil(dict.fromkeys(evening.names, KINDS["hang"]))
    done = refreshed(evening, *evening.names)
    assert done.exit_code == 4
    assert "is this machine offline?" in done.stdout
