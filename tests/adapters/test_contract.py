"""What every live adapter keeps to, over real HTTP on loopback: registering puts it here."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loopback import Reply, cut_off, drip, hang, hang_up, recorded, serving
from sources import SECRET, SOURCES

from providers.adapter import Snapshot
from providers.fx import bundled_fx
from providers.http import CredentialError, FetchError, Http, Limits
from providers.live import Fields, RowError, Settings
from providers.offers import Offer, Rejected
from providers.price_table import read_offers, write_offers
from providers.registry import ADAPTERS, FILE_ADAPTERS, load_adapter

GOLDEN = Path(__file__).parent / "golden"
SEEN = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)
LIVE = sorted(set(ADAPTERS) - FILE_ADAPTERS)
HTTP = [name for name in LIVE if SOURCES[name].server is None]
"""The others keep to the same, in a suite of their own that speaks their protocol."""
PAGED = [name for name in HTTP if SOURCES[name].repeats]
KEYED = [name for name in HTTP if SOURCES[name].variables]
HTML = b"<!doctype html><title>Sign in</title>"
PATIENT = Limits(deadline_s=60, max_bytes=2**20)
IMPATIENT = {"hang": replace(PATIENT, read_s=0.1), "drip": replace(PATIENT, answer_s=0.1)}
"""Only with what never ends: a machine with much to do may need a while for an answer."""


def adapter_at(name, base, *, environment=None, limits=None):
    source, slept = SOURCES[name], []
    http = Http(limits or Limits(), sleep=slept.append, dice=lambda: 1.0, now=lambda: SEEN)
    settings = Settings(
        base_url=base,
        regions=source.regions,
        environment=source.environment() if environment is None else environment,
        http=http,
        options=source.options,
    )
    return load_adapter(name)(settings), slept


def fetched(name):
    """Snapshots as from the provider's own address, whatever the port of the loopback server."""
    with SOURCES[name].serving() as server:
        adapter, _ = adapter_at(name, server.base)
        snapshots = list(adapter.fetch())
    home, base = load_adapter(name).home.rstrip("/"), server.base
    return adapter, [
        Snapshot(
            s.address.replace(base, home),
            s.observed_at,
            s.body.replace(base.encode(), home.encode()),
        )
        for s in snapshots
    ]


@pytest.fixture(scope="module", params=LIVE)
def read(request):
    return fetched(request.param)


def fates(read):
    adapter, snapshots = read
    return [fate for snapshot in snapshots for fate in adapter.parse(snapshot)]


def offers(read):
    return [fate for fate in fates(read) if isinstance(fate, Offer)]


def test_every_live_adapter_has_recordings():
    assert set(SOURCES) == set(LIVE)


@pytest.mark.parametrize("name", LIVE)
def test_doctor_is_told_which_variables_a_source_wants(name):
    adapter, source = load_adapter(name), SOURCES[name]
    assert adapter.variables == source.variables
    assert adapter.keyless or not source.optional


def test_a_fetch_goes_on_to_the_last_page(read):
    adapter, snapshots = read
    assert len(snapshots) == SOURCES[adapter.name].pages


def test_every_row_is_an_offer_or_is_rejected_with_a_reason(read):
    adapter, snapshots = read
    for snapshot in snapshots:
        for name, row in adapter.rows(snapshot):
            with suppress(RowError):  # becomes a Rejected; the golden files hold the reasons
                found = list(adapter.fates(name, Fields(row), snapshot))
                assert found, f"{adapter.name}: {name} has no fate"
    rejected = [fate for fate in fates(read) if isinstance(fate, Rejected)]
    assert all(fate.reason and fate.row and fate.source for fate in rejected)


def test_the_recordings_teach_refusal_too(read):
    assert any(isinstance(fate, Rejected) for fate in fates(read))
    assert any("is not in the hardware table" in fate.reason or "no known memory" in fate.reason
               for fate in fates(read) if isinstance(fate, Rejected))  # fmt: skip


