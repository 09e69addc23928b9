"""The sweep document: which schedule, which of its values move, and over what."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from optimizer.schedule.document import Section
from optimizer.schedule.quantities import Count, Seconds, Share, Written, described
from optimizer.schedule.schema import closed_schema
from providers import units

SCHEMA_ID = "urn:rentopt:schema:sweep:1"
MOST_VALUES = 100_000
"""Of one axis."""

Distribution = Literal["uniform", "normal", "lognormal", "triangular", "choice"]


def _end(value: object) -> str | int | Decimal:
    """A number, a text that starts with one, or a day: as written, once it is seen to be one."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        found = described(value)
        raise units.UnitError(f"expected a number, a number with its unit or a day, found {found}")
    if isinstance(value, str) and day_of(value) is None:
        units.split(value)
    return value


def day_of(text: object) -> date | None:
    """The day a text names; None where it names none."""
    if not isinstance(text, str) or len(text) != len("2027-03-01"):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise units.UnitError(f"expected a number, found {described(value)}")
    return Decimal(value)


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise units.UnitError(f"expected a file name, found {described(value)}")
    return Path(value)


_FIGURE = {"type": ["number", "string"], "examples": [0.5, "0.8 CNY/kWh", "2027-03-01"]}
Figure = Annotated[str | int | Decimal, Written(_end, _FIGURE)]
Exact = Annotated[Decimal, Written(_number, {"type": "number"})]
Values = Annotated[list[Any], Field(max_length=MOST_VALUES)]
File = Annotated[Path, Written(_path, {"type": "string", "minLength": 1})]


class Grid(Section):
    """Values at equal distances. Give `step`, or how many `steps` there are."""

    start: Figure = Field(description="First value: a number, `0.4 CNY/kWh`, or a day")
    stop: Figure = Field(description="Last value, included where a step ends on it")
    step: Figure | None = Field(None, description="Distance; of days such as `7 days`")
    steps: Annotated[Count, Field(ge=2, le=MOST_VALUES)] | None = Field(
        None, description="How many values, both ends included"
    )


class Draws(Section):
    """Values drawn at random, the same ones for the same seed."""

    distribution: Distribution = Field(description="What they are drawn from")
    count: Annotated[Count, Field(ge=1, le=MOST_VALUES)] = Field(description="How many")
    seed: Annotated[Count, Field(ge=0)] = Field(0, description="Another one, other values")
    low: Exact | None = Field(None, description="Least (uniform, triangular)")
    high: Exact | None = Field(None, description="Most (uniform, triangular)")
    mode: Exact | None = Field(None, description="Most likely (triangular)")
    mean: Exact | None = Field(None, description="Mean (normal)")
    sd: Exact | None = Field(None, description="Standard deviation (normal)")
    median: Exact | None = Field(None, description="Median (lognormal)")
    sigma: Exact | None = Field(None, description="Standard deviation of the logarithm (lognormal)")
    at_least: Exact | None = Field(None, description="Cut off below (normal, lognormal)")
    at_most: Exact | None = Field(None, description="Cut off above (normal, lognormal)")
    choices: list[Any] = Field(default_factory=list, description="What to choose from (choice)")
    weights: list[Exact] = Field(default_factory=list, description="Of the choices; equal if none")
    unit: str = Field("", description="Written after each number, such as `CNY/kWh`")
    digits: Annotated[Count, Field(ge=0, le=12)] | None = Field(
        None, description="Digits after the point; 0 for whole numbers; six that count if not given"
    )


class Axis(Section):
    """One assumption that moves. Give one of `grid`, `list` and `random`."""

    path: str = Field(
        min_length=1,
        description="Where in the schedule, such as `workloads.chat.phases.0.users`; or "
        "`prices.rent`, `prices.purchase`, `load` (factors) or `prices.as_of` (days)",
    )
    name: str = Field("", description="Column in the results; the path if not given")
    grid: Grid | None = Field(None, description="Values at equal distances")
    list: Values | None = Field(
        None, description="Values one by one, as the schedule would have them; nothing: leave out"
    )
    random: Draws | None = Field(None, description="Values drawn at random")

    @property
    def title(self) -> str:
        return self.name or self.path


class PlanOptions(Section):
    """How each case is planned."""

    gap: Share = Field(0.005, description="Stop when so close to the least cost")
    time_limit: Seconds = Field(60.0, description="For each of all rent, all own, best mix")
    solver: Literal["highs", "scip", "cp-sat"] = Field("highs", description="What solves the model")
    breakeven: bool = Field(True, description="The break-even rent of the first purchase, too")


class SweepDocument(Section):
    """A sweep: a schedule, and the axes along which it moves."""

    rentopt_sweep: Literal[1] = Field(description="Version of this format")
    name: str = Field("", description="Title for the results")
    schedule: File = Field(description="The schedule, from this file's folder")
    combine: Literal["product", "zip"] = Field(
        "product", description="Every value with every other, or the first with the first"
    )
    axes: list[Axis] = Field(min_length=1, description="What moves")
    options: PlanOptions = Field(default_factory=PlanOptions, description="How each is planned")


def sweep_schema_text() -> str:
    """The JSON Schema of a sweep document, as a file holds it."""
    schema = closed_schema(SweepDocument, SCHEMA_ID, "rentopt sweep")
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
