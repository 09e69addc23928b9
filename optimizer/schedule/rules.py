"""Rules that span fields: days inside the horizon, bands that cover the day, names that exist.

A rule looks at what could be read and is silent about what could not: a fault in a field is told
once, by the field.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path as FilePath

from optimizer.finance.presets import presets
from optimizer.schedule.document import (
    Horizon,
    Limits,
    Market,
    MoneyAssumptions,
    OwnedHardware,
    Purchase,
    Rule,
    TariffBand,
    TaxAssumptions,
    Workload,
)
from optimizer.schedule.explain import closest, value_at
from optimizer.schedule.quantities import WEEKDAYS, hours_of_day
from optimizer.schedule.schedule import first_and_last
from providers.bundled import data_path
from providers.errors import Fault, RentoptError
from providers.hardware import accelerator_id, accelerators, in_family
from providers.money import CURRENCIES
from providers.terms import PurchaseModel, Tier
from providers.yaml_text import Path, Source

MOST_DAYS = 1830
"""Five years: beyond, prices are guesses and the model is large."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The sections that could be read; None or absent: faulty beyond use."""

    horizon: Horizon | None
    workloads: Mapping[int, Workload]
    """By position in the document."""
    owned: Mapping[int, OwnedHardware]
    buy: Mapping[int, Purchase]
    market: Market | None
    money: MoneyAssumptions | None
    limits: Limits | None


@dataclass(slots=True)
class Findings:
    """Collects faults and notes, with the places they point to."""

    source: Source
    broken: Sequence[Path]
    """Paths that have a fault of their own already."""
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)

    def fault(
        self,
        path: Path,
        message: str,
        hint: str = "",
        *,
        uses: Iterable[Path] = (),
        at_key: bool = False,
    ) -> None:
        """Note a fault, unless `path` or one of the values it `uses` is faulty already."""
        if not any(self._is_broken(used) for used in (path, *uses)):
            self.faults.append(self.source.fault(path, message, hint, at_key=at_key))

    def warn(self, path: Path, message: str, hint: str = "") -> None:
        """Note what is allowed but may not be meant."""
        if not self._is_broken(path):
            self.notes.append(self.source.fault(path, message, hint))

    def _is_broken(self, path: Path) -> bool:
        return any(
            bad[: len(path)] == path or path[: len(bad)] == bad for bad in self.broken if path
        )


@dataclass(frozen=True, slots=True)
class Days:
    """First and last day of the horizon."""

    first: date
    last: date

    def check(self, found: Findings, path: Path, day: date | None) -> bool:
        """Whether `day` is inside the horizon (or not given); a fault if not."""
        if day is None or self.first <= day <= self.last:
            return True
        span = f"the horizon, {self.first} to {self.last}"
        found.fault(path, f"{day} is outside {span}", uses=[("horizon",)])
        return False

    def check_span(
        self, found: Findings, path: Path, start: date | None, end: date | None, names: str
    ) -> None:
        """Both days inside the horizon, in order; `names` are the two keys."""
        first, last = names.split()
        inside = self.check(found, (*path, first), start)
        inside &= self.check(found, (*path, last), end)
        if inside and start is not None and end is not None and end < start:
            found.fault(
                (*path, last), f"{last} {end} is before {first} {start}", uses=[(*path, first)]
            )


def check_horizon(found: Findings, horizon: Horizon | None) -> Days | None:
    """The days of the horizon; None when they are in doubt."""
    if horizon is None:
        return None
    path: Path = ("horizon",)
    if (horizon.days is None) == (horizon.end is None):
        given = "neither" if horizon.days is None else "both"
        message = f"expected either 'days' or 'end', found {given}"
        found.fault(path, message, "write `days: 365` or `end: 2027-12-31`")
        return None
    if horizon.days == 0:
        found.fault((*path, "days"), "the horizon has no day", "write at least 1 day")
        return None
    try:
        first, last = first_and_last(horizon)
    except OverflowError:
        found.fault((*path, "days"), "the horizon ends after the calendar does")
        return None
    if last < first:
        found.fault((*path, "end"), f"end {last} is before start {first}")
        return None
    if (last - first).days >= MOST_DAYS:
        where = "days" if horizon.end is None else "end"
        message = f"the horizon has {(last - first).days + 1} days; at most {MOST_DAYS} are planned"
        found.fault((*path, where), message, "plan at most five years at once")
        return None
    return Days(first, last)


def check_names(found: Findings, path: Path, names: Iterable[tuple[int, str]]) -> None:
    """Every name is given once; entries are under `path`, each with a key ``name``."""
    seen: dict[str, int] = {}
    for index, name in names:
        if name in seen:
            first = found.source.values[(*path, seen[name], "name")].line
            found.fault(
                (*path, index, "name"),
                f"the name '{name}' is taken, first on line {first}",
                "give every entry a name of its own",
            )
        seen.setdefault(name, index)