def test_a_gpu_hour_costs_cents_to_tens_of_dollars(read):
    """Catches cents read as dollars, and a machine's price read as a GPU's."""
    for offer in offers(read):
        dollars = bundled_fx().convert(offer.per_gpu_hour, "USD", SEEN.date()).amount
        assert 0.05 <= dollars <= 60, offer


def test_skus_are_unique_and_name_what_is_sold(read):
    skus = [offer.sku for offer in offers(read)]
    assert len(set(skus)) == len(skus)
    for offer in offers(read):
        assert offer.sku.startswith(f"{offer.provider}/")
        assert " " not in offer.sku
        assert offer.sku.endswith(str(offer.tenor) or offer.purchase_model.value)


def test_parsing_again_gives_the_same_without_a_network(read, monkeypatch):
    first = fates(read)
    monkeypatch.setattr(socket, "socket", None)
    monkeypatch.setattr(socket, "create_connection", None)
    assert fates(read) == first


def test_a_price_table_holds_every_offer_exactly(read):
    found = offers(read)
    again, rejected = read_offers(write_offers(found))
    assert again == found
    assert rejected == []


def test_offers_are_the_golden_ones(read):
    """After a wanted change: run write_golden_offers.py and read the diff."""
    adapter, _ = read
    expected, _ = read_offers(GOLDEN / f"{adapter.name}.csv")
    assert offers(read) == expected


def test_reasons_are_the_golden_ones(read):
    adapter, _ = read
    said = [f"{fate.row}: {fate.reason}" for fate in fates(read) if isinstance(fate, Rejected)]
    assert said == (GOLDEN / f"{adapter.name}.rejected.txt").read_text().splitlines()


def test_no_credential_is_kept(read):
    adapter, snapshots = read
    kept = repr(snapshots) + repr(fates(read)) + repr(adapter.settings)
    assert SECRET not in kept


@pytest.mark.parametrize("name", KEYED)
def test_a_missing_credential_is_named_before_anything_is_asked(name):
    with serving(SOURCES[name].route) as server:
        adapter, _ = adapter_at(name, server.base, environment={})
        if SOURCES[name].optional:
            assert list(adapter.fetch())
            assert not any("authorization" in request.headers for request in server.requests)
            return
        with pytest.raises(CredentialError, match=SOURCES[name].variables[0]):
            list(adapter.fetch())
        assert server.requests == []


@pytest.mark.parametrize("name", KEYED)
def test_a_credential_that_cannot_be_one_is_refused_without_printing_it(name):
    odd = dict.fromkeys(SOURCES[name].variables, f"{SECRET}\nX-Evil: 1")
    with serving(SOURCES[name].route) as server:
        adapter, _ = adapter_at(name, server.base, environment=odd)
        with pytest.raises(CredentialError, match=SOURCES[name].variables[0]) as failure:
            list(adapter.fetch())
        assert server.requests == []
    assert SECRET not in str(failure.value)


@pytest.mark.parametrize("name", KEYED)
def test_the_credential_is_sent(name):
    with serving(SOURCES[name].route) as server:
        adapter, _ = adapter_at(name, server.base)
        list(adapter.fetch())
    sent = [repr((request.headers, request.body, request.query)) for request in server.requests]
    assert any(SECRET in text for text in sent)
    assert all(request.headers["user-agent"].startswith("rentopt/") for request in server.requests)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("name", HTTP)
def test_a_refused_credential_is_named_and_not_tried_again(name, status):
    secrets = SOURCES[name].environment().values()
    with serving(SOURCES[name].route) as server:
        server.always = Reply({"error": f"bad key {' '.join(secrets)}"}, status)
        adapter, slept = adapter_at(name, server.base)
        with pytest.raises(CredentialError) as failure:
            list(adapter.fetch())
        assert len(server.requests) == 1
    assert slept == []
    assert all(variable in str(failure.value) for variable in SOURCES[name].variables)
    assert SECRET not in str(failure.value)


@pytest.mark.parametrize("name", HTTP)
def test_too_many_requests_waits_as_told(name):
    with serving(SOURCES[name].route) as server:
        server.faults = [Reply(status=429, headers={"Retry-After": "7"}), Reply(status=429)]
        adapter, slept = adapter_at(name, server.base)
        assert len(list(adapter.fetch())) == SOURCES[name].pages
    assert slept == [7.0, 2.0]


