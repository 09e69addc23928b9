"""The types of a schedule's fields: texts with units in, plain numbers and Money out.

Each type reads what a person writes, refuses the rest with a sentence, and describes itself in the
JSON Schema. A bare number is in the unit the type names; only money must always carry its currency.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from providers import units
from providers.errors import RentoptError
from providers.hardware import accelerator_id, node_kind
from providers.money import Money
from providers.units import Dimension, UnitError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Written:
    """Makes pydantic read a field with `read`, and describe it with `schema`."""

    read: Callable[[object], Any]
    schema: dict[str, Any] = field(hash=False)
    write: Callable[[Any], str] | None = None
    """How the value is written in JSON, where JSON has no such type."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        serialization = None
        if self.write is not None:
            serialization = core_schema.plain_serializer_function_ser_schema(
                self.write, when_used="json"
            )
        return core_schema.no_info_plain_validator_function(self.read, serialization=serialization)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self.schema)


def _text(value: object, example: str) -> str:
    """The value as it was written; only texts and numbers can be quantities."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise UnitError(f"expected a text such as '{example}', found {described(value)}")
    if isinstance(value, float) and not float("-inf") < value < float("inf"):
        raise UnitError(f"expected a text such as '{example}', found {value}")
    return str(value)


def described(value: object) -> str:
    """A value as an error message names it: short, in YAML's words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    shown = " ".join(str(value).split())
    return f"'{shown if len(shown) <= 60 else shown[:57] + '...'}'"


def _quantity(
    value: object,
    dimension: Dimension,
    least: int = 0,
    *,
    whole: bool = False,
    most: int | None = None,
) -> Fraction:
    text = _text(value, dimension.example)
    result = units.quantity(text, dimension)
    if whole and result.denominator != 1:
        raise UnitError(f"{described(text)} is no whole number of {dimension.unit}")
    if result < least:
        wanted = f"at least {least}" if least else "0 or more"
        raise UnitError(f"{described(text)} is too small, expected {wanted} {dimension.unit}")
    if most is not None and result > most:
        raise UnitError(f"{described(text)} is too large, expected at most {most} {dimension.unit}")
    return result


def _float(dimension: Dimension) -> Written:
    def read(value: object) -> float:
        return float(_quantity(value, dimension))

    return Written(read, _number_schema(dimension))


def _int(dimension: Dimension, least: int = 0, most: int | None = None) -> Written:
    def read(value: object) -> int:
        return int(_quantity(value, dimension, least, whole=True, most=most))

    return Written(read, _number_schema(dimension, "integer", least))


_NUMBER_PATTERN = r"[0-9][0-9_,]*(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?"


def _number_schema(dimension: Dimension, number: str = "number", least: int = 0) -> dict[str, Any]:
    names = "|".join(re.escape(name) for name in sorted(dimension.factors, key=_shortest_last))
    names = names.replace(r"\-", "[ -]?").replace("/", " ?/ ?")
    scale = f"[{''.join(units.MULTIPLIERS)}]? ?" if dimension.scaled else ""
    fold = "" if dimension.exact_case else "GPUgpu"
    if fold and "gpu" in names:
        names = names.replace("gpu", "[Gg][Pp][Uu]")
    return {
        "anyOf": [
            {"type": number, "minimum": least, "description": f"In {dimension.unit}"},
            {"type": "string", "pattern": rf"^ *{_NUMBER_PATTERN} *{scale}({names})? *$"},
        ],
        "examples": [dimension.example],
    }


def _shortest_last(name: str) -> tuple[int, str]:
    return (-len(name), name)


def _share(value: object, per: str, least: int, *, per_optional: bool) -> float:
    text = _text(value, f"8 %{f'/{per}' if per else ''}")
    result = units.share(text, per, per_optional=per_optional)
    if not least <= result <= 1:
        lower = "0 %" if least == 0 else "-100 %"
        raise UnitError(f"{described(text)} is out of range, expected {lower} to 100 %")
    return float(result)


def _share_type(per: str = "", least: int = 0, *, per_optional: bool = False) -> Written:
    suffix = f"( ?/ ?{per}){'?' if per_optional else ''}" if per else ""
    sign = "-?" if least < 0 else ""
    return Written(
        partial(_share, per=per, least=least, per_optional=per_optional),
        {
            "anyOf": [
                {"type": "number", "minimum": least, "maximum": 1},
                {"type": "string", "pattern": rf"^ *{sign}{_NUMBER_PATTERN} *(%{suffix})? *$"},
            ],
            "examples": [f"8 %/{per}" if per else "8 %"],
        },
    )


