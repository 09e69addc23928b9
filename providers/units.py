"""Numbers with units as people write them: ``2B tokens``, ``500 ms``, ``0.8 CNY/kWh``.

One strict grammar: a number, perhaps a multiplier (k, M, B, T), a unit. What could be read in two
ways is refused, with the form that cannot. Results are exact (`Fraction`, `Decimal`); the caller
decides where a float begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from providers.money import CURRENCIES, Money

MULTIPLIERS: Mapping[str, int] = {
    "k": 10**3,
    "K": 10**3,
    "万": 10**4,
    "M": 10**6,
    "亿": 10**8,
    "B": 10**9,
    "G": 10**9,
    "T": 10**12,
}
LARGEST = 10**18
"""Above this a number is a slip of the hand, whatever its unit."""

_NUMBER = re.compile(
    r"""[+-]?
    (?: (?: [0-9]{1,3}(?:,[0-9]{3})+ | [0-9]+(?:_[0-9]+)* ) (?:\.[0-9]+)? | \.[0-9]+ )
    (?: [eE][+-]?[0-9]{1,2}(?![0-9]) )?""",
    re.ASCII | re.VERBOSE,
)
_SIGNS = {"¥": "CNY (or JPY)", "\uffe5": "CNY (or JPY)", "$": "USD (or another dollar)", "€": "EUR"}
_NAMES = {"rmb": "CNY", "yuan": "CNY", "元": "CNY", "块": "CNY", "dollars": "USD", "euros": "EUR"}


class UnitError(ValueError):
    """A text that is no such quantity; the message says what was found and what would do."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a quantity measures, and the units it may be written in."""

    unit: str
    """The unit that results are in, and that a bare number has."""
    factors: Mapping[str, Fraction | int]
    """Unit, without blanks → how many of `unit` it is."""
    example: str
    scaled: bool = False
    """Whether k, M, B, T may stand before the unit."""
    exact_case: bool = False
    """Whether MW and mW differ."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Units that are refused for a reason, with the reason."""

    def factor(self, unit: str) -> Fraction | int | None:
        if self.exact_case:
            return self.factors.get(unit)
        return self._folded().get(unit.casefold())

    def _folded(self) -> dict[str, Fraction | int]:
        return {name.casefold(): factor for name, factor in self.factors.items()}


def _rates(things: tuple[str, ...], unit: str, example: str) -> Dimension:
    seconds = {
        ("s", "sec", "second"): 1,
        ("min", "minute"): 60,
        ("h", "hour"): 3600,
        ("day",): 86400,
    }
    factors = {
        f"{thing}/{name}": Fraction(1, length)
        for thing in things
        for names, length in seconds.items()
        for name in names
    }
    return Dimension(unit, factors, example, scaled=True)


def _each(names: str, factor: Fraction | int = 1) -> dict[str, Fraction | int]:
    return dict.fromkeys(names.split(), factor)


