"""What the campaign found, one test a fault, so that it stays mended."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from desk import answer
from faults import KINDS
from filelock import FileLock
from loopback import Reply, serving
from sources import SECRET, SOURCES

from providers.adapter import ProviderTable, Snapshot
from providers.adapters.lambda_labs import Lambda
from providers.adapters.vultr import Vultr
from providers.checks import judge
from providers.config import Config, GateConfig
from providers.errors import RentoptError
from providers.http import FetchError, Http, Limits, read_json
from providers.live import Settings
from providers.lock import lock_owner, lock_path, refresh_lock
from providers.money import Money
from providers.offers import Offer, Rejected
from providers.refresh import Hooks, refresh
from providers.store import open_store

NOW = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)
KEY = SOURCES["lambda"].environment()["LAMBDA_API_KEY"]


@pytest.fixture
def lambda_table():
    adapter = Lambda(Settings())
    snapshot = Snapshot("https://here", NOW, answer("lambda/instance_types.json").body)
    offers = [fate for fate in adapter.parse(snapshot) if isinstance(fate, Offer)]
    return ProviderTable("lambda", NOW, (snapshot,), tuple(offers), ())


def each(table, change):
    return replace(table, offers=tuple(replace(offer, **change(offer)) for offer in table.offers))


def test_a_table_that_the_store_refuses_stops_no_other_source(desk, monkeypatch):
    """Half a character in a name ended the whole refresh."""
    plain = Vultr.parse

    def odd(self, snapshot):
        return (replace(f, sku=f"{f.sku}\ud800") for f in plain(self, snapshot)
                if isinstance(f, Offer))  # fmt: skip

    monkeypatch.setattr(Vultr, "parse", odd)
    desk.serve("vultr", "cloudrift")
    done = desk.prices("refresh", "vultr", "cloudrift")
    assert done.exit_code == 5, repr(done.exception)
    assert "cloudrift       published" in done.stdout
    assert "vultr           failed       vultr: sku" in done.stdout


def test_checks_that_fail_stop_no_other_source(desk, monkeypatch):
    from providers import refresh as module

    def judged(table, *more):
        if table.adapter == "vultr":
            raise OverflowError("a number that no column holds")
        return judge(table, *more)

    monkeypatch.setattr(module, "judge", judged)
    desk.serve("vultr", "cloudrift")
    done = desk.prices("refresh", "vultr", "cloudrift")
    assert done.exit_code == 5
    assert "cloudrift       published" in done.stdout
    assert "OverflowError" in done.stderr


def test_a_fault_of_ours_that_repeats_a_key_is_told_without_it(desk, monkeypatch):
    monkeypatch.setenv("LAMBDA_API_KEY", KEY)

    def broken(self, snapshot):
        raise ValueError(f"odd header: Bearer {KEY}\x1b[2J")

    monkeypatch.setattr(Lambda, "parse", broken)
    desk.serve("lambda")
    done = desk.prices("refresh", "lambda")
    assert "a fault of rentopt: ValueError: odd header: Bearer [hidden]" in done.stdout
    assert "Traceback" in done.stderr
    assert SECRET not in done.output
    assert "\x1b" not in done.output
    with open_store(desk.store) as store:
        assert SECRET not in store.runs()[0].note


def test_the_same_figures_in_another_currency_are_a_sudden_move(lambda_table):
    yuan = each(
        lambda_table,
        lambda offer: {
            "price": Money(offer.price.amount, "CNY"),
            "upfront": Money(Decimal(0), "CNY"),
        },
    )
    judged = judge(yuan, lambda_table.offers, GateConfig())
    assert any("moved x0.1" in line for line in judged.findings)
    assert len(judged.held_back) == len(yuan.offers)


def test_a_machine_whose_gpus_multiplied_is_held_back(lambda_table):
    """A hundred times the price for a hundred times the GPUs is the same price per GPU."""
    many = each(
        lambda_table,
        lambda offer: {
            "price": offer.price * 100,
            "gpu_count": 100 * offer.gpu_count,
            "max_gpus_per_host": 100 * offer.gpu_count,
        },
    )
    judged = judge(many, lambda_table.offers, GateConfig())
    assert "8 GPUs -> 800 GPUs since the last good table" in judged.held_back[0].reason
    assert judged.findings


def test_a_document_that_is_too_deep_is_no_price_list():
    deep = Snapshot("https://here", NOW, b'{"data":' + b"[" * 100_000)
    with pytest.raises(FetchError, match="too deep"):
        read_json(deep)


def test_half_a_character_is_replaced_and_a_whole_one_is_kept():
    body = rb'{"a\ud800": ["b\udc00c", "\ud83d\ude00", 1.50]}'
    found = read_json(Snapshot("https://here", NOW, body))
    assert found["a?"][:2] == ["b?c", "\N{GRINNING FACE}"]
    assert str(found["a?"][2]) == "1.50"


def test_a_name_that_commands_a_terminal_is_no_offer():
    adapter = Lambda(Settings())
    body = answer("lambda/instance_types.json", **{"us-south-2": r"us-\u001b[2J"}).body
    fates = list(adapter.parse(Snapshot("https://here", NOW, body)))
    odd = [fate for fate in fates if isinstance(fate, Rejected) and "printed" in fate.reason]
    assert odd
    assert all(fate.sku.isprintable() for fate in fates if isinstance(fate, Offer))


def test_what_a_source_says_cannot_command_a_terminal(desk):
    desk.serve("cloudrift")
    desk.servers["cloudrift"].always = Reply({"error": {"message": "wait \x1b]0;owned\x07\u202e"}})
    done = desk.prices("refresh", "cloudrift")
    assert "it says 'wait \N{REPLACEMENT CHARACTER}]0;owned" in done.stdout
    assert all(char.isprintable() or char == "\n" for char in done.output)


def test_a_variable_with_odd_bytes_is_in_nobodys_way(desk, monkeypatch):
    """The search for secrets could not encode it, and every source failed."""
    monkeypatch.setenv("SOME_TOKEN", os.fsdecode(b"latin-\xe9\xff-bytes"))
    desk.serve("cloudrift")
    done = desk.prices("refresh", "cloudrift")
    assert done.exit_code == 0, done.output


def test_botocore_choking_on_rows_of_another_shape_is_a_failed_fetch(market):
    market.learn()
    from rig import Tally

    kinds = dict.fromkeys(("aws", "aws_china"), KINDS["rows-as-text"])
    assert market.inject(kinds, Tally()) == []


def test_time_outs_are_those_of_the_settings_and_else_of_the_client(desk):
    used = []

    def http(limits, pause_s):
        used.append(limits)
        return Http(limits)

    desk.serve("cloudrift")
    base = {"cloudrift": {"base_url": desk.servers["cloudrift"].base}}
    for more in ({}, {"refresh": {"read_timeout_s": 7}}):
        with open_store(desk.store) as store:
            config = Config(providers=base, **more)
            refresh(["cloudrift"], store, config, hooks=Hooks(http=http))
    assert used == [Limits(), Limits(read_s=7)]


@pytest.mark.parametrize("written", [r"sk-a\/b+c=", "sk-a%2Fb%2Bc%3D", "sk-a/b+c="])
def test_a_key_is_hidden_however_a_server_writes_it(written):
    """Some write a slash with a backslash in JSON, and others quote what stood in an address."""
    reply = Reply(f'{{"you sent": "{written}"}}'.encode(), 400)
    with serving(lambda request, base: reply) as server, pytest.raises(FetchError) as failure:
        Http().get(server.base, secrets=["sk-a/b+c="])
    assert '"you sent": "[hidden]"' in str(failure.value)


def test_who_only_asks_for_the_lock_is_in_nobodys_way(tmp_path):
    """`doctor` takes the lock for a moment to see whether it is free."""
    store = str(tmp_path / "prices.db")
    with FileLock(lock_path(store), thread_local=False) as held:
        release = threading.Timer(0.1, held.release)
        release.start()
        with refresh_lock(store):
            release.join()
    assert lock_owner(store) == ""


def test_a_store_where_nothing_can_be_is_a_sentence_and_no_traceback(desk):
    (desk.folder / "file").write_text("")
    desk.store = desk.folder / "file" / "prices.db"
    done = desk.prices("refresh", "cloudrift")
    assert isinstance(done.exception, RentoptError)
    assert "cannot be made: " in str(done.exception)
