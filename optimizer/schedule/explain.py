"""What pydantic found wrong, in words for the person who wrote the schedule."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from optimizer.schedule.document import ScheduleDocument
from optimizer.schedule.quantities import described
from providers.errors import Fault
from providers.yaml_text import Path, Source

_PLAIN = {
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "path_type": "expected a file name",
}
_MISSING = object()


def value_at(data: Any, path: Path) -> Any:
    """The value at `path`, or None when there is none."""
    found = _step_all(data, path)
    return None if found is _MISSING else found


def _step_all(data: Any, path: Path) -> Any:
    for part in path:
        data = _step(data, part)
    return data


def _step(data: Any, part: object) -> Any:
    if isinstance(data, Mapping) and part in data:
        return data[part]
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return _MISSING


def path_of(error: ErrorDetails, data: Any) -> tuple[Path, bool]:
    """The path in the document, without the names that pydantic gives to branches of a union.

    The second value says whether the fault is in the key rather than in the value.
    """
    loc = list(error["loc"])
    at_key = bool(loc) and loc[-1] == "[key]"
    if at_key:
        loc.pop()
    path: list[Any] = []
    for number, part in enumerate(loc):
        if number == 2 and loc[0] == "workloads":
            continue  # the kind
        found = _step(data, part)
        last_and_missing = error["type"] == "missing" and number == len(loc) - 1
        if found is _MISSING and not last_and_missing:
            continue
        path.append(part)
        data = found
    return tuple(path), at_key


def relevant(errors: Sequence[ErrorDetails], data: Any) -> list[ErrorDetails]:
    """Without the complaints of union branches that the value was not meant for.

    The price of electricity is a text or a list; a list with a fault in it is no bad text.
    """
    return [error for error in errors if _is_meant(error, data)]


def _is_meant(error: ErrorDetails, data: Any) -> bool:
    for number, part in enumerate(error["loc"]):
        branch = str(part)
        if branch.startswith(("list[", "function-")):
            value = _step_all(data, error["loc"][:number])
            return isinstance(value, list) == branch.startswith("list[")
    return True


def explained(
    error: ErrorDetails, source: Source, data: Any, top: type[BaseModel] = ScheduleDocument
) -> Fault:
    """One fault from one pydantic error.

    Args:
        top: the model that the whole document was held against.
    """
    path, at_key = path_of(error, data)
    kind = error["type"]
    found = described(error["input"])
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path, source, data, top)
    if kind == "missing":
        return _missing(path, source, data, top)
    if kind in ("literal_error", "union_tag_invalid"):
        if kind == "union_tag_invalid":
            path = (*path, "kind")
        accepted = [str(choice) for choice in _choices(path, data, top)]
        value = value_at(data, path)
        hint = closest(str(value), accepted)
        listed = f"one of {', '.join(accepted)}" if len(accepted) > 1 else accepted[0]
        return source.fault(path, f"expected {listed}, found {described(value)}", hint)
    if kind == "union_tag_not_found":
        if isinstance(value_at(data, path), Mapping):
            hint = "write `kind: training`, `kind: batch_inference` or `kind: service`"
            return source.fault((*path, "kind"), "the key 'kind' is missing", hint)
        return source.fault(path, f"expected a mapping, found {found}")
    if kind == "value_error":
        message, _, hint = str(context["error"]).partition("; ")
        return source.fault(path, message, hint, at_key=at_key)
    if kind in _PLAIN:
        hint = ""
        if kind == "string_type" and isinstance(error["input"], int | Decimal):
            hint = "put it in quotes to make it a text"
        return source.fault(path, f"{_PLAIN[kind]}, found {found}", hint)
    if kind == "string_pattern_mismatch":
        message = f"{found} is no name; letters, digits, '.', '_' and '-' are accepted"
        return source.fault(path, message)
    if kind == "too_short":
        return source.fault(path, "the list is empty, expected at least one entry")
    if kind == "string_too_short":
        return source.fault(path, "the text is empty")
    bounds = {
        "greater_than_equal": ("ge", "at least"),
        "greater_than": ("gt", "more than"),
        "less_than_equal": ("le", "at most"),
    }
    if kind in bounds:
        name, words = bounds[kind]
        return source.fault(path, f"expected {words} {context[name]:,.12g}, found {found}")
    return source.fault(path, f"{error['msg']}, found {found}")


def closest(text: str, known: Iterable[str]) -> str:
    """A hint with the nearest known name; empty when none is near."""
    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(text.casefold(), names, n=1, cutoff=0.6)
    return f"did you mean '{names[near[0]]}'?" if near else ""


def _unknown_key(path: Path, source: Source, data: Any, top: type[BaseModel]) -> Fault:
    key = str(path[-1])
    known = sorted(_keys(path[:-1], data, top))
    hint = closest(key, known) or f"known keys are {', '.join(known)}"
    elsewhere = [where for where in _sections_with(key, top) if where]
    if not hint.startswith("did") and elsewhere:
        hint = f"'{key}' belongs in {elsewhere[0]}; here the {hint}"
    return source.fault(path, f"unknown key {described(key)}", hint, at_key=True)


def _missing(path: Path, source: Source, data: Any, top: type[BaseModel]) -> Fault:
    key = str(path[-1])
    hint = ""
    for model in _models(path[:-1], data, top):
        info = model.model_fields.get(key)
        if info is not None and info.description:
            hint = info.description[0].lower() + info.description[1:]
    if path in source.keys:
        return source.fault(path, f"'{key}' has no value", hint, at_key=True)
    return source.fault(path, f"the key '{key}' is missing", hint)


def _sections_with(key: str, top: type[BaseModel]) -> Iterator[str]:
    """Top-level sections that have a key of that name."""
    for section, info in top.model_fields.items():
        for model in _members(info.annotation):
            if hasattr(model, "model_fields") and key in model.model_fields:
                yield section


def _members(annotation: Any) -> Iterator[Any]:
    """What a value under `annotation` may be: unions opened, wrappers taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin is None or origin in (list, dict, Literal):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _members(part)