def _money(value: object, per: str) -> Money:
    if isinstance(value, Money):
        found = value
    else:
        found = units.money(_text(value, units.money_example(per)), per)
    if found.amount < 0:
        raise UnitError(f"'{found.amount} {found.currency}' is negative, expected 0 or more")
    return found


def _money_type(per: str = "") -> Written:
    suffix = f" ?/ ?{per}" if per else ""
    if per == "kWh":
        suffix = " ?/ ?([kK]|[mM])[wW][hH]"
    scale = f"[{''.join(units.MULTIPLIERS)}]?"

    def write(amount: Money) -> str:
        return f"{amount.amount} {amount.currency}{f'/{per}' if per else ''}"

    return Written(
        partial(_money, per=per),
        {
            "type": "string",
            "pattern": rf"^ *{_NUMBER_PATTERN} *{scale} *(CNY|EUR|USD){suffix} *$",
            "examples": [units.money_example(per)],
        },
        write,
    )


def _hardware(value: object) -> str:
    text = _text(value, "8xA800")
    try:
        kind = node_kind(text)
    except RentoptError as error:
        raise UnitError(str(error)) from None
    if kind.count > 1024:
        raise UnitError(f"{described(text)} has more GPUs than any one node; `count` takes nodes")
    return str(kind)


def _gpu(value: object) -> str:
    try:
        return accelerator_id(_text(value, "A800"))
    except RentoptError as error:
        raise UnitError(str(error)) from None


def _day(value: object) -> date:
    if isinstance(value, date) and type(value) is date:
        return value
    text = _text(value, "2027-03-01").strip()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise UnitError(f"{described(text)} is not a date, expected YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UnitError(f"'{text}' is not a date: {error}") from None


def _month(value: object) -> str:
    text = _text(value, "2027-03").strip()
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise UnitError(f"{described(text)} is no month, expected YYYY-MM such as '2027-03'")
    return text


def _weekday(value: object) -> str:
    text = _text(value, "mon").strip()
    for short, full in zip(WEEKDAYS, _WEEKDAY_NAMES, strict=True):
        if text.casefold() in (short, full):
            return short
    near = difflib.get_close_matches(text.casefold(), (*WEEKDAYS, *_WEEKDAY_NAMES), 1, 0.75)
    hint = f"; did you mean '{near[0][:3]}'" if near else ""
    raise UnitError(f"{described(text)} is no weekday, expected one of {', '.join(WEEKDAYS)}{hint}")


_CLOCK = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})\s*", re.ASCII)


