"""The JSON Schema of the schedule document, for editors and for other programs."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from optimizer.schedule.document import ScheduleDocument

SCHEMA_ID = "urn:rentopt:schema:schedule:1"


def schedule_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a schedule; the same text for the same version.

    Rules that span fields, such as phases that may not overlap, are `rentopt validate`'s.
    """
    return closed_schema(ScheduleDocument, SCHEMA_ID, "rentopt schedule")


def closed_schema(top: type[BaseModel], id: str, title: str) -> dict[str, Any]:
    """JSON Schema of documents that `top` reads."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id,
        "title": title,
    }
    closed = _closed(top.model_json_schema())
    assert isinstance(closed, dict)
    return head | {key: value for key, value in closed.items() if key not in head}


def schedule_schema_text() -> str:
    """The schema as a file holds it."""
    return json.dumps(schedule_schema(), indent=2, ensure_ascii=False) + "\n"


def _closed(node: Any) -> Any:
    """Maps take no other keys than their pattern's, and every section with defaults may be empty.

    pydantic leaves maps open, and a key with nothing after it counts as not given here.
    """
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _closed(value) for key, value in node.items()}
    if "patternProperties" in result:
        result.setdefault("additionalProperties", False)
        result.pop("propertyNames", None)
    properties = result.get("properties")
    if isinstance(properties, dict) and "additionalProperties" in result:
        required = result.get("required", [])
        result["properties"] = {
            key: value if key in required else _or_empty(value) for key, value in properties.items()
        }
    return result


def _or_empty(value: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value[key] for key in ("title", "description", "default") if key in value}
    inner = {key: part for key, part in value.items() if key not in kept}
    if {"type": "null"} in inner.get("anyOf", []):
        return value
    return kept | {"anyOf": [inner, {"type": "null"}]}
