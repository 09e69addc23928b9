"""The JSON of ``rentopt simulate``, whose schema ``rentopt schema --of simulation`` prints."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from optimizer.report.plan_json import decimal_text, tool_version
from optimizer.simulate.study import Study

SCHEMA_VERSION: Literal[1] = 1
SCHEMA_ID = f"urn:rentopt:schema:simulation:{SCHEMA_VERSION}"

Exact = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]*[1-9])?$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RowPart(_Part):
    """What one way of deciding would have cost."""

    strategy: str
    total: Exact | None = Field(description="Undiscounted; null: there is no such way, see note")
    present_value: Exact | None
    bound: Exact | None = Field(
        description="Of perfect foresight: proven, no way of deciding costs less in present value"
    )
    nodes_bought: int
    note: str = Field(description="How it decides, or why it does not work for this schedule")


class SimulationDocument(_Part):
    """Ways of deciding, each followed day by day over the prices of the past."""

    schema_version: Literal[1] = SCHEMA_VERSION
    tool: str
    name: str
    currency: str
    first_day: Day
    last_day: Day
    every: int = Field(ge=1, description="Days between two plans")
    seed: int = Field(description="Of what is drawn")
    rows: list[RowPart]
    notes: list[str] = Field(description="What of the schedule does not fit the past days")
    stopped_early: bool = Field(description="Ended from outside before all ways were followed")


def simulation_schema_text() -> str:
    """JSON Schema (draft 2020-12). Within a version fields are only ever added."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **SimulationDocument.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def simulation_json(study: Study) -> str:
    """Exact amounts as text; the same study gives the same bytes."""
    document = SimulationDocument(
        tool=f"rentopt {tool_version()}",
        name=study.name,
        currency=study.currency,
        first_day=study.first_day.isoformat(),
        last_day=study.last_day.isoformat(),
        every=study.every,
        seed=study.seed,
        rows=[
            RowPart(
                strategy=row.strategy,
                total=_text(row.total),
                present_value=_text(row.present_value),
                bound=_text(row.bound),
                nodes_bought=row.nodes_bought,
                note=row.note,
            )
            for row in study.rows
        ],
        notes=list(study.notes),
        stopped_early=study.stopped_early,
    )
    return json.dumps(document.model_dump(), indent=1, ensure_ascii=False) + "\n"


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)
