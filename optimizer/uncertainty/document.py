"""The scenarios document: what may come, how likely it is, and when it will be known."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field

from optimizer.named import COMMITTED_DAYS
from optimizer.schedule.document import Section
from optimizer.schedule.quantities import Count, Day, Days, Number, Share, Written, described
from optimizer.schedule.schema import closed_schema
from providers import units

SCHEMA_ID = "urn:rentopt:schema:scenarios:1"
MOST_SCENARIOS = 500
MOST_FACTOR = 1000


def _factor(value: object) -> Decimal:
    """``1.2`` or ``120 %``."""
    if isinstance(value, str):
        found = units.share(value)
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise units.UnitError(f"expected a factor such as 1.2 or 120 %, found {described(value)}")
    else:
        found = Decimal(value)
    if not 0 < found <= MOST_FACTOR:
        raise units.UnitError(f"expected a factor above 0, at most {MOST_FACTOR}, found {value}")
    return found


Factor = Annotated[
    Decimal, Written(_factor, {"type": ["number", "string"], "examples": [1.2, "120 %"]})
]
_BY_NAME = "`all`, or by name; those that fit multiply"


class ScenarioEntry(Section):
    """One way things may come out. What is left out is as the schedule and the prices say."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]*$", description="Unique name")
    probability: Share = Field(description="How likely it is; together they make 100 %")
    rent: dict[str, Factor] = Field(
        default_factory=dict,
        description="Factors on rental prices of what starts once it is known: `all`, a GPU, a "
        "node, a provider, a purchase model (`spot`), a tier, `commitments` or an offer; those "
        "that fit multiply",
    )
    purchase: dict[str, Factor] = Field(
        default_factory=dict,
        description=f"Factors on purchase prices, once it is known: {_BY_NAME} of the node",
    )
    load: dict[str, Factor] = Field(
        default_factory=dict,
        description=f"Factors on the load of services, once it is known, and on the work of jobs "
        f"that end after: {_BY_NAME}",
    )
    delay: dict[str, Days] = Field(
        default_factory=dict,
        description="Days by which deliveries of purchases are late: `all`, or by node; those "
        "that fit add up",
    )
    interruptions: Annotated[Number, Field(ge=0)] | None = Field(
        None, description="Interruptions of a spot node a day, in place of the schedule's"
    )
    residual: Factor = Field(Decimal(1), description="Factor on resale values, on all days")


class Generated(Section):
    """Scenarios drawn from the past instead of written one by one."""

    count: Annotated[Count, Field(ge=2, le=MOST_SCENARIOS)] = Field(description="How many")
    seed: Annotated[Count, Field(ge=0)] = Field(0, description="Another one, other scenarios")
    prices: Path | None = Field(
        None,
        description="Price history the moves of rents are drawn from: a CSV as for `rentopt "
        "simulate --history`, from this file's folder; if not given, the price store's, or the "
        "bundled daily GPU prices where it has less than four weeks",
    )
    ahead: Annotated[Days, Field(ge=1)] = Field(
        90, description="How far rents move: as much as in so many days of the past"
    )
    load: Share = Field(0.0, description="Standard deviation of the logarithm of the load's factor")
    residual: Share = Field(0.0, description="The same of resale values")
    delay: list[Days] = Field(
        default_factory=list, description="Delays of deliveries, equally likely"
    )


class ScenariosDocument(Section):
    """What may come. Give `scenarios` or `generated`."""

    rentopt_scenarios: Annotated[int, Field(ge=1, le=1)] = Field(
        description="Version of this format"
    )
    name: str = Field("", description="Title for the results")
    known_from: Day = Field(
        description="First day on which it is known which scenario has come true; what is bought "
        "or committed to before it is the same in all of them"
    )
    committed: Annotated[Days, Field(ge=2)] = Field(
        COMMITTED_DAYS, description="Rentals for at least so many days are commitments"
    )
    scenarios: list[ScenarioEntry] = Field(
        default_factory=list, description="What may come, one by one"
    )
    generated: Generated | None = Field(None, description="Drawn from the past instead")


def scenarios_schema_text() -> str:
    """The JSON Schema of the document, as a file holds it."""
    schema = closed_schema(ScenariosDocument, SCHEMA_ID, "rentopt scenarios")
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
