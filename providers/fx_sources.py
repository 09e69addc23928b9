"""Euro reference rates from the ECB; where it cannot be read, the same figures from Frankfurter.

The ECB publishes at about 16:00 CET on TARGET working days, so on weekends and holidays the newest
day is an earlier one. Only the currencies of `providers.money.CURRENCIES` are kept: the snapshot
holds the others, for the day one of them is needed.

`Settings.base_url` replaces the ECB's address, the option `frankfurter_url` Frankfurter's.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from xml.parsers import expat

from providers.adapter import Snapshot
from providers.fx import Rate
from providers.http import FetchError, excerpt, read_json
from providers.live import RowError, Settings, exact
from providers.money import CURRENCIES

ECB = "https://www.ecb.europa.eu"
FRANKFURTER = "https://api.frankfurter.dev"
BASE = "EUR"
QUOTED = tuple(currency for currency in CURRENCIES if currency != BASE)
OLDEST_DAYS = 5
"""Easter leaves five days between two tables; more means that nothing is published any more."""
_SHORT_HISTORY = timedelta(days=80)
"""What the ECB's file of 90 days holds for certain, with a day before to start from."""
_MOST_BYTES = 32 * 2**20
"""Of an answer, and of what a zip holds. The whole history since 1999 is 2 MiB of CSV."""
_ENVELOPE = "http://www.gesmes.org/xml/2002-08-01 Envelope"
_CUBE = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

Days = dict[date, dict[str, object]]
"""Day → currency → its rate, as the source writes it."""


class FoundRates(NamedTuple):
    """One answer and what it says."""

    snapshot: Snapshot
    rates: list[Rate]
    """Oldest day first; base EUR."""
    fallback: str = ""
    """Why the ECB's own answer is not used; empty where it is."""


def latest_rates(settings: Settings) -> FoundRates:
    """The newest day's rates.

    Raises:
        FetchError: neither source gives any that are at most `OLDEST_DAYS` old.
    """
    return _first_that_works(settings, None)


def rate_history(settings: Settings, since: date) -> FoundRates:
    """Every day's rates from the day in force on `since` until the newest.

    Raises:
        FetchError: neither source gives them.
    """
    found = _first_that_works(settings, since)
    start = max((rate.day for rate in found.rates if rate.day <= since), default=since)
    return found._replace(rates=[rate for rate in found.rates if rate.day >= start])


def _first_that_works(settings: Settings, since: date | None) -> FoundRates:
    try:
        return _found(fetch_ecb, settings, since)
    except FetchError as error:
        missing = str(error)
    try:
        return _found(fetch_frankfurter, settings, since)._replace(fallback=missing)
    except FetchError as error:
        raise FetchError(f"no exchange rates: {missing}; {error}") from None


def _found(
    fetch: Callable[[Settings, date | None], Snapshot], settings: Settings, since: date | None
) -> FoundRates:
    snapshot = fetch(settings, since)
    return FoundRates(snapshot, parse(snapshot))


def fetch_ecb(settings: Settings, since: date | None = None) -> Snapshot:
    """The newest table, or with `since` the shortest file that holds all days from it."""
    if since is None:
        name = "eurofxref-daily.xml"
    elif settings.http.now().date() - since <= _SHORT_HISTORY:
        name = "eurofxref-hist-90d.xml"
    else:
        name = "eurofxref-hist.zip"
    return _get(settings, settings.base_url or ECB, f"stats/eurofxref/{name}", {})


def fetch_frankfurter(settings: Settings, since: date | None = None) -> Snapshot:
    """The newest day, or all from `since`, against the euro: other bases are rounded."""
    home = settings.options.get("frankfurter_url") or FRANKFURTER
    days = "latest" if since is None else f"{since}.."
    return _get(settings, home, f"v1/{days}", {"base": BASE, "symbols": ",".join(QUOTED)})


def _get(settings: Settings, home: str, path: str, params: Mapping[str, str]) -> Snapshot:
    limits = settings.http.limits
    http = replace(
        settings.http, limits=replace(limits, max_bytes=min(limits.max_bytes, _MOST_BYTES))
    )
    return http.get(f"{home.rstrip('/')}/{path}", params=params, headers={"Accept": "*/*"}).snapshot


def parse(snapshot: Snapshot) -> list[Rate]:
    """The rates of every whole day in the answer, oldest first; its form tells the source.

    A day that lacks a currency is left out, so that it hides no day before it: the ECB writes
    N/A where it published none (CNY before 2005-04-01).

    Raises:
        FetchError: it is no table of rates against the euro, a rate is none, the newest day lacks
            a currency, or is more than `OLDEST_DAYS` before the answer.
    """
    body, source = snapshot.body.lstrip(), "ECB euro reference rates"
    try:
        if body.startswith(b"{"):
            source = "Frankfurter, from the ECB's euro reference rates"
            days = _frankfurter_days(snapshot)
        elif body.startswith(b"PK"):
            days = _csv_days(_unzipped(snapshot.body))
        elif body.startswith((b"Date,", b"\xef\xbb\xbfDate,")):
            days = _csv_days(snapshot.body)
        else:
            days = _XmlDays(body).days
        return _rates(days, snapshot.observed_at.date(), source)
    except RowError as fault:
        raise FetchError(f"{snapshot.address}: {fault}") from None


