"""A plan's JSON read back: the parts that `verify` checks, each with its type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from optimizer.plans import SCHEMA_VERSION
from optimizer.standing import Standing
from providers.errors import RentoptError

MOST_FAULTS = 10


class PlanFormatError(RentoptError):
    """The file is no plan, or a plan of another version."""


Amount = Annotated[Decimal, Field(max_digits=100, decimal_places=70)]
Nodes = Annotated[int, Field(ge=0, le=10**6)]


class Part(BaseModel):
    """Unknown keys are what other commands add; they are not checked."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class RentalPart(Part):
    offer: str
    provider: str
    region: str
    tier: str
    purchase_model: str
    node: str
    units_per_node: Nodes
    nodes: Nodes
    start: date
    end: date
    terms: Nodes
    hours: str
    hours_per_day: Nodes
    workload: str
    quoted: str
    cost: Amount
    observed_at: date
    age_days: int
    confidence: str
    source: str


class BoughtPart(Part):
    option: str
    node: str
    nodes: Nodes
    paid: date
    usable: date
    sold: date
    price: Amount
    resale: Amount
    source: str


class AssignmentPart(Part):
    workload: str
    node: str
    spot: bool
    gpus: Nodes
    count: Nodes
    load: Amount
    site: str
    start: date
    end: date
    hours: str
    label: str
    bucket: str = ""


class UsagePart(Part):
    asset: str
    nodes: Amount
    start: date
    end: date
    hours: str
    hours_per_day: Nodes
    workload: str


class LedgerPart(Part):
    component: str
    cause: str
    amount: Amount
    present_value: Amount


class PoolPart(Part):
    node: str
    available_node_hours: Amount
    used_node_hours: Amount


class RoutePart(Part):
    workload: str
    bucket: str
    node: str
    spot: bool
    gpus: Nodes
    share: Amount
    start: date
    end: date
    hours: str


class BucketUsePart(Part):
    workload: str
    bucket: str
    node: str
    spot: bool
    gpus: Nodes
    requests: Amount
    busy_hours: Amount
    cost: Amount


class ReplicaUsePart(Part):
    workload: str
    node: str
    spot: bool
    gpus: Nodes
    replica_hours: Amount
    busy_hours: Amount


class AnswerPart(Part):
    kind: Literal["rent", "own", "mix"]
    total: Amount | None
    npv: Amount | None
    bound: Amount | None
    gap: float | None
    reason: str
    nodes_bought: Nodes


class PlanDocument(Part):
    schema_version: int
    schedule_sha256: str
    currency: str
    as_of: date
    tables: list[str]
    first_day: date
    n_days: int
    answers: list[AnswerPart]
    rentals: list[RentalPart]
    bought: list[BoughtPart]
    assignments: list[AssignmentPart]
    usages: list[UsagePart]
    moved: list[str]
    ledger: list[LedgerPart]
    by_workload: dict[str, Amount]
    cash_flow: dict[str, Amount]
    utilisation: list[PoolPart]
    routes: list[RoutePart] = []
    bucket_use: list[BucketUsePart] = []
    replica_use: list[ReplicaUsePart] = []
    total: Amount
    npv: Amount
    bound: Amount
    gap: float
    kept: dict[str, Any] | None = None
    """Stays near an earlier plan: other answers may be cheaper."""
    replanned_from: Standing | None = None


def read_plan_file(path: Path) -> dict[str, Any]:
    """The JSON object in a file, not checked further.

    Raises:
        PlanFormatError: it is not text, not JSON, or no object.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise PlanFormatError(f"{path}: not UTF-8 text, so no plan") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise PlanFormatError(f"{path}: not JSON: {error}") from None
    except OSError as error:
        raise PlanFormatError(f"{path}: cannot be read: {error.strerror}") from None
    if not isinstance(body, dict):
        raise PlanFormatError(f"{path}: no plan, but a JSON {type(body).__name__}")
    return body


def read_plan(plan: Mapping[str, Any]) -> PlanDocument:
    """The parts of a plan.

    Raises:
        PlanFormatError: it is no plan of this version; names the fields that are missing or odd.
    """
    if not isinstance(plan, Mapping):
        raise PlanFormatError("this is no plan: expected an object with the fields of a plan")
    version = plan.get("schema_version")
    if version != SCHEMA_VERSION:
        found = "none" if version is None else repr(version)
        raise PlanFormatError(
            f"this is no plan of schema_version {SCHEMA_VERSION} (found {found}); "
            "make one with `rentopt plan --format json`"
        )
    try:
        return PlanDocument.model_validate(plan)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].lower()}"
            for item in error.errors(include_url=False, include_input=False)
        ]
    if len(faults) > MOST_FAULTS:
        faults = [*faults[:MOST_FAULTS], f"and {len(faults) - MOST_FAULTS} more"]
    raise PlanFormatError("this is no whole plan:\n" + "\n".join(f"  {line}" for line in faults))
