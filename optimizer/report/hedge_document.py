"""The JSON of ``rentopt hedge``, whose schema ``rentopt schema --of hedge`` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from optimizer.report.plan_json import decimal_text, tool_version
from optimizer.uncertainty.hedge import Hedge, Outcome, Signing

SCHEMA_VERSION: Literal[1] = 1
SCHEMA_ID = f"urn:rentopt:schema:hedge:{SCHEMA_VERSION}"

Exact = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]*[1-9])?$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
FromTo = Annotated[list[Exact], Field(min_length=2, max_length=2)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SigningPart(_Part):
    """A purchase or a long rental that is agreed before it is known what comes."""

    action: Literal["rent", "buy"]
    name: str = Field(description="The offer, or the purchase option")
    provider: str = Field(description="Empty for a purchase")
    node: str
    nodes: int
    day: Day = Field(description="First day rented, or day of the payment")
    until: Day | None = Field(description="First day no longer rented; null for a purchase")
    cost: Exact = Field(description="Undiscounted: all bills of the term, or the price")


class OutcomePart(_Part):
    """What one scenario costs, in present value."""

    scenario: str
    probability: Exact
    cost: Exact = Field(description="With what is signed in every scenario")
    least: Exact = Field(description="Best plan found, had it been known")
    least_bound: Exact = Field(description="Proven: nothing costs less in this scenario")
    regret: Exact = Field(description="cost - least")
    deterministic: Exact | None = Field(
        description="With what the plan for the mean signs; null: that leaves no plan here"
    )
    deterministic_regret: Exact | None
    changes: str = Field(description="What the scenario changes, in words")


class HedgeDocument(_Part):
    """What to sign before it is known which scenario comes true."""

    schema_version: Literal[1] = SCHEMA_VERSION
    tool: str
    name: str
    scenarios: str = Field(description="Name of the scenarios")
    scenarios_sha256: str
    schedule_sha256: str
    currency: str
    as_of: Day
    known_from: Day = Field(description="First day on which it is known which scenario comes")
    committed_days: int = Field(description="Rentals of so many days or more are signed")
    level: Exact = Field(description="Of CVaR: the share of outcomes that are better")
    weight: Exact = Field(description="Of CVaR in the objective; 0: expected cost alone")
    signed: list[SigningPart]
    deterministic_signed: list[SigningPart] | None = Field(
        description="What the plan for the mean of all scenarios signs; null: there is none, or it "
        "was not looked for (stopped_early)"
    )
    outcomes: list[OutcomePart]
    expected: Exact
    cvar: Exact
    objective: Exact = Field(description="(1 - weight) expected + weight cvar")
    bound: Exact = Field(description="Proven: no decision of today has a lower objective")
    gap: float = Field(ge=0, description="Share by which the objective may be too high")
    bound_from: str = Field(description="How the bound was found")
    vss: Exact | None = Field(
        description="Value of the stochastic solution; null: signing for the mean leaves no plan"
    )
    vss_proven: FromTo | None
    evpi: Exact = Field(description="Expected value of perfect information")
    evpi_proven: FromTo
    drawn_from: str = Field(
        description="Whose past the rents were drawn from; empty: scenarios were written"
    )
    stopped_early: bool = Field(description="Ended from outside: the best decision so far")


def hedge_schema_text() -> str:
    """JSON Schema (draft 2020-12). Within a version fields are only ever added."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **HedgeDocument.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def hedge_json(found: Hedge) -> str:
    """Exact amounts as text; the same hedge gives the same bytes."""
    document = HedgeDocument(
        tool=f"rentopt {tool_version()}",
        name=found.name,
        scenarios=found.scenarios_name,
        scenarios_sha256=found.scenarios_sha256,
        schedule_sha256=found.schedule_sha256,
        currency=found.currency,
        as_of=found.as_of.isoformat(),
        known_from=found.known_from.isoformat(),
        committed_days=found.committed_days,
        level=decimal_text(found.level),
        weight=decimal_text(found.weight),
        signed=_signings(found.signed),
        deterministic_signed=None
        if found.deterministic_signed is None
        else _signings(found.deterministic_signed),
        outcomes=list(map(outcome_part, found.outcomes)),
        expected=decimal_text(found.expected),
        cvar=decimal_text(found.cvar),
        objective=decimal_text(found.objective),
        bound=decimal_text(found.bound),
        gap=found.gap,
        bound_from=found.method,
        vss=_text(found.vss),
        vss_proven=None if found.vss_proven is None else [*map(decimal_text, found.vss_proven)],
        evpi=decimal_text(found.evpi),
        evpi_proven=[*map(decimal_text, found.evpi_proven)],
        drawn_from=found.drawn_from,
        stopped_early=found.stopped_early,
    )
    return json.dumps(document.model_dump(), indent=1, ensure_ascii=False) + "\n"


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)


def _signings(lines: Sequence[Signing]) -> list[SigningPart]:
    return [
        SigningPart(
            action=line.action,
            name=line.name,
            provider=line.provider,
            node=line.node,
            nodes=line.nodes,
            day=line.day.isoformat(),
            until=None if line.until is None else line.until.isoformat(),
            cost=decimal_text(line.cost),
        )
        for line in lines
    ]


def outcome_part(line: Outcome) -> OutcomePart:
    return OutcomePart(
        scenario=line.scenario,
        probability=decimal_text(line.chance),
        cost=decimal_text(line.cost),
        least=decimal_text(line.least),
        least_bound=decimal_text(line.least_bound),
        regret=decimal_text(line.regret),
        deterministic=_text(line.deterministic),
        deterministic_regret=_text(line.deterministic_regret),
        changes=line.changes,
    )
