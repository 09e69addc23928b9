"""A plan as JSON: money as decimal strings, dates as ISO text, nothing that a clock changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from optimizer.plans import SCHEMA_VERSION, Plan


def plan_to_dict(plan: Plan, *, timings: bool = False) -> dict[str, Any]:
    """Plain data with the names of `Plan`'s fields.

    Args:
        timings: add how long each step took; off, so that the same inputs give the same bytes.
    """
    body: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "tool": f"rentopt {tool_version()}",
        **_plain(plan),
    }
    body["fx"] = list(plan.fx)
    for name in ("by_workload", "cash_flow", "excluded"):
        body[name] = dict(_plain(getattr(plan, name)))
    body["rejected"] = [
        {"workload": workload, "hardware": hardware, "reason": reason}
        for workload, hardware, reason in plan.rejected
    ]
    if timings:
        body["timings_s"] = dict(plan.timings_s)
    else:
        del body["timings_s"]
    return body


def plan_to_json(plan: Plan, *, timings: bool = False) -> str:
    data = plan_to_dict(plan, timings=timings)
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def plan_sha256(plan: Plan) -> str:
    """Hash of what `plan_to_json` writes without timings."""
    return hashlib.sha256(plan_to_json(plan).encode()).hexdigest()


def tool_version() -> str:
    try:
        return version("rentopt")
    except PackageNotFoundError:
        return "0+unknown"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def decimal_text(value: Decimal) -> str:
    """Exact, without exponent or trailing zeros: ``4980.5``, ``0``."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