def check_written_keys(found: Findings, path: Path, kept: int) -> None:
    """No two keys mean the same, such as ``12 months`` and ``1 year``."""
    raw = value_at(found.source.data, path)
    if isinstance(raw, dict) and len(raw) > kept:
        found.fault(path, f"two of the keys {', '.join(raw)} mean the same", "keep one of them")


def check_hours(found: Findings, path: Path, windows: Sequence[str]) -> None:
    """No hour is in two spans."""
    for number, window in enumerate(windows):
        for other in windows[:number]:
            both = sorted(hours_of_day(window) & hours_of_day(other))
            if both:
                message = f"'{other}' and '{window}' overlap at {both[0]:02d}:00"
                found.fault(path, message, "let each hour be in one span")


def check_hardware_rule(found: Findings, path: Path, allow: list[str], forbid: list[str]) -> None:
    """Every name is a GPU or a family of the hardware table."""
    for key, names in (("allow", allow), ("forbid", forbid)):
        for number, name in enumerate(names):
            if any(in_family(gpu, name) for gpu in accelerators()):
                continue
            try:
                accelerator_id(name)
            except RentoptError as error:
                message, _, hint = str(error).partition("; ")
                found.fault((*path, key, number), message, hint)
    for name in sorted(set(allow) & set(forbid)):
        found.fault((*path, "forbid"), f"'{name}' is both allowed and forbidden")


def check_hardware(found: Findings, parts: Parts, days: Days | None) -> None:
    for number, item in parts.owned.items():
        if days is not None:
            days.check(found, ("hardware", "owned", number, "available"), item.available)
        _check_power(found, ("hardware", "owned", number), item.busy_power, item.idle_power)
    seen: set[str] = set()
    for number, purchase in parts.buy.items():
        path: Path = ("hardware", "buy", number)
        if purchase.price.amount == 0:
            found.fault((*path, "price"), "a price of 0 is no price", "list it under `owned`")
        if purchase.node in seen:
            message = f"{purchase.node} is listed twice under `buy`"
            found.fault((*path, "node"), message, "keep the cheaper one")
        seen.add(purchase.node)
        _check_power(found, path, purchase.busy_power, purchase.idle_power)
        check_residual(found, (*path, "residual"), purchase.residual)


def _check_power(found: Findings, path: Path, busy: float | None, idle: float | None) -> None:
    if busy is not None and idle is not None and idle > busy:
        message = f"idle_power {idle:g} W is above busy_power {busy:g} W"
        found.fault((*path, "idle_power"), message, uses=[(*path, "busy_power")])


def check_residual(found: Findings, path: Path, residual: Mapping[int, float]) -> None:
    """Ages in order, values that never rise with age."""
    check_written_keys(found, path, len(residual))
    for (age, value), (older, worth) in pairwise(residual.items()):
        if older <= age:
            message = f"the ages must rise, found {age} months before {older} months"
            found.fault(path, message, "sort the ages")
        elif worth > value:
            message = f"the value rises from {value:.0%} to {worth:.0%} between {age} and {older}"
            found.fault(path, f"{message} months", "a resale value never rises with age")


def check_market(
    found: Findings, market: Market | None, days: Days | None, folder: FilePath
) -> None:
    from providers.book import TABLES
    from providers.files import address_of, import_hint
    from providers.redaction import redacted

    if market is None:
        return
    path: Path = ("market",)
    if market.table not in TABLES:
        hint = closest(market.table, TABLES) or f"known are {', '.join(TABLES)}"
        found.fault((*path, "table"), f"'{market.table}' is no bundled price table", hint)
    for number, quotes in enumerate(market.quotes):
        address = address_of(quotes)
        if address:
            message = f"'{redacted(address)}' is an address, and planning uses no network"
            found.fault((*path, "quotes", number), message, import_hint(address))
        elif not (folder / quotes).is_file():
            hint = "the path starts at the schedule's folder"
            found.fault((*path, "quotes", number), f"there is no file '{quotes}'", hint)
    _check_rule(found, (*path, "tiers"), market.tiers, [str(tier) for tier in Tier])
    models = [str(model) for model in PurchaseModel]
    _check_rule(found, (*path, "purchase_models"), market.purchase_models, models)
    for rule, name in ((market.providers, "providers"), (market.regions, "regions")):
        for both in sorted(set(rule.allow) & set(rule.forbid)):
            found.fault((*path, name, "forbid"), f"'{both}' is both allowed and forbidden")
    if market.table in TABLES and not market.quotes:
        _check_providers(found, market)
    check_names(
        found, (*path, "free_quotas"), [(i, q.name) for i, q in enumerate(market.free_quotas)]
    )
    for number, quota in enumerate(market.free_quotas):
        if days is not None:
            here = (*path, "free_quotas", number)
            days.check_span(found, here, quota.start, quota.end, "start end")


