"""Files from a path or an https address: what is read, and what plans never do."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from loopback import Reply, serving

from providers.book import bundled_book
from providers.errors import DocumentError
from providers.files import address_of
from providers.http import FetchError, Http, Limits
from providers.registry import FILE_ADAPTERS, load_adapter

DAY = datetime(2026, 11, 22, tzinfo=UTC)
QUOTES = b"""
- provider: northgpu
  instance_type: 8x A800
  gpu: A800
  gpu_count: 8
  purchase_model: prepaid
  increment: week
  tenor: P7D
  price: 9072.50
  currency: CNY
  observed_at: 2026-11-01
  source: offer of 1 November
"""
ADDRESS = "https://quotes.example/today.yaml?token=4711-secret"
NO_NETWORK = (
    "https://quotes.example/today.yaml?token=[hidden]: an address, and planning uses no network; "
    "hint: `rentopt prices import https://quotes.example/today.yaml?token=[hidden] --as NAME` "
    "keeps its prices"
)


def test_a_table_is_read_from_an_address_by_its_ending():
    with serving(lambda request, base: Reply(QUOTES)) as server:
        adapter = load_adapter("table")([f"{server.base}/today.yaml?token=4711-secret"], DAY)
        [snapshot] = adapter.fetch()
        assert server.requests[0].query == {"token": "4711-secret"}
        assert server.requests[0].headers["accept"] == "*/*"
    assert snapshot.address == f"{server.base}/today.yaml?token=[hidden]"
    assert snapshot.observed_at == DAY
    [offer] = adapter.parse(snapshot)
    assert (offer.provider, str(offer.price.amount)) == ("northgpu", "9072.50")


def test_an_address_that_does_not_answer_is_a_clear_error():
    http = Http(Limits(), sleep=lambda _: None)
    with serving(lambda request, base: None) as server:
        adapter = load_adapter("table")([f"{server.base}/gone.csv"], DAY, http)
        with pytest.raises(FetchError, match=r"/gone\.csv answered 404"):
            list(adapter.fetch())


@pytest.mark.parametrize(
    "address",
    ["http://quotes.example/a.csv", "ftp://quotes.example/a.csv", "s3://bucket/a.csv",
     "http://127.0.0.1.quotes.example/a.csv", "file:///etc/passwd", "https+unix:/a.csv"],
)  # fmt: skip
def test_only_https_is_fetched(address, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(DocumentError, match="cannot be read from here; hint: give an https"):
        list(load_adapter("table")([address], DAY).fetch())


@pytest.mark.parametrize("name", sorted(FILE_ADAPTERS))
def test_a_path_is_never_fetched(name, monkeypatch):
    """A command's `--quotes` and a schedule's `market.quotes` are paths."""
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(DocumentError) as raised:
        list(load_adapter(name)([Path(ADDRESS)], DAY).fetch())
    assert str(raised.value) == NO_NETWORK


def test_plans_refuse_an_address_and_say_what_to_do(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(DocumentError) as raised:
        bundled_book(as_of=date(2026, 11, 22), quotes=[Path(ADDRESS)])
    assert str(raised.value) == NO_NETWORK


def test_a_drive_or_a_blank_is_no_address():
    for path in ("C:/quotes.csv", "quotes.csv", "", "a/b:c.csv", "./https:x", r"C:\quotes.csv"):
        assert address_of(path) == ""
    assert address_of(Path("HTTPS://a.example/B.csv")) == "https://a.example/B.csv"


@pytest.mark.parametrize("name", sorted(FILE_ADAPTERS))
def test_a_file_that_is_not_there_is_a_fault_of_the_user(name, tmp_path):
    with pytest.raises(DocumentError, match=r"none\.csv: cannot be read: No such file"):
        list(load_adapter(name)([tmp_path / "none.csv"], DAY).fetch())