DAYS = Dimension(
    "days",
    _each("day days d") | _each("week weeks", 7),
    "365 days",
    hints=dict.fromkeys(
        ("month", "months", "year", "years"), "months and years differ in length, write days"
    ),
)
MONTHS = Dimension("months", _each("month months") | _each("year years", 12), "12 months")
HOURS = Dimension(
    "hours",
    _each("h hour hours")
    | _each("min minute minutes", Fraction(1, 60))
    | _each("s sec second seconds", Fraction(1, 3600))
    | _each("day days", 24),
    "30 min",
)
SECONDS = Dimension(
    "seconds",
    _each("s sec second seconds")
    | _each("ms millisecond milliseconds", Fraction(1, 1000))
    | _each("min minute minutes", 60),
    "500 ms",
)
GPU_HOURS = Dimension(
    "GPU-hours",
    _each("gpu-hours gpu-hour gpuhours gpuhour gpu-h gpuh")
    | _each("gpu-days gpu-day gpudays gpuday", 24),
    "800 GPU-hours",
    scaled=True,
)
GIGABYTES = Dimension(
    "GB",
    {
        "MB": Fraction(1, 1000),
        "GB": 1,
        "TB": 1000,
        "PB": 1_000_000,
        "MiB": Fraction(2**20, 10**9),
        "GiB": Fraction(2**30, 10**9),
        "TiB": Fraction(2**40, 10**9),
    },
    "500 GB",
    exact_case=True,
    hints={"Gb": "Gb are gigabits, write GB", "gb": "write GB", "G": "write GB"},
)
WATTS = Dimension(
    "W", {"W": 1, "kW": 1000, "KW": 1000, "MW": 10**6}, "450 W", exact_case=True,
    hints={"w": "write W", "kw": "write kW"},
)  # fmt: skip
KILOWATTS = Dimension(
    "kW",
    {"W": Fraction(1, 1000), "kW": 1, "KW": 1, "MW": 1000},
    "12 kW",
    exact_case=True,
    hints={"w": "write W", "kw": "write kW"},
)
TOKENS = Dimension("tokens", _each("token tokens tok"), "2B tokens", scaled=True)
TOKEN_RATE = _rates(("tokens", "token", "tok"), "tokens/s", "15 tokens/s")
REQUESTS = Dimension("requests", _each("request requests req"), "50k requests", scaled=True)
REQUEST_RATE = _rates(("requests", "request", "req"), "requests/s", "2 requests/s")


def split(text: str) -> tuple[Decimal, str]:
    """The number at the start, exact, and what follows it, with blanks around ``/`` removed.

    Raises:
        UnitError: no number, a number that can be read in two ways, or one out of all bounds.
    """
    stripped = text.strip()
    match = _NUMBER.match(stripped)
    written = match[0] if match else ""
    if not written:
        raise UnitError(f"'{_short(text)}' does not start with a number")
    rest = stripped[len(written) :]
    if "," in written and written.count(",") == 1 and "." not in written:
        plain = written.replace(",", "")
        point = written.replace(",", ".")
        raise UnitError(f"'{_short(text)}' can be read as {plain} or as {point}; write one of them")
    if rest[:1] in {",", ".", "_"} or rest[:1].isdigit():
        raise UnitError(f"'{_short(text)}' does not start with a plain number such as 1500 or 0.5")
    if re.match(r"\s+[0-9]", rest):
        raise UnitError(f"'{_short(text)}' has a blank inside its number; write it without")
    number = Decimal(written.replace(",", "").replace("_", ""))
    if abs(number) >= LARGEST or len(written) > 40:
        raise UnitError(f"'{_short(text)}' is too large to be meant")
    unit = re.sub(r"\s*(?:/|\bper\b)\s*", "/", rest.strip())
    return number, re.sub(r"\s+", " ", unit)


def _short(text: str) -> str:
    """The text as an error message shows it: on one line, not longer than a line."""
    shown = " ".join(text.split())
    return shown if len(shown) <= 60 else shown[:57] + "..."


def quantity(text: str, dimension: Dimension) -> Fraction:
    """The quantity in the dimension's own unit; a bare number is in that unit already.

    Raises:
        UnitError: not a number with a unit of this dimension.

    >>> quantity("120 tokens/min", TOKEN_RATE)
    Fraction(2, 1)
    >>> quantity("2B tokens", TOKENS)
    Fraction(2000000000, 1)
    """
    number, unit = split(text)
    value = Fraction(number)
    bare = unit.replace(" ", "")
    if not bare:
        return value
    factor = dimension.factor(bare)
    if factor is None and dimension.scaled and bare[0] in MULTIPLIERS:
        inner = dimension.factor(bare[1:]) if bare[1:] else 1
        factor = None if inner is None else inner * MULTIPLIERS[bare[0]]
    if factor is None:
        raise UnitError(_wrong_unit(text, unit, dimension))
    if abs(value * factor) >= LARGEST:
        raise UnitError(f"'{_short(text)}' is too large to be meant")
    return value * factor


