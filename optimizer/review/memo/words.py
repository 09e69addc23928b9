"""The memo's language: texts, numbers, money and days in English and Chinese."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files

MINUS = "−"
"""The sign, as wide as a digit."""
NONE = "–"


class Lang(StrEnum):
    EN = "en"
    ZH = "zh"


_CURRENCIES = {
    "CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "KRW": "韩元",
}  # fmt: skip


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    place = files("optimizer.review.memo") / "templates" / "texts.toml"
    return tomllib.loads(place.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Words:
    """How one language says things, in one currency."""

    lang: Lang
    currency: str

    def __call__(self, key: str, **values: object) -> str:
        """A text by its key, with its fields filled in.

        Raises:
            KeyError: there is no such text.
        """
        text = _texts()[key][self.lang]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        return key in _texts()

    # -- numbers -------------------------------------------------------------------------------

    def number(self, value: Decimal, places: int = 0, *, sign: bool = False) -> str:
        """Thousands apart, halves up, and no minus before a nought.

        Args:
            sign: whether a plus is written too.
        """
        exact = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        before = MINUS if exact < 0 else "+" if sign and exact > 0 else ""
        return f"{before}{abs(exact):,.{places}f}"

    @property
    def unit(self) -> str:
        """The currency as it stands after an amount."""
        return (
            _CURRENCIES.get(self.currency, self.currency)
            if self.lang is Lang.ZH
            else (self.currency)
        )

    def money(self, value: Decimal, places: int = 0, *, sign: bool = False) -> str:
        return f"{self.number(value, places, sign=sign)} {self.unit}"

    def percent(self, share: Decimal, places: int = 1, *, sign: bool = False) -> str:
        return f"{self.number(share * 100, places, sign=sign)}{self.percent_sign}"

    @property
    def percent_sign(self) -> str:
        """With a narrow space before it where the language has one."""
        return "%" if self.lang is Lang.ZH else "\u202f%"

    def price(self, value: Decimal) -> str:
        """Small amounts with the digits that count, at least two places."""
        places = 2 if abs(value) >= 10 or not value else min(6, max(2, 2 - value.adjusted()))
        return self.number(value, places)

    def day(self, day: date) -> str:
        if self.lang is Lang.ZH:
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {day:%b %Y}"

    def month(self, day: date) -> str:
        return f"{day.year}年{day.month}月" if self.lang is Lang.ZH else f"{day:%b %Y}"

    def of(self, form: str, value: Decimal, *, unit: bool = True) -> str:
        """A value in the form that its kind asks for, with its unit."""
        money, hour, year = self.unit, self("gpu_hour"), self("a_year")
        places = {"amount": 0, "factor": 2, "days": 0, "count": 0, "kw": 3, "months": 1}
        if form in ("share", "rate"):
            shown = self.percent(value)
        else:
            shown = self.number(value, places[form]) if form in places else self.price(value)
        of_it = {
            "amount": money, "rent": f"{money}/{hour}", "price": f"{money}/kWh", "rate": year,
            "days": self("days"), "months": self("months"), "kw": "kW",
        }.get(form, "")  # fmt: skip
        return f"{shown} {of_it}" if unit and of_it else shown