def _check_rule(found: Findings, path: Path, rule: Rule, known: Sequence[str]) -> None:
    for key, names in (("allow", rule.allow), ("forbid", rule.forbid)):
        for number, name in enumerate(names):
            if name not in known:
                listed = ", ".join(known)
                message = f"expected one of {listed}, found '{name}'"
                found.fault((*path, key, number), message, closest(name, known))
    for name in sorted(set(rule.allow) & set(rule.forbid)):
        found.fault((*path, "forbid"), f"'{name}' is both allowed and forbidden")


def _check_providers(found: Findings, market: Market) -> None:
    for key, names in (("allow", market.providers.allow), ("forbid", market.providers.forbid)):
        for number, name in enumerate(names):
            known = _sellers(market.table)
            if name not in known:
                hint = closest(name, known)
                message = f"no seller '{name}' in the price table '{market.table}'"
                path = ("market", "providers", key, number)
                found.warn(path, message, hint)


@cache
def _sellers(table: str) -> frozenset[str]:
    from providers.book import TABLES

    files = (TABLES[table].offers, TABLES[table].tokens)
    names: set[str] = set()
    for name in files:
        with data_path("prices", name).open(encoding="utf-8", newline="") as file:
            names |= {row["provider"] for row in csv.DictReader(file)}
    return frozenset(names)


def check_money(found: Findings, money: MoneyAssumptions | None) -> None:
    if money is None:
        return
    check_residual(found, ("money", "residual"), money.residual)
    if isinstance(money.electricity, list):
        _check_tariff(found, money.electricity)
    if money.tax is not None:
        _check_tax(found, money.tax)
    for pair in money.fx:
        base, _, quote = pair.partition("/")
        path: Path = ("money", "fx", pair)
        if base not in CURRENCIES or quote not in CURRENCIES or base == quote:
            hint = f"known currencies are {', '.join(CURRENCIES)}"
            message = f"'{pair}' is no pair of currencies such as USD/CNY"
            found.fault(path, message, hint, at_key=True)
        elif f"{quote}/{base}" in list(money.fx)[: list(money.fx).index(pair)]:
            found.fault(path, f"'{pair}' and '{quote}/{base}' say the same", "keep one of them")


def _check_tax(found: Findings, tax: TaxAssumptions) -> None:
    path: Path = ("money", "tax")
    if (tax.depreciation is None) == (tax.years is None):
        hint = "name a rule (depreciation), or give years of equal parts, not both"
        found.fault(path, "how a purchase is deducted is not clear", hint)
    if tax.depreciation is None:
        return
    known = [name for name, rule in presets().items() if rule.monthly]
    if tax.depreciation not in known:
        table = tax.depreciation in presets()
        what = "deducts by a table of years" if table else "is no rule of depreciation"
        hint = f"rules that deduct at once or in equal parts are {', '.join(known)}"
        found.fault((*path, "depreciation"), f"'{tax.depreciation}' {what}", hint)


def _check_tariff(found: Findings, bands: Sequence[TariffBand]) -> None:
    path: Path = ("money", "electricity")
    times = Counter(hour for band in bands for span in band.hours for hour in hours_of_day(span))
    twice = [hour for hour in range(24) if times[hour] > 1]
    never = [hour for hour in range(24) if not times[hour]]
    hint = "let every hour of the day be in one band"
    if twice:
        found.fault(path, f"the hour from {twice[0]:02d}:00 is in two bands", hint)
    if never:
        found.fault(path, f"no band has the hour from {never[0]:02d}:00", hint)
    currencies = sorted({band.price.currency for band in bands})
    if len(currencies) > 1:
        message = f"the bands are in {' and '.join(currencies)}"
        found.fault(path, message, "give all bands in one currency")


def check_limits(found: Findings, limits: Limits | None, days: Days | None) -> None:
    if limits is None:
        return
    check_written_keys(found, ("limits", "budget"), len(limits.budget))
    for month in limits.budget:
        if days is not None and not f"{days.first:%Y-%m}" <= month <= f"{days.last:%Y-%m}":
            span = f"the horizon, {days.first} to {days.last}"
            path = ("limits", "budget", month)
            found.fault(path, f"{month} is outside {span}", uses=[("horizon",)], at_key=True)
    if limits.power == 0:
        message = "a site with 0 kW runs nothing"
        found.fault(("limits", "power"), message, "leave it out when power is not limited")


def check_means(found: Findings, parts: Parts) -> None:
    """Something can be rented, owned, bought or called."""
    if parts.market is None or parts.market.rent:
        return
    means = parts.owned or parts.buy or parts.market.free_quotas
    if not means and not any(getattr(w, "api", "no") != "no" for w in parts.workloads.values()):
        message = "nothing may be rented, and nothing is owned or may be bought"
        hint = "allow renting, or list hardware"
        found.fault(("market", "rent"), message, hint, uses=[("hardware",), ("workloads",)])


def check_weekdays(found: Findings, path: Path, weekdays: Mapping[str, float]) -> None:
    check_written_keys(found, path, len(weekdays))
    if len(weekdays) == len(WEEKDAYS) and not any(weekdays.values()):
        found.fault(path, "every weekday has a share of 0 %, so nothing is asked")
