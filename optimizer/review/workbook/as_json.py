"""The answers of a workbook as plain data: what programs read, and the workbook is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from optimizer.plans import Plan
from optimizer.report.plan_json import decimal_text, tool_version
from optimizer.review.commitments import Commitment
from optimizer.review.workbook.outcomes import outcome_values, outcomes
from optimizer.review.workbook.question import Question

SCHEMA_VERSION = 1


def comparison(question: Question, plan: Plan, signed: Sequence[Commitment] = ()) -> dict[str, Any]:
    """Question, assumptions, answers, and terms that are signed; money as decimal strings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": f"rentopt {tool_version()}",
        "name": plan.name,
        "schedule": plan.schedule,
        "schedule_sha256": plan.schedule_sha256,
        "as_of": plan.as_of.isoformat(),
        "currency": plan.currency,
        "planned": question.planned,
        "assumptions": _plain(question),
        "outputs": outcome_values(outcomes(question)),
        "terms": terms_json(signed),
    }


def terms_json(signed: Sequence[Commitment]) -> list[dict[str, Any]]:
    """Terms against the hours used, rented by the hour; null where nobody lets by the hour."""
    return [
        {
            "offer": each.group.sample.offer,
            "node": each.group.sample.node,
            "nodes": each.group.nodes[1],
            "start": each.group.start.isoformat(),
            "end": each.group.end.isoformat(),
            "cost": _plain(each.cost),
            "use": _plain(each.use),
            "by_hour_offer": None if each.by_hour is None else each.by_hour.name,
            "by_hour": _plain(each.cost_by_hour),
            "saves": _plain(each.saves),
            "break_even_use": _plain(each.even_use),
        }
        for each in signed
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