def _window(text: str) -> tuple[int, int]:
    """First hour and the hour after the last; the second is below the first across midnight."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise UnitError(f"{described(text)} is no span of hours, expected such as '09:00-21:00'")
    start, start_minute, end, end_minute = (int(part) for part in match.groups())
    if start_minute or end_minute:
        raise UnitError(f"{described(text)} has minutes; only whole hours such as '09:00-21:00'")
    if start > 23 or end > 24:
        raise UnitError(f"{described(text)} is outside the day, hours go from 00:00 to 24:00")
    end = end or 24
    if start == end % 24 and (start, end) != (0, 24):
        raise UnitError(f"{described(text)} is empty; the whole day is '00:00-24:00'")
    return start, end


def _hours(value: object) -> str:
    start, end = _window(_text(value, "09:00-21:00"))
    return f"{start:02d}:00-{end:02d}:00"


@cache
def hours_of_day(text: str) -> frozenset[int]:
    """The whole hours (0 to 23) of a span such as ``21:00-09:00``, which runs past midnight.

    Raises:
        UnitError: no such span.

    >>> sorted(hours_of_day("22:00-02:00"))
    [0, 1, 22, 23]
    """
    start, end = _window(text)
    if start < end:
        return frozenset(range(start, end))
    return frozenset(range(start, 24)) | frozenset(range(end))


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """Lengths in tokens, from `low` to `high`; one length where both are equal."""

    low: int
    high: int

    @property
    def middle(self) -> int:
        """What stands for all of them, rounded up; at least 1."""
        return max(1, -(-(self.low + self.high) // 2))

    def __str__(self) -> str:
        return f"{self.low}" if self.low == self.high else f"{self.low}-{self.high}"


_SPAN = re.compile(r"\s*([0-9]{1,9})\s*(?:[-–]\s*([0-9]{1,9})\s*)?", re.ASCII)


def _token_span(value: object) -> TokenSpan:
    if isinstance(value, TokenSpan):
        return value
    text = _text(value, "250-500")
    match = _SPAN.fullmatch(text)
    if match is None:
        raise UnitError(f"{described(text)} is no length in tokens, expected '300' or '250-500'")
    low, high = int(match[1]), int(match[2] or match[1])
    if low > high:
        raise UnitError(f"{described(text)} falls, write the shorter length first")
    if high < 1:
        raise UnitError(f"{described(text)} is no length, expected at least 1 token")
    return TokenSpan(low, high)


def _plain(pattern: str, *examples: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "examples": list(examples), **more}


_NAMED_GPU = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}


def _no_bool(value: Any) -> Any:
    """Python takes true for 1; a schedule does not."""
    if isinstance(value, bool):
        raise UnitError(f"expected a number, found {described(value)}")
    return value


Count = Annotated[int, BeforeValidator(_no_bool), Field(le=1_000_000_000)]
"""A plain whole number; `Field` gives the bounds."""
Number = Annotated[float, BeforeValidator(_no_bool), Field(le=1_000_000_000)]
"""A plain number; `Field` gives the bounds."""
Days = Annotated[int, _int(units.DAYS)]
Months = Annotated[
    int,
    Written(
        lambda value: int(_quantity(value, units.MONTHS, whole=True, most=600)),
        _plain(r"^ *[0-9]+ *(months?|years?)? *$", "12 months"),
    ),
]
Hours = Annotated[float, _float(units.HOURS)]
Seconds = Annotated[float, _float(units.SECONDS)]
GpuHours = Annotated[float, _float(units.GPU_HOURS)]
Gigabytes = Annotated[float, _float(units.GIGABYTES)]
Watts = Annotated[float, _float(units.WATTS)]
Kilowatts = Annotated[float, _float(units.KILOWATTS)]
TokenCount = Annotated[float, _float(units.TOKENS)]
TokensPerSecond = Annotated[float, _float(units.TOKEN_RATE)]
Requests = Annotated[float, _float(units.REQUESTS)]
RequestsPerSecond = Annotated[float, _float(units.REQUEST_RATE)]
NodeCount = Annotated[int, _int(Dimension("nodes", {"nodes": 1, "node": 1}, "4"), 1, 10_000)]
Tokens = Annotated[
    TokenSpan,
    Written(
        _token_span,
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^ *[0-9]{1,9} *([-–] *[0-9]{1,9} *)?$"},
            ],
            "examples": [300, "250-500"],
        },
        write=str,
    ),
]
"""Length of a prompt or an answer: one number, or a range."""
Share = Annotated[float, _share_type()]
SharePerMonth = Annotated[float, _share_type("month", -1)]
SharePerYear = Annotated[float, _share_type("year", per_optional=True)]
MoneyAmount = Annotated[Money, _money_type()]
MoneyPerKwh = Annotated[Money, _money_type("kWh")]
MoneyPerMonth = Annotated[Money, _money_type("month")]
MoneyPerYear = Annotated[Money, _money_type("year")]
Hardware = Annotated[str, Written(_hardware, _NAMED_GPU | {"examples": ["8xA800", "2xRTX4090"]})]
"""A node, normalised: ``8xA800-80GB``."""
Gpu = Annotated[str, Written(_gpu, _NAMED_GPU | {"examples": ["A800", "RTX 4090"]})]
"""An accelerator's id, whatever name it was written with."""
Day = Annotated[
    date,
    Written(
        _day,
        _plain(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2027-03-01", format="date"),
        write=date.isoformat,
    ),
]
Month = Annotated[str, Written(_month, _plain(r"^[0-9]{4}-(0[1-9]|1[0-2])$", "2027-03"))]
Weekday = Annotated[
    str,
    Written(
        _weekday,
        _plain("^([Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)([a-z]*day)?$", "sat"),
    ),
]
HoursOfDay = Annotated[
    str,
    Written(
        _hours, _plain("^ *[0-9]{1,2}:00 *[-–] *[0-9]{1,2}:00 *$", "09:00-21:00", "21:00-06:00")
    ),
]
