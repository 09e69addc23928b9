"""Offer books, and the border that adapters and tables share."""

import csv
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from providers.adapter import Snapshot
from providers.book import UnknownTableError, bundled_book
from providers.bundled import data_path
from providers.errors import DocumentError
from providers.offers import Offer, Rejected
from providers.registry import ADAPTERS, UnknownAdapterError, load_adapter

DAY = date(2026, 11, 22)
QUOTE = """provider,sku,instance_type,gpu,gpu_count,purchase_model,increment,tenor,price,currency,\
observed_at,valid_until,source
mine,{sku},8x A800,A800,8,prepaid,month,P1M,30000,CNY,2026-11-20,{until},mail of 20 November
"""


@pytest.fixture
def quotes(tmp_path):
    def write(sku="mine/a800", until="2026-12-31"):
        path = tmp_path / "quotes.csv"
        path.write_text(QUOTE.format(sku=sku, until=until), encoding="utf-8")
        return path

    return write


def test_the_current_book_holds_all_kinds_of_prices():
    book = bundled_book(as_of=DAY)
    assert len(book.offers) >= 450
    assert len(book.token_offers) >= 200
    assert len(book.hardware_offers) >= 40
    assert len(book.rejected) >= 50
    assert book.tables == ("current",)


def test_the_book_of_july_2024_holds_that_months_prices_alone():
    book = bundled_book("china-2024-07", as_of=date(2024, 7, 14))
    assert {o.observed_at for o in (*book.offers, *book.token_offers, *book.hardware_offers)} == {
        date(2024, 7, 14)
    }


def test_a_table_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(UnknownTableError, match=r"'china-2024' is no price table; did you mean"):
        bundled_book("china-2024", as_of=DAY)


def test_a_users_quote_joins_the_book(quotes):
    path = quotes()
    book = bundled_book(as_of=DAY, quotes=[path])
    [quote] = [offer for offer in book.offers if offer.provider == "mine"]
    assert quote.price.amount == 30000
    assert book.tables == ("current", str(path))


def test_a_quote_takes_the_place_of_the_offer_with_its_sku(quotes):
    sku = "autodl/A800-80G/cn/on_demand"
    book = bundled_book(as_of=DAY, quotes=[quotes(sku)])
    [offer] = [offer for offer in book.offers if offer.sku == sku]
    assert offer.provider == "mine"
    assert any(row.row == sku and "replaced by a quote" in row.reason for row in book.rejected)


def test_a_quote_past_its_day_is_not_used(quotes):
    book = bundled_book(as_of=DAY, quotes=[quotes(until="2026-11-21")])
    assert not any(offer.provider == "mine" for offer in book.offers)
    assert any(row.reason == "valid until 2026-11-21, not on 2026-11-22" for row in book.rejected)


def test_a_faulty_quotes_file_stops_the_book(quotes):
    path = quotes()
    path.write_text(path.read_text(encoding="utf-8").replace("30000", ""), encoding="utf-8")
    with pytest.raises(DocumentError, match=r"quotes\.csv:2:9: price: price is empty"):
        bundled_book(as_of=DAY, quotes=[path])


def test_a_quotes_file_that_is_not_there_is_a_fault_of_the_user(tmp_path):
    with pytest.raises(DocumentError, match=r"none\.csv: cannot be read"):
        bundled_book(as_of=DAY, quotes=[tmp_path / "none.csv"])


def test_prices_of_two_currencies_are_compared_in_one():
    book = bundled_book(as_of=DAY)
    offer = next(offer for offer in book.offers if offer.price.currency == "USD")
    rate = book.fx.rate("USD", "CNY", DAY).value
    assert book.per_gpu_hour(offer, "CNY") == pytest.approx(offer.per_gpu_hour.amount * rate)
    assert book.per_gpu_hour(offer, "USD") == offer.per_gpu_hour.amount


def test_a_month_package_is_compared_at_730_hours():
    [package] = [
        o for o in bundled_book(as_of=DAY).offers if o.sku == "autodl/RTX-4090-24G/cn/prepaid/P1M"
    ]
    assert package.per_gpu_hour.amount == Decimal(1052) / 730


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_every_registered_adapter_can_be_loaded(name):
    adapter = load_adapter(name)
    assert adapter.name == name
    assert callable(adapter.fetch)
    assert callable(adapter.parse)


def test_an_unknown_adapter_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownAdapterError, match="did you mean table"):
        load_adapter("tabel")


def test_the_table_adapter_gives_every_row_a_fate(quotes):
    adapter = load_adapter("table")(
        [quotes(until="2026-11-21")], datetime(2026, 11, 22, tzinfo=UTC)
    )
    [snapshot] = adapter.fetch()
    [row] = adapter.parse(snapshot)
    assert isinstance(row, Rejected)
    [row] = adapter.parse(Snapshot("kept", datetime(2026, 11, 1, tzinfo=UTC), snapshot.body))
    assert isinstance(row, Offer)


def test_a_snapshot_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="needs a time zone"):
        Snapshot("here", datetime(2026, 11, 1), b"")


def test_prices_are_read_once():
    """Loading them again costs less than a plain reading of their file."""
    path = data_path("prices", "bundled.csv")

    def again():
        bundled_book(as_of=DAY)

    def read():
        with path.open(encoding="utf-8", newline="") as file:
            list(csv.DictReader(file))

    again()
    assert _cpu_seconds(again) < _cpu_seconds(read)


def _cpu_seconds(work):
    """The least of some times, without what the machine did besides."""
    seconds = []
    for _ in range(5):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def test_loading_prices_imports_nothing_heavy():
    code = (
        "import sys, datetime; from providers.book import bundled_book;"
        "bundled_book(as_of=datetime.date(2026, 11, 22));"
        "print({'pandas', 'ortools', 'boto3', 'numpy', 'pydantic', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