def _rates(days: Days, read_on: date, source: str) -> list[Rate]:
    if not days:
        raise RowError("there is no rate in it")
    newest = max(days)
    if newest > read_on + timedelta(days=1):  # it is tomorrow east of Greenwich
        raise RowError(f"its newest day, {newest}, is still to come")
    if newest < read_on - timedelta(days=OLDEST_DAYS):
        age = (read_on - newest).days
        raise RowError(f"its newest day, {newest}, is {age} days old; {OLDEST_DAYS} are usual")
    lacking = [currency for currency in QUOTED if currency not in days[newest]]
    if lacking:
        raise RowError(f"no {' and no '.join(lacking)} on {newest}, its newest day")
    return [
        Rate(BASE, currency, _rate(day, currency, days[day][currency]), day, source)
        for day in sorted(days)
        if all(currency in days[day] for currency in QUOTED)
        for currency in QUOTED
    ]


def _rate(day: date, currency: str, value: object) -> Decimal:
    what = f"{currency} on {day}"
    rate = exact(value, what)
    if not Decimal("0.0001") < rate < 1_000_000:
        raise RowError(f"{what} is {value}, not a rate")
    return rate


def _enter(days: Days, day: date, rates: Iterable[tuple[str, object]]) -> None:
    if day in days:
        raise RowError(f"{day} comes twice")
    days[day] = {}
    for currency, value in rates:
        if currency in days[day]:
            raise RowError(f"{currency} comes twice on {day}")
        days[day][currency] = value


def _day(text: object) -> date:
    """2026-11-20, or 20 November 2026 as in the ECB's daily CSV."""
    words = str(text).split()
    try:
        if len(words) == 3 and words[1] in _MONTHS:
            return date(int(words[2]), _MONTHS.index(words[1]) + 1, int(words[0]))
        return date.fromisoformat(str(text).strip())
    except ValueError:
        raise RowError(f"'{str(text)[:40]}' is no day") from None


class _XmlDays:
    """Reads Cube[@time]/Cube[@currency, @rate]. A document type is refused: with it go entities,
    the only way in which XML can grow, or reach for files."""

    def __init__(self, body: bytes) -> None:
        self.days: Days = {}
        self._day: date | None = None
        self._rates: list[tuple[str, object]] = []
        self._depth = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise RowError(f"no XML at line {error.lineno}{excerpt(body)}") from None
        except (LookupError, ValueError):  # from Python's codecs, which expat asks
            raise RowError(f"no XML in an encoding known here{excerpt(body)}") from None

    def _doctype(self, *_: object) -> None:
        raise RowError("a document type where the ECB has none; not read")

    def _start(self, name: str, values: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name != _ENVELOPE:
            raise RowError(f"begins with <{name.split()[-1][:40]}>, which is no table of rates")
        if name != _CUBE:
            return
        if "time" in values:
            self._day, self._rates = _day(values["time"]), []
        elif self._day is not None and values.keys() >= {"currency", "rate"}:
            self._rates.append((values["currency"], values["rate"]))
        elif values:
            raise RowError(f"a Cube with {', '.join(sorted(values))} outside of a day")

    def _end(self, name: str) -> None:
        self._depth -= 1
        # Envelope and the Cube around all days are at 1 and 2, a day at 3, its rates at 4.
        if name == _CUBE and self._depth == 2 and self._day is not None:
            _enter(self.days, self._day, self._rates)
            self._day = None


def _csv_days(body: bytes) -> Days:
    """Header Date, USD, …; every line ends in a comma; N/A where there was none."""
    try:
        lines = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(lines, [])]
        if header[:1] != ["Date"]:
            raise RowError(f"no table by Date{excerpt(body)}")
        days: Days = {}
        for line in lines:
            values = [value.strip() for value in line]
            if not any(values):
                continue
            if len(values) != len(header):
                raise RowError(f"line {lines.line_num} has {len(values)} columns of {len(header)}")
            known = [
                pair
                for pair in zip(header[1:], values[1:], strict=True)
                if all(pair) and pair[1] != "N/A"
            ]
            _enter(days, _day(values[0]), known)
    except (UnicodeDecodeError, csv.Error) as error:
        raise RowError(f"no CSV: {error}") from None
    return days


def _unzipped(body: bytes) -> bytes:
    """The one file of a zip, read no further than `_MOST_BYTES` whatever it says of its size."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            inside = archive.infolist()
            if len(inside) != 1:
                raise RowError(f"the zip holds {len(inside)} files, not one table")
            if inside[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise RowError("the zip is packed in a way the ECB does not use")
            with archive.open(inside[0]) as file:
                content = file.read(_MOST_BYTES + 1)
    # RuntimeError: it wants a password.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise RowError(f"the zip cannot be read: {error or 'it is cut off'}") from None
    if len(content) > _MOST_BYTES:
        raise RowError(f"the zip holds more than {_MOST_BYTES} bytes")
    return content


def _frankfurter_days(snapshot: Snapshot) -> Days:
    """{base, date, rates} of a day, or {base, rates: {day: rates}} of several."""
    document = read_json(snapshot)
    base, rates = document.get("base"), document.get("rates")
    if base != BASE or not isinstance(rates, dict):
        said = f"against {base}" if base else "no base"
        raise RowError(f"not rates against {BASE} ({said}){excerpt(snapshot.body)}")
    if exact(document.get("amount", 1), "amount") != 1:
        raise RowError(f"rates of {document['amount']} {BASE}, not of one")
    by_day = {document["date"]: rates} if "date" in document else rates
    days: Days = {}
    for day, of_day in by_day.items():
        if not isinstance(of_day, dict):
            raise RowError(f"no rates under {day}")
        _enter(days, _day(day), of_day.items())
    return days
