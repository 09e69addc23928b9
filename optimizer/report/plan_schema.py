"""The JSON Schema of a plan, made from the fields of `Plan` and their descriptions."""

from __future__ import annotations

import ast
import inspect
import json
import types
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Union, get_args, get_origin, get_type_hints

from optimizer.plans import SCHEMA_VERSION, Plan

SCHEMA_ID = f"urn:rentopt:schema:plan:{SCHEMA_VERSION}"

_MONEY = {"$ref": "#/$defs/Decimal"}
_OVERRIDES: dict[str, dict[str, Any]] = {
    "by_workload": {"type": "object", "additionalProperties": _MONEY},
    "cash_flow": {"type": "object", "additionalProperties": _MONEY},
    "excluded": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
    "rejected": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("workload", "hardware", "reason")},
            "required": ["workload", "hardware", "reason"],
            "additionalProperties": False,
        },
    },
    "timings_s": {"type": "object", "additionalProperties": {"type": "number"}},
}
"""Fields that are written in another form than their type."""

_DESCRIPTIONS = {
    "excluded": "Offers left out, by reason.",
    "rejected": "Hardware that cannot do a workload, and why.",
    "timings_s": "Seconds each step took; only when asked for.",
}


def plan_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `plan_to_json` writes.

    Within a schema version fields are only ever added, so a reader should ignore those it does
    not know.
    """
    definitions: dict[str, Any] = {
        "Decimal": {
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]*[1-9])?$",
            "description": "An exact amount in the plan's currency, or another exact number.",
        }
    }
    body = _object(Plan, definitions)
    body["properties"] = {
        "schema_version": {"const": SCHEMA_VERSION},
        "tool": {"type": "string", "description": "What wrote the plan, with its version."},
        **body["properties"],
    }
    body["required"] = [
        "schema_version",
        "tool",
        *(name for name in body["required"] if name != "timings_s"),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "rentopt plan",
        **body,
        "$defs": dict(sorted(definitions.items())),
    }


def plan_schema_text() -> str:
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


def _object(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints, told = get_type_hints(kind), _descriptions(kind)
    properties = {}
    for field in fields(kind):
        shape = _OVERRIDES.get(field.name) if kind is Plan else None
        shape = dict(shape or _shape(hints[field.name], definitions))
        text = told.get(field.name) or (_DESCRIPTIONS.get(field.name) if kind is Plan else None)
        properties[field.name] = {**shape, "description": text} if text else shape
    return {
        "type": "object",
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "properties": properties,
        "required": list(properties),
    }


def _shape(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}
            definitions[hint.__name__] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_shape(part, definitions) for part in inner]}
    if origin is tuple:
        return {"type": "array", "items": _shape(inner[0], definitions)}
    if origin is dict:
        return {"type": "object"}
    return dict(_PLAIN[hint])


_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    Decimal: _MONEY,
    type(None): {"type": "null"},
}


def _descriptions(kind: type) -> dict[str, str]:
    """The sentence under each field in the source, which is not kept when the module runs."""
    module = inspect.getmodule(kind)
    assert module is not None
    tree = ast.parse(inspect.getsource(module))
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or node.name != kind.__name__:
            continue
        for field, text in zip(node.body, node.body[1:], strict=False):
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[field.target.id] = " ".join(str(text.value.value).split())
    return found
