"""`rentopt prices refresh`, as an operator runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from desk import answer
from loopback import Reply

from providers.config import Config
from providers.lock import refresh_lock
from providers.refresh import Hooks, refresh
from providers.store import open_store

LAMBDA = "lambda/gpu_8x_h100_sxm5/us-south-2/on_demand"
SECRET = "planted-secret-4711-lambda_api_key"


@pytest.fixture
def keyed(monkeypatch):
    monkeypatch.setenv("LAMBDA_API_KEY", SECRET)


def offers(desk, name):
    with open_store(desk.store, create=False) as store:
        return store.offers(as_of=datetime.now(UTC)).get(name, [])


def rows(done):
    return {row["adapter"]: row for row in json.loads(done.stdout)["sources"]}


def test_named_sources_are_published_each_on_its_line(desk, keyed):
    desk.serve("lambda", "cloudrift")
    done = desk.prices("refresh", "lambda", "cloudrift")
    assert done.exit_code == 0, done.output
    assert "cloudrift       published    3 offers (3 new), " in done.stdout
    assert "lambda          published    " in done.stdout
    assert any(offer.sku == LAMBDA for offer in offers(desk, "lambda"))


def test_the_same_answer_again_changes_nothing(desk):
    desk.serve("cloudrift")
    desk.prices("refresh", "cloudrift")
    done = desk.prices("refresh", "cloudrift")
    assert "(nothing changed)" in done.stdout
    assert done.exit_code == 0


def test_a_source_that_fails_holds_up_no_other_and_keeps_its_table(desk, keyed):
    desk.serve("lambda", "cloudrift")
    desk.prices("refresh", "lambda", "cloudrift")
    before = offers(desk, "lambda")
    desk.servers["lambda"].always = Reply({"error": {"message": "out of order"}})
    done = desk.prices("refresh", "lambda", "cloudrift", "--format", "json")
    assert done.exit_code == 5
    found = rows(done)
    assert found["lambda"]["status"] == "failed"
    assert "out of order" in found["lambda"]["error"]
    assert found["cloudrift"]["status"] == "published"
    assert offers(desk, "lambda") == before


def test_nothing_published_is_exit_code_four(desk):
    desk.serve("cloudrift")
    desk.servers["cloudrift"].always = Reply(b"<html>", 500)
    assert desk.prices("refresh", "cloudrift").exit_code == 4


def test_a_missing_key_is_named_and_is_a_failure_only_where_the_source_was_named(desk, monkeypatch):
    monkeypatch.delenv("LAMBDA_API_KEY", raising=False)
    desk.serve("lambda", "cloudrift")
    done = desk.prices("refresh", "lambda", "cloudrift")
    assert done.exit_code == 5
    assert "LAMBDA_API_KEY is not set" in done.stdout
    disabled = "".join(f"[providers.{n}]\nenabled = false\n" for n in others("lambda", "cloudrift"))
    desk.settings(disabled)
    done = desk.prices("refresh")
    assert done.exit_code == 0, done.output
    assert "not asked:" in done.stdout


def others(*kept):
    from providers.refresh import FX
    from providers.registry import ADAPTERS, FILE_ADAPTERS

    return sorted({*ADAPTERS, FX} - FILE_ADAPTERS - set(kept))


def test_a_refused_key_is_a_failure_that_names_the_variable_and_not_the_key(desk, keyed):
    desk.serve("lambda")
    desk.servers["lambda"].always = Reply({"error": f"bad key {SECRET}"}, 401)
    done = desk.prices("refresh", "lambda")
    assert done.exit_code == 4
    assert "LAMBDA_API_KEY" in done.output
    assert SECRET not in done.output
    assert SECRET.encode() not in everything_kept(desk)


def everything_kept(desk):
    return b"".join(path.read_bytes() for path in desk.folder.iterdir() if path.is_file())


def test_a_key_that_an_answer_repeats_is_kept_nowhere(desk, keyed):
    desk.serve("lambda")
    echo = answer("lambda/instance_types.json", **{"us-south-2": f"us-{SECRET}"})
    desk.servers["lambda"].always = echo
    done = desk.prices("refresh", "lambda")
    assert SECRET not in done.output
    assert SECRET.encode() not in everything_kept(desk)


def test_a_suspicious_table_waits_with_a_diff_until_it_is_accepted(desk, keyed):
    desk.serve("lambda")
    desk.prices("refresh", "lambda")
    before = offers(desk, "lambda")
    empty = Reply({"data": {}})
    desk.servers["lambda"].always = empty
    done = desk.prices("refresh", "lambda")
    assert done.exit_code in (4, 5)
    assert "lambda          quarantined" in done.stdout
    assert "no offer in it" in done.stdout
    assert "rentopt prices refresh lambda --accept" in done.stdout
    assert offers(desk, "lambda") == before
    assert "in quarantine" in desk.prices("doctor").output
    asked = len(desk.servers["lambda"].requests)
    accepted = desk.prices("refresh", "lambda", "--accept")
    assert accepted.exit_code == 0, accepted.output
    assert len(desk.servers["lambda"].requests) == asked
    assert offers(desk, "lambda") == []


def test_accepting_needs_a_table_that_waits(desk):
    done = desk.prices("refresh", "lambda", "--accept")
    assert "no table of lambda is in quarantine" in str(done.exception)
    assert "none is in quarantine" in str(desk.prices("refresh", "--accept").exception)


def test_a_price_that_jumps_is_held_back_and_the_others_are_published(desk, keyed):
    desk.serve("lambda")
    desk.prices("refresh", "lambda")
    dear = answer(
        "lambda/instance_types.json",
        **{'"price_cents_per_hour": 329': '"price_cents_per_hour": 3290'},
    )
    desk.servers["lambda"].always = dear
    done = desk.prices("refresh", "lambda", "--format", "json")
    [row] = [rows(done)["lambda"]]
    assert (row["status"], row["held_back"]) in {("published", 1), ("quarantined", 0)}
    assert not any(offer.price.amount > 32 for offer in offers(desk, "lambda"))


def test_a_source_that_hangs_fails_at_the_deadline(desk):
    desk.serve("cloudrift", "vultr")
    over = threading.Event()

    def hang(handler, stop):
        stop.wait(600)
        over.set()

    desk.servers["vultr"].always = Reply(act=hang)
    done = desk.prices("refresh", "cloudrift", "vultr", "--deadline", "0.03", "--format", "json")
    assert done.exit_code == 5
    assert not over.is_set(), "the refresh waited for a source that says nothing"
    assert "no answer within 0.03 minutes" in rows(done)["vultr"]["error"]


def test_a_fault_of_an_adapter_is_told_with_its_traceback_and_stops_no_other(desk, monkeypatch):
    from providers.adapters.vultr import Vultr

    def broken(self, name, row, snapshot):
        raise KeyError("plans")

    monkeypatch.setattr(Vultr, "fates", broken)
    desk.serve("cloudrift", "vultr")
    done = desk.prices("refresh", "cloudrift", "vultr")
    assert done.exit_code == 5
    assert "a fault of rentopt: KeyError: 'plans'" in done.stdout
    assert "Traceback" in done.stderr


def test_a_second_refresh_ends_with_exit_code_six_and_says_who_is_first(desk):
    with refresh_lock(str(desk.store)):
        done = desk.prices("refresh", "cloudrift")
    assert done.exception.exit_code == 6
    assert f"process {os.getpid()} on " in str(done.exception)


def test_the_lock_of_a_dead_owner_is_no_lock(desk):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from providers.lock import refresh_lock\n"
            f"with refresh_lock({str(desk.store)!r}): print('held', flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline() == b"held\n"
    desk.serve("cloudrift")
    assert desk.prices("refresh", "cloudrift").exception.exit_code == 6
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert desk.prices("refresh", "cloudrift").exit_code == 0


def test_the_metrics_file_is_prometheus_text(desk, keyed):
    from prometheus_client.parser import text_string_to_metric_families

    desk.serve("lambda", "cloudrift")
    desk.servers["lambda"].always = Reply(b"no", 500)
    path = desk.folder / "rentopt.prom"
    desk.prices("refresh", "lambda", "cloudrift", "--metrics-file", str(path))
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }
    assert found["rentopt_refresh_status", "cloudrift", "published"] == 1
    assert found["rentopt_refresh_status", "failed", "lambda"] == 1
    assert found["rentopt_refresh_offers", "cloudrift"] == 3
    assert found["rentopt_refresh_failures_in_a_row", "lambda"] == 1
    assert found["rentopt_prices_age_seconds", "cloudrift"] < 60


def test_a_failure_is_told_to_the_webhook_and_the_command(desk, keyed):
    desk.serve("lambda", "cloudrift")
    desk.servers["lambda"].always = Reply(b"no", 500)
    heard = desk.folder / "heard.json"
    hook = desk.hook()
    desk.settings(
        f'[notify]\nwebhook = "{hook.base}/services/T0/secret-path"\n'
        f'command = ["{sys.executable}", "-c", '
        f"\"import sys; open('{heard}', 'w').write(sys.stdin.read())\"]"
    )
    done = desk.prices("refresh", "lambda", "cloudrift")
    assert done.exit_code == 5
    told = hook.requests[0].json
    assert told["event"] == "failure"
    assert told["text"] == "rentopt prices refresh: failed: lambda"
    assert json.loads(heard.read_text()) == told


def test_a_webhook_that_fails_is_said_without_its_secret_path(desk, keyed):
    desk.serve("lambda")
    desk.servers["lambda"].always = Reply(b"no", 404)
    hook = desk.hook(Reply(b"gone", 404))
    desk.settings(f'[notify]\nwebhook = "{hook.base}/services/T0/secret-path"')
    done = desk.prices("refresh", "lambda")
    assert done.exit_code == 4
    assert "the webhook was not told" in done.stderr
    assert "secret-path" not in done.output


def test_exchange_rates_are_renewed_with_the_prices(desk):
    desk.rates()
    done = desk.prices("refresh", "fx")
    assert done.exit_code == 0, done.output
    with open_store(desk.store) as store:
        rate = store.fx_table().rate("EUR", "CNY", datetime.now(UTC).date())
    assert str(rate.value) == "8.1850"


def test_an_unknown_source_is_refused_with_the_nearest_name(desk):
    done = desk.prices("refresh", "lamda")
    assert "did you mean lambda?" in str(done.exception)


def test_sources_are_asked_side_by_side(desk):
    """Each waits for the other: one after the other, both would time out."""
    both = threading.Barrier(2)
    desk.serve("cloudrift", "vultr")
    for server in desk.servers.values():
        route, first = server.route, [True]

        def meet(request, base, route=route, first=first):
            if first:
                first.clear()
                both.wait(timeout=60)
            return route(request, base)

        server.route = meet
    config = Config(
        providers={n: {"base_url": s.base} for n, s in desk.servers.items()},
        refresh={"workers": 2},
    )
    with open_store(desk.store) as store:
        outcomes = refresh(["cloudrift", "vultr"], store, config, hooks=Hooks())
    assert [o.status.value for o in outcomes] == ["published", "published"]


def test_a_price_that_jumped_is_held_back_on_the_second_night_too(desk, keyed):
    desk.serve("lambda")
    desk.settings("[gates]\nmost_held_share = 0.5")
    desk.prices("refresh", "lambda")
    cents = '"price_cents_per_hour": 329'
    dear = answer("lambda/instance_types.json", **{cents: f"{cents}0"})
    desk.servers["lambda"].always = dear
    for night in range(3):
        done = desk.prices("refresh", "lambda", "--format", "json")
        assert rows(done)["lambda"]["held_back"] == 1, night
    desk.servers["lambda"].always = None
    done = desk.prices("refresh", "lambda", "--format", "json")
    assert rows(done)["lambda"]["held_back"] == 0
