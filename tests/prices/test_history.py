"""History, differences, export and import, health: what one asks of the store from the shell."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import market
import pyarrow.parquet as pq
import pytest

from providers.bundled import data_path
from providers.offers import Offer
from providers.store import open_store

SEPTEMBER = ("--since", "2026-09-01", "--until", "2026-11-19", "--currency", "USD")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("market") / "prices.db"
    market.fill(path)
    return path


@pytest.fixture
def filled(desk, template):
    with open_store(template, create=False) as store:
        store.backup(desk.store)
    return desk


def listed(desk, *arguments):
    done = desk.prices(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_history_lists_every_change_newest_first_with_its_move(filled):
    rows = listed(filled, "history", "H100", *SEPTEMBER, "--limit", "0")
    one = [row for row in rows if row["sku"] == market.ONE]
    assert len(one) == 1 + (market.DAYS - market.RISE_AFTER - 1)
    assert one[0] == {
        "day": "2026-11-19",
        "source": "acme",
        "sku": market.ONE,
        "what": "changed",
        "USD/GPU-hour": "3.4800",
        "move": "+0.3%",
    }
    assert one[-1]["what"] == "new"
    assert rows == sorted(rows, key=lambda row: (row["day"], row["sku"]), reverse=True)


def test_what_vanishes_and_comes_back_is_told(filled):
    rows = listed(filled, "history", "H100", *SEPTEMBER, "--limit", "0")
    spot = [(row["day"], row["what"]) for row in rows if row["sku"] == market.SPOT]
    assert spot == [("2026-11-01", "changed"), ("2026-10-31", "gone"), ("2026-10-12", "new")]


def test_the_first_move_in_a_window_is_counted_from_the_price_before_it(filled):
    rows = listed(filled, "history", "H100", "--since", "2026-11-19", "--currency", "USD")
    assert [row["move"] for row in rows if row["sku"] == market.ONE] == ["+0.3%"]


def test_the_chart_draws_the_cheapest_gpu_hour_of_each_kind_of_terms(filled):
    chart = filled.prices("history", "H100", "--chart", *SEPTEMBER).stdout.splitlines()
    assert chart[0] == "H100: cheapest GPU-hour in USD"
    assert chart[2].startswith("on_demand  ▁▁▁")
    assert chart[2].endswith("2.500  2.875  +15.0%")
    assert "·····" in chart[3]
    assert chart[3].endswith("1.900  1.900   +0.0%")


def test_a_chart_of_a_quiet_time_starts_with_the_price_in_force(filled):
    chart = filled.prices("history", "H100", "--chart", "--since", "2026-09-08", "--until",
                          "2026-09-12", "--currency", "USD").stdout  # fmt: skip
    assert chart.split()[-3:] == ["2.500", "2.500", "+0.0%"]


def test_diff_tells_what_is_new_gone_or_dearer(filled):
    rows = listed(filled, "diff", "2026-09-05", "2026-11-01")
    assert {row["sku"]: row["change"] for row in rows} == {
        market.ONE: "+10.4%",
        market.EIGHT: "+15.0%",
        market.SPOT: "new",
    }
    gone = listed(filled, "diff", "2026-10-30", "2026-10-31")
    assert {row["sku"] for row in gone if row["change"] == "gone"} == {market.EIGHT, market.SPOT}


def test_export_writes_every_change_with_focus_names(filled):
    path = filled.folder / "prices.csv"
    assert filled.prices("export", "-o", str(path)).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    spot = [row for row in rows if row["SkuPriceId"] == market.SPOT]
    assert [row["x_Vanished"] for row in spot] == ["no", "yes", "no"]
    assert {row["PricingCategory"] for row in spot} == {"Dynamic"}
    assert spot[0]["PricingCurrencyListUnitPrice"] == "1.9"


def test_export_as_of_a_day_holds_the_prices_of_that_day(filled):
    path = filled.folder / "prices.parquet"
    filled.prices("export", "-o", str(path), "--as-of", "2026-10-01")
    found = pq.read_table(path).to_pylist()
    assert {row["SkuPriceId"]: row["PricingCurrencyListUnitPrice"] for row in found} == {
        market.ONE: "2.99",
        market.EIGHT: "21",
    }


def test_an_imported_file_joins_the_plans_prices_under_its_name(filled):
    path = filled.folder / "quotes.csv"
    path.write_text(
        "provider,instance_type,gpu,gpu_count,purchase_model,increment,tenor,price,currency,"
        "observed_at,source\nours,8xH800,H800,8,prepaid,month,P1M,65000,CNY,2026-11-01,mail\n"
    )
    done = filled.prices("import", str(path), "--as", "ours")
    assert done.exit_code == 0, done.output
    assert "ours: 1 offers, 1 new, 0 changed, 0 gone" in done.stdout
    shown = filled.run("offers", "--provider", "ours", "--store", str(filled.store))
    assert "65000 CNY/month" in shown.stdout


def test_an_import_cannot_take_the_name_of_a_source(filled):
    done = filled.prices("import", "prices.csv", "--as", "lambda")
    assert "is a source that the refresh asks" in str(done.exception)


def test_prices_are_reproduced_as_they_were_known_on_a_day(filled):
    """A back-fill learnt later changes what was in force, not what was known."""
    with open_store(filled.store) as store:
        store.import_offers(
            "acme",
            [market.offer("h100", "1.11")],
            valid_from=market.FIRST + timedelta(days=5),
            note="corrected",
        )

    def price(*how):
        arguments = ["offers", "--provider", "acme", "--currency", "USD", "--format", "json"]
        done = filled.run(*arguments, *how, "--store", str(filled.store))
        return {o["sku"]: o["price"]["amount"] for o in json.loads(done.stdout)["offers"]}

    assert price("--as-of", "2026-09-06")[market.ONE] == "1.11"
    assert price("--prices", "as-of", "2026-09-06")[market.ONE] == "2.99"
    assert price("--prices", "as-of", "2026-09-06T01:00Z")[market.ONE] == "2.99"


def test_a_price_confirmed_yesterday_is_a_day_old_however_long_it_has_not_moved(filled):
    done = filled.run("offers", "--provider", "acme", "--format", "json", "--as-of", "2026-09-20",
                      "--store", str(filled.store))  # fmt: skip
    ages = {o["sku"]: o["age_days"] for o in json.loads(done.stdout)["offers"]}
    assert ages == {market.ONE: 0, market.EIGHT: 0}


def test_status_is_a_probe_of_age(filled):
    with open_store(filled.store) as store:
        fresh = market.table(market.DAYS)
        now = datetime.now(UTC)
        store.publish(market.ProviderTable("zeta", now, fresh.snapshots, fresh.offers, ()),
                      started_at=now)  # fmt: skip
    assert filled.prices("status", "--provider", "zeta").exit_code == 0
    stale = filled.prices("status", "--max-age", "1h")
    assert (stale.exit_code, "acme is older than 1h" in stale.stderr) == (4, True)
    assert filled.prices("status", "--max-age", "100000d").exit_code == 0
    assert filled.prices("status", "--provider", "nobody").exit_code == 4


def test_status_of_no_store_says_what_to_run(desk):
    done = desk.prices("status")
    assert done.exception.exit_code == 4
    assert "there is no price store at" in str(done.exception)


@pytest.mark.parametrize("text", ["36", "h", "-1h", "1.h", "1 week"])
def test_an_age_that_means_nothing_is_refused(filled, text):
    assert filled.prices("status", f"--max-age={text}").exit_code == 2


def test_doctor_finds_a_damaged_store(filled):
    with sqlite3.connect(filled.store) as broken:
        broken.execute("DELETE FROM sku WHERE id = 1")
    broken.close()
    done = filled.prices("doctor")
    assert done.exit_code == 4
    assert done.stderr.count("rentopt: ") > 1


def test_backup_and_vacuum_keep_every_price(filled):
    copy = filled.folder / "copy.db"
    assert filled.prices("backup", str(copy)).exit_code == 0
    done = filled.prices("vacuum", "--keep-days", "1")
    assert f"{market.DAYS - 1} raw answers dropped" in done.stdout
    with open_store(filled.store) as one, open_store(copy) as other:
        assert one.history() == other.history()
        assert one.check() == []


def test_a_plan_is_made_again_byte_for_byte_from_the_prices_of_its_day(filled):
    """New prices, and corrections of old ones, come in between; verify takes the same moment."""
    week = filled.folder / "week.yaml"
    text = data_path("schedules", "tiny.yaml").read_text().replace("[cn]", "[any, cn]")
    week.write_text(text)
    store = ("--store", str(filled.store))
    json_plan = ("plan", str(week), "--format", "json", "--gap", "0%", *store)
    first = filled.folder / "plan.json"
    assert filled.run(*json_plan, "--as-of", "2026-11-18", "-o", str(first)).exit_code == 0
    made = json.loads(first.read_text())
    [acme] = [source for source in made["price_sources"] if source["name"] == "acme"]
    assert acme["observed_at"] == "2026-11-18T03:17:00+00:00"
    assert len(acme["snapshots"]) == 1
    with open_store(filled.store) as prices:
        cheap = market.offer("h100", "0.70", gpu_count=8, max_gpus_per_host=8)
        later_that_day = market.FIRST + timedelta(days=78, hours=1)
        prices.import_offers("acme", [cheap], valid_from=later_that_day, note="a correction")
    again = filled.run(*json_plan, "--prices", "of", str(first))
    assert again.stdout == first.read_text()
    assert filled.run(*json_plan, "--prices", "as-of", "2026-11-18").stdout == again.stdout
    assert filled.run(*json_plan, "--as-of", "2026-11-18").stdout != again.stdout
    assert filled.run("verify", str(first), str(week), *store).exit_code == 0


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (("until", "2026-11-01"), "neither as-of nor of"),
        (("as-of", "yesterday"), "no day or time"),
        (("of", "nothing.json"), "cannot be read"),
    ],
)
def test_prices_that_mean_nothing_are_refused(filled, how, said):
    done = filled.run("offers", "--prices", *how)
    assert done.exit_code != 0
    assert said in done.output + str(done.exception)


def test_a_plan_made_before_there_was_a_store_is_made_again_without_it(filled):
    week = filled.folder / "week.yaml"
    week.write_bytes(data_path("schedules", "tiny.yaml").read_bytes())
    first = filled.folder / "plan.json"
    arguments = ("plan", str(week), "--format", "json", "--gap", "0%")
    filled.run(*arguments, "--as-of", "2026-11-18", "--store", "none", "-o", str(first))
    again = filled.run(*arguments, "--prices", "of", str(first), "--store", str(filled.store))
    assert again.stdout == first.read_text()


def test_kept_answers_are_read_again_with_the_parser_of_today(desk, monkeypatch):
    from providers.adapters import cloudrift

    desk.serve("cloudrift")
    desk.prices("refresh", "cloudrift")
    desk.servers["cloudrift"].requests.clear()
    same = desk.prices("reparse", "cloudrift")
    assert "3 offers, 0 differ from what was kept" in same.stdout, same.output
    fates = cloudrift.CloudRift.fates

    def mended(self, name, row, snapshot):
        for fate in fates(self, name, row, snapshot):
            yield replace(fate, note="mended") if isinstance(fate, Offer) else fate

    monkeypatch.setattr(cloudrift.CloudRift, "fates", mended)
    assert "3 differ" in desk.prices("reparse", "cloudrift").stdout
    assert "kept: 0 new, 3 changed" in desk.prices("reparse", "cloudrift", "--apply").stdout
    assert desk.servers["cloudrift"].requests == []
    assert "no published run of lambda" in str(desk.prices("reparse", "lambda").exception)
