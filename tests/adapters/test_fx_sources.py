"""Exchange rates: exact values, the fallback, and every way in which a table can be none."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from loopback import Reply, cut_off, hang, recorded, serving

from providers.adapter import Snapshot
from providers.fx import FxTable
from providers.fx_sources import latest_rates, parse, rate_history
from providers.http import FetchError, Http, Limits
from providers.live import Settings

NOW = datetime(2026, 11, 22, 19, 17, tzinfo=UTC)
"""A Sunday: the newest table is of the Friday before."""
NOV_19, NOV_20 = date(2026, 11, 19), date(2026, 11, 20)
DAILY = recorded("fx/eurofxref-daily.xml")
HISTORY = recorded("fx/eurofxref-hist.csv")
TWO_DAYS = [
    (NOV_19, "CNY", Decimal("8.1790")),
    (NOV_19, "USD", Decimal("1.1508")),
    (NOV_20, "CNY", Decimal("8.1850")),
    (NOV_20, "USD", Decimal("1.1520")),
]


def zipped(body=HISTORY, name="eurofxref-hist.csv", how=zipfile.ZIP_DEFLATED, copies=1):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", how) as archive:
        for copy in range(copies):
            archive.writestr(f"{copy or ''}{name}", body)
    return whole.getvalue()


def several_days():
    """As the file of 90 days: the daily one with a second day below the first."""
    friday = DAILY[DAILY.index(b"<Cube time") : DAILY.index(b"</Cube>") + 7]
    thursday = (
        friday.replace(b"2026-11-20", b"2026-11-19")
        .replace(b"1.1520", b"1.1508")
        .replace(b"8.1850", b"8.1790")
    )
    return DAILY.replace(friday, friday + b"\n" + thursday)


LATEST = {"amount": 1.0, "base": "EUR", "date": "2026-11-20"}
LATEST |= {"rates": {"CNY": 8.185, "USD": 1.152}}
RANGE = {"amount": 1.0, "base": "EUR", "start_date": "2026-11-19", "end_date": "2026-11-20"}
RANGE |= {"rates": {"2026-11-19": {"CNY": 8.179, "USD": 1.1508}, "2026-11-20": LATEST["rates"]}}

ECB_FILES = {
    "/stats/eurofxref/eurofxref-daily.xml": DAILY,
    "/stats/eurofxref/eurofxref-hist-90d.xml": several_days(),
    "/stats/eurofxref/eurofxref-hist.zip": zipped(),
}


@pytest.fixture
def ecb():
    with serving(lambda request, base: found(ECB_FILES, request)) as server:
        yield server


@pytest.fixture
def frankfurter():
    files = {"/v1/latest": LATEST, "/v1/2026-11-19..": RANGE, "/v1/2026-01-01..": RANGE}
    with serving(lambda request, base: found(files, request)) as server:
        yield server


def found(files, request):
    return Reply(files[request.path]) if request.path in files else None


@pytest.fixture
def settings(ecb, frankfurter):
    http = Http(
        limits=Limits(connect_s=2, read_s=0.2, answer_s=0.2, deadline_s=60),
        sleep=lambda seconds: None,
        now=lambda: NOW,
    )
    return Settings(
        base_url=ecb.base, http=http, options={"frankfurter_url": f"{frankfurter.base}/"}
    )


def of(body, now=NOW):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse(Snapshot("http://rates.example/table", now, body))


def values(rates):
    assert {rate.base for rate in rates} == {"EUR"}
    return [(rate.day, rate.quote, rate.value) for rate in rates]


def test_the_daily_table_gives_the_known_currencies_exactly(settings, ecb, frankfurter):
    snapshot, rates, fallback = latest_rates(settings)
    assert values(rates) == TWO_DAYS[2:]
    assert str(rates[0].value) == "8.1850"
    assert {rate.source for rate in rates} == {"ECB euro reference rates"}
    assert (snapshot.body, fallback) == (DAILY, "")
    assert ecb.requests[0].path == "/stats/eurofxref/eurofxref-daily.xml"
    assert frankfurter.requests == []


def test_a_dollar_in_yuan_is_the_quotient_of_both(settings):
    rates = latest_rates(settings).rates
    table = FxTable("EUR", {NOV_20: {rate.quote: rate.value for rate in rates}}, "ECB")
    assert table.rate("USD", "CNY", NOV_20).value == Decimal("8.1850") / Decimal("1.1520")
    assert round(table.rate("USD", "CNY", NOV_20).value, 4) == Decimal("7.1050")


@pytest.mark.parametrize(
    ("since", "file"),
    [(NOV_19, "eurofxref-hist-90d.xml"), (date(2026, 1, 1), "eurofxref-hist.zip")],
)
def test_a_history_is_read_from_the_shortest_file_that_holds_it(settings, ecb, since, file):
    assert values(rate_history(settings, since).rates) == TWO_DAYS
    assert [request.path for request in ecb.requests] == [f"/stats/eurofxref/{file}"]


def test_a_history_begins_with_the_day_in_force(settings):
    assert values(rate_history(settings, date(2026, 11, 21)).rates) == TWO_DAYS[2:]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=503),
        Reply(status=429),
        Reply(status=403),
        Reply(status=404),
        Reply(act=hang),
        Reply(act=cut_off),
        Reply(b"<!doctype html><html><title>Maintenance</title></html>"),
        Reply(b"<html><body><p>Maintenance<br></body></html>"),
        Reply(b""),
        Reply(zipped()[:120]),
        Reply(DAILY[:420]),
        Reply(DAILY.replace(b"2026-11-20", b"2026-11-16")),
    ],
    ids=[
        *("503", "429", "403", "404", "hang", "cut off", "a page", "a page that is XML"),
        *("nothing", "half a zip", "half a table", "an old day"),
    ],
)
def test_frankfurter_steps_in_and_the_reason_is_kept(settings, ecb, frankfurter, reply):
    ecb.always = reply
    _, rates, fallback = latest_rates(settings)
    assert values(rates) == TWO_DAYS[2:]
    assert {rate.source for rate in rates} == {"Frankfurter, from the ECB's euro reference rates"}
    assert fallback.startswith(f"{ecb.base}/stats/eurofxref/eurofxref-daily.xml")
    assert frankfurter.requests[0].query == {"base": "EUR", "symbols": "CNY,USD"}


def test_frankfurter_gives_the_history_too(settings, ecb, frankfurter):
    ecb.always = Reply(status=500)
    assert values(rate_history(settings, NOV_19).rates) == TWO_DAYS
    assert frankfurter.requests[0].path == "/v1/2026-11-19.."


def test_with_both_down_the_error_says_what_each_answered(settings, ecb, frankfurter):
    ecb.always, frankfurter.always = Reply(status=503), Reply({"message": "not found"}, 404)
    with pytest.raises(FetchError, match=r"no exchange rates: .*answered 503.*answered 404") as bad:
        latest_rates(settings)
    assert bad.value.exit_code == 4


def test_an_answer_is_read_no_further_than_a_table_can_be_long(settings, ecb):
    ecb.always = Reply(b" " * (32 * 2**20 + 1))
    settings.http.limits = Limits()
    assert "more than 33554432 bytes" in latest_rates(settings).fallback


def test_every_form_of_the_same_rates_reads_alike():
    assert values(of(DAILY)) == values(of(recorded("fx/eurofxref.csv"))) == values(of(LATEST))
    assert values(of(several_days())) == values(of(zipped())) == values(of(HISTORY))
    assert values(of(RANGE)) == TWO_DAYS
    assert [str(rate.value) for rate in of(recorded("fx/eurofxref.csv"))] == ["8.1850", "1.1520"]


def test_a_day_without_a_currency_hides_no_day_before_it():
    early = b"2005-03-31,1.2964,138.44,0.6885,N/A,10.1110,N/A,\n"
    assert values(of(HISTORY + early)) == TWO_DAYS
    gap = HISTORY.replace(b"181.10,0.8790,8.1850", b"181.10,0.8790,N/A")
    with pytest.raises(FetchError, match="no CNY on 2026-11-20, its newest day"):
        of(gap)


@pytest.mark.parametrize("days", [0, 3, 5])
def test_weekends_and_holidays_are_no_fault(days):
    now = datetime(2026, 11, 20 + days, 15, tzinfo=UTC)
    assert values(of(DAILY, now)) == TWO_DAYS[2:]


def test_more_than_five_days_are_one():
    late = datetime(2026, 11, 26, tzinfo=UTC)
    with pytest.raises(FetchError, match="2026-11-20, is 6 days old; 5 are usual"):
        of(DAILY, late)
    early = datetime(2026, 11, 18, tzinfo=UTC)
    with pytest.raises(FetchError, match="still to come"):
        of(DAILY, early)


LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "1.1520"><!ENTITY lols "&lol;&lol;&lol;">]>
"""
PASSWD = b"""<?xml version="1.0"?>
<!DOCTYPE gesmes [<!ENTITY f SYSTEM "file:///etc/hostname">]>
"""
_DECLARATION, TABLE = DAILY.split(b"\n", 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (LAUGHS + TABLE.replace(b"1.1520", b"&lols;"), "a document type"),
        (PASSWD + TABLE.replace(b"European", b"&f;"), "a document type"),
        (TABLE.replace(b"1.1520", b"&usd;"), "no XML at line 8"),
        (DAILY.replace(b"UTF-8", b"gb18030"), "no XML in an encoding known here"),
        (DAILY.replace(b"UTF-8", b"klingon"), "no XML in an encoding known here"),
        (DAILY.replace(b"ecb.int", b"example.org"), "there is no rate in it"),
        (DAILY.replace(b"gesmes.org", b"example.org"), "begins with <Envelope>"),
        (b"<html><head/></html>", "begins with <html>"),
        (b"\x1f\x8b\x08 not much", "no XML at line 1"),
        (DAILY.replace(b" time='2026-11-20'", b""), "outside of a day"),
        (DAILY.replace(b"2026-11-20", b"yesterday"), "'yesterday' is no day"),
        (DAILY.replace(b"JPY", b"USD"), "USD comes twice on 2026-11-20"),
        (several_days().replace(b"-19'", b"-20'"), "2026-11-20 comes twice"),
        (DAILY.replace(b"'USD'", b"'USN'"), "no USD on 2026-11-20"),
        (DAILY.replace(b"1.1520", b"0"), "USD on 2026-11-20 is 0, not a rate"),
        (DAILY.replace(b"1.1520", b"-1.15"), "is -1.15, not a rate"),
        (DAILY.replace(b"1.1520", b"NaN"), "not a number of anything"),
        (DAILY.replace(b"1.1520", b"1,1520"), "'1,1520', not a number"),
        (DAILY.replace(b"1.1520", b"1e-9"), "not a rate"),
    ],
)
def test_an_odd_xml_table_is_refused(body, reason):
    with pytest.raises(FetchError, match=r"http://rates\.example/table: ") as refusal:
        of(body)
    assert reason in str(refusal.value)