@pytest.mark.parametrize("name", HTTP)
def test_a_server_that_recovers_is_forgiven(name):
    with serving(SOURCES[name].route) as server:
        server.faults = [Reply(b"oops", 500), Reply(act=hang_up)]
        adapter, slept = adapter_at(name, server.base)
        assert len(list(adapter.fetch())) == SOURCES[name].pages
    assert slept == [1.0, 2.0]


FAULTS = {
    "500": (Reply({"error": "oops"}, 500), "answered 500.*3 times"),
    "404": (Reply({"error": "gone"}, 404), "answered 404"),
    "redirect": (Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), "moved"),
    "429": (Reply(status=429), "429.*5 times"),
    "quota": (Reply({"error": "search_quota_exceeded"}, 429), "daily quota"),
    "hang": (Reply(act=hang), "timed out, 3 times"),
    "drip": (Reply(act=drip), "still sending"),
    "cut off": (Reply(act=cut_off), "cut off, 3 times"),
    "hang up": (Reply(act=hang_up), "connection closed, 3 times"),
    "half a document": (Reply(b'{"data": {"a": [1, 2'), "no JSON"),
    "HTML": (Reply(HTML), "no JSON.*Sign in"),
    "nothing": (Reply(b""), "no JSON"),
    "error in 200": (Reply({"error": {"message": "out of order"}}), "."),
    "GraphQL error": (Reply({"errors": [{"message": "out of order"}], "data": None}), "."),
    "a list": (Reply([]), "."),
    "null": (Reply(b"null"), "."),
    "too much": (Reply(b" " * (2**20 + 1)), "more than 1048576 bytes"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", HTTP)
def test_a_broken_answer_fails_clearly(name, fault):
    reply, said = FAULTS[fault]
    with serving(SOURCES[name].route) as server:
        server.always = reply
        adapter, _ = adapter_at(name, server.base, limits=IMPATIENT.get(fault, PATIENT))
        said = said.replace("no JSON", SOURCES[name].unreadable)
        with pytest.raises(FetchError, match=said) as failure:
            list(adapter.fetch())
        assert server.base in str(failure.value)
    assert SECRET not in str(failure.value)
    assert len(str(failure.value)) < 500


@pytest.mark.parametrize("name", HTTP)
def test_an_error_inside_200_is_quoted(name):
    with serving(SOURCES[name].route) as server:
        server.always = Reply({"error": {"message": "out of order"}})
        adapter, _ = adapter_at(name, server.base)
        with pytest.raises(FetchError, match=r"out of order|no access_token"):
            list(adapter.fetch())


@pytest.mark.parametrize("name", [name for name in KEYED if not SOURCES[name].lists])
def test_an_echoed_credential_is_not_kept(name):
    """A server may repeat the key it was given, in an error or in a list."""

    def echo(request, base):
        reply = SOURCES[name].route(request, base)
        asked = " ".join(text for text in request.headers.values() if SECRET in text)
        return Reply(reply.body[:-2] + f',"echo":"{asked}"}}'.encode(), headers=reply.headers)

    with serving(echo) as server:
        adapter, _ = adapter_at(name, server.base)
        assert SECRET not in repr(list(adapter.fetch()))


@pytest.mark.parametrize("name", PAGED)
def test_a_page_that_comes_twice_is_noticed(name):
    source = SOURCES[name]

    def again(request, base):
        return Reply(recorded(source.repeats, base), headers=source.headers)

    with serving(again) as server:
        adapter, _ = adapter_at(name, server.base)
        adapter.page_size = source.page_size or 100
        with pytest.raises(FetchError, match=r"second time|no later one"):
            list(adapter.fetch())


@pytest.mark.parametrize("name", HTTP)
def test_nothing_there_is_connection_refused(name):
    with socket.socket() as nobody:  # held, so that nobody else gets the port; it does not listen
        nobody.bind(("127.0.0.1", 0))
        adapter, _ = adapter_at(name, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(FetchError, match=r"connection refused|connection closed"):
            list(adapter.fetch())
