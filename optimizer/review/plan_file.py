"""A plan read back from its JSON, with the schedule it was made for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from optimizer.plans import Plan
from optimizer.schedule.load import load_schedule
from optimizer.schedule.schedule import Schedule
from optimizer.verify.plan_document import PlanFormatError, read_plan
from providers.errors import RentoptError


def load_plan(path: Path) -> Plan:
    """The plan in a file of ``rentopt plan --format json``.

    Raises:
        PlanFormatError: it is no plan, or one of another version; says what is wrong.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanFormatError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise PlanFormatError(f"{path}: not JSON: {error}") from None
    if not isinstance(body, dict):
        raise PlanFormatError(f"{path}: no plan, but a JSON {type(body).__name__}")
    read_plan(body)
    return plan_of(body)


def plan_of(body: dict[str, Any]) -> Plan:
    """The inverse of `report.plan_json.plan_to_dict`."""
    found = dict(body)
    for name in ("by_workload", "cash_flow", "excluded", "timings_s"):
        found[name] = list(dict(body.get(name, {})).items())
    found["rejected"] = [
        (row.get("workload"), row.get("hardware"), row.get("reason"))
        for row in body.get("rejected", [])
    ]
    try:
        return TypeAdapter(Plan).validate_python(found)
    except ValidationError as error:
        item = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in item["loc"])
        raise PlanFormatError(f"this is no whole plan: {where}: {item['msg'].lower()}") from None


def schedule_of(plan: Plan, path: Path, given: Path | None, option: str = "--schedule") -> Schedule:
    """The schedule of a plan: the one given, or the file of its name beside the plan.

    Args:
        option: what names another one, for messages.

    Raises:
        RentoptError: it is not there, or was changed since the plan was made.
    """
    place = given or path.parent / plan.schedule
    if given is None and not place.is_file():
        raise RentoptError(
            f"{path} was made for {plan.schedule}, which is not beside it; "
            f"name the schedule ({option})"
        )
    schedule = load_schedule(place)
    if schedule.sha256 != plan.schedule_sha256:
        raise RentoptError(
            f"{place} is not the schedule {path} was made for, or was changed since; plan it "
            f"again, or name the one it was made for ({option})"
        )
    return schedule