def bomb():
    return zipped(b"Date,USD,CNY,\n" + b"0" * (40 * 2**20))


def damaged():
    body = bytearray(zipped())
    body[60] ^= 0xFF
    return bytes(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (zipped()[:-30], "the zip cannot be read"),
        (damaged(), "the zip cannot be read"),
        (bomb(), "the zip holds more than 33554432 bytes"),
        (zipped(copies=2), "the zip holds 2 files"),
        (zipped(how=zipfile.ZIP_LZMA), "packed in a way the ECB does not use"),
        (zipped(b""), "no table by Date"),
        (zipped(b"\xff\xfe\x00"), "no CSV"),
        (HISTORY[:-20], "line 3 has 4 columns of 8"),
        (HISTORY.replace(b"2026-11-19", b"19.11.2026"), "'19.11.2026' is no day"),
        (HISTORY.replace(b"2026-11-19", b"31 November 2026"), "is no day"),
        (HISTORY.replace(b"-19", b"-20"), "2026-11-20 comes twice"),
        (b"Date,USD,CNY,\n", "there is no rate in it"),
        (b'Date,USD,CNY,\n2026-11-20,"1.1', "no CSV"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_odd_csv_table_is_refused(body, reason):
    with pytest.raises(FetchError) as refusal:
        of(body)
    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (recorded("fx/frankfurter-latest-usd.json"), "not rates against EUR (against USD)"),
        ({"message": "not found"}, "(no base)"),
        (LATEST | {"amount": 100}, "rates of 100 EUR, not of one"),
        (LATEST | {"rates": []}, "not rates against EUR"),
        (LATEST | {"rates": {}}, "no CNY and no USD on 2026-11-20"),
        (LATEST | {"rates": {"CNY": None, "USD": 1}}, "CNY on 2026-11-20 is missing"),
        (LATEST | {"rates": {"CNY": float("nan"), "USD": 1}}, "not a number"),
        (RANGE | {"rates": {"2026-11-20": 7}}, "no rates under 2026-11-20"),
        (RANGE | {"rates": {}}, "there is no rate in it"),
        (b'{"base": "EUR", "rates"', "no JSON"),
    ],
)
def test_an_odd_frankfurter_answer_is_refused(body, reason):
    with pytest.raises(FetchError) as refusal:
        of(body)
    assert reason in str(refusal.value)
