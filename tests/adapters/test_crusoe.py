"""Crusoe: signed requests, and published prices that keep their own date."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from gpuhunt.providers import crusoe as peer
from loopback import serving
from sources import SECRET, SOURCES
from test_contract import SEEN, adapter_at, fetched, offers

from providers.adapter import Snapshot
from providers.adapters.crusoe import Signer, published
from providers.bundled import data_path
from providers.http import Call, CredentialError
from providers.offers import Offer
from providers.price_table import read_offers


def signed(url, moment, access="my-key", secret=b"\x01secret\xff"):
    call = Call("GET", url, b"", moment, "no nonce")
    return Signer(access, secret)(call)


def test_the_signature_covers_path_query_method_and_time():
    _, headers = signed(
        "https://api.crusoecloud.com/v1alpha5/capacities?b=2&a=1",
        datetime(2026, 11, 20, 3, 17, 0, 999, tzinfo=UTC),
    )
    said = b"/v1alpha5/capacities\na=1&b=2\nGET\n2026-11-20T03:17:00+00:00\n"
    digest = hmac.new(b"\x01secret\xff", said, hashlib.sha256).digest()
    assert headers == {
        "X-Crusoe-Timestamp": "2026-11-20T03:17:00+00:00",
        "Authorization": "Bearer 1.0:my-key:"
        + base64.urlsafe_b64encode(digest).decode().rstrip("="),
    }


def test_another_reader_of_the_live_service_signs_the_same(monkeypatch):
    sent = {}
    monkeypatch.setattr(peer.requests, "request", lambda method, url, **how: sent.update(how))
    secret = base64.urlsafe_b64encode(b"\x01secret\xff").decode().rstrip("=")
    peer.CrusoeProvider("my-key", secret, "p")._request("GET", "/capacities")
    moment = datetime.fromisoformat(sent["headers"]["X-Crusoe-Timestamp"])
    _, headers = signed("https://api.crusoecloud.com/v1alpha5/capacities", moment)
    assert headers == sent["headers"]


def test_the_keys_are_not_in_what_signs():
    assert SECRET not in repr(Signer(SECRET, SECRET.encode()))


def test_the_secret_is_not_sent_only_what_it_signs():
    source = SOURCES["crusoe"]
    with serving(source.route) as server:
        adapter, _ = adapter_at("crusoe", server.base)
        list(adapter.fetch())
    sent = repr([request.headers for request in server.requests])
    assert source.environment()["CRUSOE_ACCESS_KEY"] in sent
    assert source.environment()["CRUSOE_SECRET_KEY"] not in sent
    assert SEEN.isoformat() in sent


def test_a_secret_that_is_not_base64_is_told_before_anything_is_asked():
    with serving(SOURCES["crusoe"].route) as server:
        wrong = SOURCES["crusoe"].environment() | {"CRUSOE_SECRET_KEY": f"{SECRET}!"}
        adapter, _ = adapter_at("crusoe", server.base, environment=wrong)
        with pytest.raises(CredentialError, match="CRUSOE_SECRET_KEY is not in base64") as failure:
            list(adapter.fetch())
        assert server.requests == []
    assert SECRET not in str(failure.value)


def test_a_price_keeps_the_day_it_was_published_and_says_where():
    bundled, _ = read_offers(data_path("prices", "bundled.csv"))
    listed = {
        (offer.gpu, offer.purchase_model): offer
        for offer in bundled
        if offer.provider == "crusoe" and offer.region == "any"
    }
    found = offers(fetched("crusoe"))
    assert found
    for offer in found:
        behind = listed[offer.gpu, offer.purchase_model]
        assert offer.price.amount == behind.price.amount * offer.gpu_count
        assert offer.observed_at == behind.observed_at < SEEN.date()
        assert behind.source in offer.source


def test_yesterdays_snapshot_keeps_yesterdays_published_prices():
    adapter, (snapshot,) = fetched("crusoe")
    document = json.loads(snapshot.body)
    for row in document["published"]:
        row["per_gpu_hour"], row["date"] = "0.5", "2025-01-01"
    older = Snapshot(snapshot.address, snapshot.observed_at, json.dumps(document).encode())
    found = [fate for fate in adapter.parse(older) if isinstance(fate, Offer)]
    assert {offer.per_gpu_hour.amount for offer in found} == {Decimal("0.5")}
    assert {offer.observed_at for offer in found} == {date(2025, 1, 1)}


def test_prices_of_resellers_are_not_taken_for_crusoes():
    rows = json.loads(published())
    assert not any("Shadeform" in row["source"] for row in rows)
    assert len({(row["gpu"], row["model"]) for row in rows}) == len(rows) > 10
