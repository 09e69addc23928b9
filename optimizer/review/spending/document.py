"""The spending review as plain data."""

from __future__ import annotations

from typing import Any

from optimizer.finance.refusal import Metric
from optimizer.report.plan_json import decimal_text, tool_version
from optimizer.review.spending.spending import Spending
from optimizer.review.workbook.as_json import SCHEMA_VERSION, terms_json
from optimizer.review.workbook.outcomes import Outcome, outcome_values


def spending_json(spending: Spending) -> dict[str, Any]:
    """Answers, terms, bill and months; money as decimal strings."""
    plan = spending.plan
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": f"rentopt {tool_version()}",
        "name": plan.name,
        "schedule": plan.schedule,
        "schedule_sha256": plan.schedule_sha256,
        "as_of": plan.as_of.isoformat(),
        "currency": plan.currency,
        "planned": bool(plan.bought),
        "not_weighed": {"code": spending.why.code, "reason": str(spending.why)},
        "valid_until": spending.until.day.isoformat(),
        "outputs": outcome_values(answers(spending)),
        "terms": terms_json(spending.signed),
        "bill": [
            {
                "component": line.component, "cause": line.cause,
                "amount": decimal_text(line.amount),
                "present_value": decimal_text(line.present_value),
            }
            for line in plan.ledger
        ],
        "cash_flow": {month: decimal_text(paid) for month, paid in plan.cash_flow},
    }  # fmt: skip


def answers(spending: Spending) -> list[Outcome]:
    """The figures of the first page."""
    plan = spending.plan
    known = (
        ("total", "cost of the plan, undiscounted", plan.total),
        ("present_value", "present value", plan.npv),
        ("committed", "owed once the terms are signed", spending.committed),
        ("bought_net", "purchases less what their sale brings", spending.bought),
        ("by_use", "paid as used", spending.by_use),
        ("dearer", f"more, where what is paid as used gets {spending.swing:.0%} dearer",
         spending.dearer),
    )  # fmt: skip
    return [Outcome(name, title, plan.currency, Metric(value)) for name, title, value in known]
