"""Put a value into a schedule at a dotted path, and the factors that move many values at once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from optimizer.schedule.explain import closest
from optimizer.sweep.document import day_of
from optimizer.sweep.values import TWELVE, written
from providers import units
from providers.yaml_text import Path

RENT, PURCHASE, LOAD, AS_OF = "prices.rent", "prices.purchase", "load", "prices.as_of"
PSEUDO = (RENT, PURCHASE, LOAD, AS_OF)
"""Paths that are no place in the schedule."""
FACTORS = (RENT, PURCHASE, LOAD)
_NAMES = ("name", "node")
"""What the entries of a list are called by."""


class PathError(ValueError):
    """A path that leads nowhere; the message says where it ends, then `; ` and what is there."""


def resolve(data: Any, dotted: str) -> Path:
    """The keys and positions that a dotted path stands for in a schedule's data.

    Entries of a list go by their position, or by their name (workloads, quotas) or node
    (hardware). The last key, and sections on the way to it, need not be there.

    Raises:
        PathError: a part leads nowhere.
    """
    parts, path = dotted.split("."), list[Any]()
    while parts:
        if isinstance(data, list):
            key, used = _entry(data, parts, dotted)
            data = data[key]
            path.append(key)
        elif isinstance(data, dict) or data is None:
            name, used = _key(data or {}, parts)
            if not name or (data is None and name.isdigit()):
                raise PathError(f"'{dotted}' leads nowhere: nothing is at '{_shown(path)}'")
            data = (data or {}).get(name)
            path.append(name)
        else:
            raise PathError(f"'{dotted}' leads nowhere: '{_shown(path)}' is a single value")
        parts = parts[used:]
    return tuple(path)


def _shown(path: list[Any]) -> str:
    return ".".join(map(str, path)) or "the top"


def _key(data: dict[str, Any], parts: list[str]) -> tuple[str, int]:
    """The longest key that the next parts make, for keys with dots in them; else the next part."""
    for used in range(len(parts), 0, -1):
        if ".".join(parts[:used]) in data:
            return ".".join(parts[:used]), used
    return parts[0], 1


def _entry(data: list[Any], parts: list[str], dotted: str) -> tuple[int, int]:
    called = {
        str(item[name]): number
        for number, item in reversed(list(enumerate(data)))
        if isinstance(item, dict)
        for name in _NAMES
        if isinstance(item.get(name), str)
    }
    for used in range(len(parts), 0, -1):
        if ".".join(parts[:used]) in called:
            return called[".".join(parts[:used])], used
    if parts[0].isdigit() and int(parts[0]) < len(data):
        return int(parts[0]), 1
    hint = closest(parts[0], called)
    if not hint:
        there = [*called, f"0 to {len(data) - 1}"] if data else ["nothing"]
        hint = f"there are {', '.join(there)}"
    raise PathError(f"'{dotted}' leads nowhere: no entry '{parts[0]}'; {hint}")


def edit(data: dict[str, Any], path: Path, value: Any) -> None:
    """Put `value` at `path`, with the sections that are missing on the way; None takes it out."""
    around: Any = data
    for key in path[:-1]:
        if isinstance(around, dict) and around.get(key) is None:
            around[key] = {}
        around = around[key]
    if value is None and isinstance(around, dict):
        around.pop(path[-1], None)
    elif value is None:
        del around[path[-1]]
    else:
        around[path[-1]] = value


def apply_factor(data: dict[str, Any], path: str, factor: Decimal) -> None:
    """Multiply all purchase prices or all loads of a schedule."""
    if path == PURCHASE:
        for item in _entries(data.get("hardware"), "buy"):
            _times(item, "price", factor)
        return
    workloads = list(_entries(data, "workloads"))
    services = [item for item in workloads if item.get("kind") == "service"]
    for service in services:
        for phase in _entries(service, "phases"):
            _times(phase, "users", factor)
            _times(phase, "requests", factor)
    for job in [] if services else workloads:
        for key in ("tokens", "gpu_hours", "requests"):
            _times(job, key, factor)


def _entries(around: Any, key: str) -> Iterator[dict[str, Any]]:
    found = around.get(key) if isinstance(around, dict) else None
    yield from (item for item in found or [] if isinstance(item, dict))


def _times(around: dict[str, Any], key: str, factor: Decimal) -> None:
    """The number times the factor, with its unit kept; what is no number is the schedule's fault,
    and stays for its rules to find."""
    value = around.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return
    try:
        number, unit = units.split(value) if isinstance(value, str) else (Decimal(value), "")
    except units.UnitError:
        return
    around[key] = written(TWELVE.plus(number * factor), unit)


def pseudo_fault(path: str, value: Any) -> str:
    """What is wrong with a value of a pseudo-path; empty if nothing is."""
    if path == AS_OF:
        return "" if day_of(value) else f"expected a day such as 2026-11-20, found '{value}'"
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        return f"expected a factor above 0, found '{value}'"
    return ""


def yaml_of(data: dict[str, Any], heading: str) -> str:
    """A schedule's data as the text of a schedule file, with a comment on top."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.representer.add_representer(Decimal, _point)
    text = io.StringIO()
    yaml.dump(data, text)
    return f"# {heading}\n{text.getvalue()}"


def _point(writer: Any, value: Decimal) -> Any:
    return writer.represent_scalar("tag:yaml.org,2002:float", f"{value:f}")