def _annotations(path: Path, data: Any, top: type[BaseModel]) -> list[Any]:
    """The types that the value at `path` may have by the models."""
    now: list[Any] = [top]
    for part in path:
        data = _step(data, part)
        following: list[Any] = []
        for annotation in now:
            if get_origin(annotation) is list:
                following += _members(get_args(annotation)[0])
            elif get_origin(annotation) is dict:
                following += _members(get_args(annotation)[1])
            elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
                info = annotation.model_fields.get(str(part))
                if info is not None:
                    following += _members(info.annotation)
        kind = data.get("kind") if isinstance(data, Mapping) else None
        of_kind = [item for item in following if _is_kind(item, kind)]
        now = of_kind or following
    return now


def _is_kind(annotation: Any, kind: object) -> bool:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return False
    info = annotation.model_fields.get("kind")
    return info is not None and kind in get_args(info.annotation)


def _models(path: Path, data: Any, top: type[BaseModel]) -> list[type[BaseModel]]:
    return [
        item
        for item in _annotations(path, data, top)
        if isinstance(item, type) and issubclass(item, BaseModel)
    ]


def _keys(path: Path, data: Any, top: type[BaseModel]) -> set[str]:
    return {name for model in _models(path, data, top) for name in model.model_fields}


def _choices(path: Path, data: Any, top: type[BaseModel]) -> list[Any]:
    """The values that the literals at `path` accept, in the order they are declared."""
    literals = [item for item in _annotations(path, data, top) if get_origin(item) is Literal]
    if path and path[-1] == "kind":
        models = _annotations(path[:-1], None, top)  # of every kind: the kind itself is in doubt
        fields = [m.model_fields["kind"].annotation for m in models if hasattr(m, "model_fields")]
        literals = [item for item in fields if get_origin(item) is Literal]
    return list(dict.fromkeys(choice for item in literals for choice in get_args(item)))