def _wrong_unit(text: str, unit: str, dimension: Dimension) -> str:
    reason = dimension.hints.get(unit.replace(" ", ""))
    if reason is None and dimension.scaled and unit[0] in "mbgt":
        inner = unit[1:].strip()
        if not inner or dimension.factor(inner.replace(" ", "")) is not None:
            reason = f"multipliers are k, M, B and T, write '{unit[0].upper()}'"
    wanted = f"expected {dimension.unit}, such as '{dimension.example}'"
    found = f"'{_short(text)}' has the unit '{_short(unit)}'"
    return f"{found}: {reason}" if reason else f"{found}, {wanted}"


def share(text: str, per: str = "", *, per_optional: bool = False) -> Decimal:
    """A share as a fraction of one: ``8 %`` and ``0.08`` alike; with `per`, ``8 %/year``.

    Raises:
        UnitError: not a share, or a bare number above one, which could be meant as per cent.
    """
    number, unit = split(text)
    bare = unit.replace(" ", "").casefold()
    suffix = f"/{per}" if per else ""
    if not bare:
        if abs(number) > 1:
            raise UnitError(
                f"'{_short(text)}' is more than 1; for per cent write '{number} %{suffix}'"
            )
        return number
    if bare == f"%{suffix}" or (per_optional and bare == "%"):
        return number / 100
    raise UnitError(
        f"'{_short(text)}' has the unit '{_short(unit)}', expected '8 %{suffix}' or 0.08"
    )


def money_example(per: str = "") -> str:
    """What a price per `per` looks like, for messages."""
    if not per:
        return "30000 CNY"
    return f"0.6 CNY/{per}" if per == "kWh" else f"500 CNY/{per}"


def money(text: str, per: str = "") -> Money:
    """An amount with its currency, exact; with `per`, a price such as ``0.6 CNY/kWh``.

    Raises:
        UnitError: no amount, no currency code, a sign several currencies share, a wrong unit.

    >>> str(money("30k CNY").amount)
    '30000'
    """
    example = money_example(per)
    lead = text.strip()[:1]
    if lead in _SIGNS:
        raise UnitError(
            f"'{_short(text)}' names no single currency; write the code, {_SIGNS[lead]},"
            f" after the amount, such as '{example}'"
        )
    number, unit = split(text)
    code, slash, below = unit.partition("/")
    code = code.replace(" ", "")
    if code[:1] in MULTIPLIERS and (code[1:].upper() in CURRENCIES or code[1:] in _SIGNS):
        number *= MULTIPLIERS[code[0]]
        code = code[1:]
    if code in _SIGNS or code.casefold() in _NAMES:
        meant = _SIGNS.get(code) or _NAMES[code.casefold()]
        raise UnitError(f"'{_short(text)}' needs a currency code: write {meant}")
    if not code:
        raise UnitError(f"'{_short(text)}' has no currency; write it as '{example}'")
    if code not in CURRENCIES:
        known = ", ".join(CURRENCIES)
        raise UnitError(f"'{_short(text)}' has the currency '{_short(code)}'; known are {known}")
    if abs(number) >= LARGEST:
        raise UnitError(f"'{_short(text)}' is too large to be meant")
    if (slash, below.casefold()) == (("/", per.casefold()) if per else ("", "")):
        return Money(number, code)
    if per == "kWh" and below.casefold() == "mwh":
        return Money(number / 1000, code)
    if not slash:
        raise UnitError(
            f"'{_short(text)}' is an amount; a price per {per} is '{number} {code}/{per}'"
        )
    if not per:
        raise UnitError(
            f"'{_short(text)}' is a price per {_short(below)}, expected '{number} {code}'"
        )
    raise UnitError(f"'{_short(text)}' is per {_short(below)}, expected {code}/{per}")
