"""The shape of an answer: names of fields and kinds of values, and nothing that was in them.

Of a live answer only names are kept that our recordings have too; every other name is `*`. So
nothing gets into a shape that is not in the repository already, whatever a source sends.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from html.parser import HTMLParser
from urllib.parse import urlsplit
from xml.etree import ElementTree

from providers.adapter import Snapshot

Shape = dict[str, list[str]]
"""Path → kinds of values, sorted; `missing` where not every row has it."""
Shapes = dict[str, Shape]
"""Path of the address → what is answered there, over all pages."""

ANY = "*"
MISSING = "missing"
NUMBER_AS_TEXT = "number as text"
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
_PLAIN = re.compile(r"[A-Za-z_$@#:][A-Za-z0-9_$@]*")
_SECTION = re.compile(r"\d|\s|-")


def shapes_of(snapshots: Iterable[Snapshot], names: Collection[str] | None = None) -> Shapes:
    """What each address answers.

    Args:
        names: those that may be kept; all when left out, for recordings only.
    """
    documents: dict[str, list[object]] = defaultdict(list)
    for snapshot in snapshots:
        documents[_place(snapshot.address, names)].append(document_of(snapshot.body))
    return {place: _shape(found, names) for place, found in documents.items()}


def names_of(snapshots: Iterable[Snapshot]) -> frozenset[str]:
    """Every name and every step of an address that our recordings have."""
    found: set[str] = set()
    for snapshot in snapshots:
        found |= set(urlsplit(snapshot.address).path.split("/"))
        _collect(document_of(snapshot.body), found)
    return frozenset(found)


def _collect(value: object, found: set[str]) -> None:
    if isinstance(value, Mapping):
        found |= {name for name in value if not is_map(value) and _PLAIN.fullmatch(name)}
    for each in _inside(value):
        _collect(each, found)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def is_map(value: Mapping[str, object]) -> bool:
    """Whether the names are data, as of machines or regions: all hold rows, and they are either
    written as no field is, or hold rows of one form."""
    rows = list(value.values())
    if not rows or not all(isinstance(row, dict | list) for row in rows):
        return False
    forms = {tuple(sorted(row)) if isinstance(row, dict) else () for row in rows}
    same = len(rows) > 1 and len(forms) == 1 and forms != {()}
    return same or any(_SECTION.search(name) for name in value)


def _shape(documents: Iterable[object], names: Collection[str] | None) -> Shape:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    objects: Counter[str] = Counter()

    def walk(value: object, path: str) -> None:
        kinds[path][_kind(value)] += 1
        if isinstance(value, list):
            for each in value:
                walk(each, f"{path}[]")
        elif isinstance(value, Mapping):
            mapped = is_map(value)
            objects[path] += not mapped
            for name, each in value.items():
                kept = not mapped and _PLAIN.fullmatch(name) and (names is None or name in names)
                walk(each, f"{path}.{name if kept else ANY}")

    for document in documents:
        walk(document, "")
    for path, counted in kinds.items():
        parent, _, name = path.rpartition(".")
        if name and name != ANY and "[]" not in name and counted.total() < objects[parent]:
            counted[MISSING] = 1
    return {path or ".": sorted(counted) for path, counted in sorted(kinds.items())}


def _kind(value: object) -> str:
    if isinstance(value, str):
        return NUMBER_AS_TEXT if _NUMBER.fullmatch(value.strip()) else "text"
    kinds = {bool: "true or false", int: "number", float: "number", list: "list"}
    if isinstance(value, Mapping):
        return "object"
    return kinds.get(type(value), "null")


def document_of(body: bytes) -> object:
    """The answer as objects, lists, texts and numbers, whatever it is written in."""
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            return document_of(file.read(file.namelist()[0]))
    try:
        return json.loads(body)
    except ValueError:
        text = body.decode("utf-8", "replace").lstrip()
    if re.match(r"(?i)<!doctype html|<html", text):
        return _of_html(text)
    if text.startswith("<"):
        return _of_xml(ElementTree.fromstring(text))
    rows = list(csv.reader(io.StringIO(text)))
    head = next((row for row in rows if len(row) > 2), [])
    return (
        [dict(zip(head, row, strict=False)) for row in rows[rows.index(head) + 1 :]] if head else {}
    )


def _of_xml(element: ElementTree.Element) -> object:
    found: dict[str, object] = {f"@{_local(name)}": text for name, text in element.attrib.items()}
    children: dict[str, list[object]] = defaultdict(list)
    for child in element:
        children[_local(child.tag)].append(_of_xml(child))
    found |= children
    return found or (element.text or "")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _of_html(text: str) -> object:
    """Which elements there are, and how deep tables and lists go."""
    found: dict[str, object] = {}

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            found[tag] = {}

    Tags().feed(text)
    return {"html": found}


def _place(address: str, names: Collection[str] | None) -> str:
    steps = urlsplit(address).path.split("/")
    return "/".join(s if names is None or s in names else ANY for s in steps) or "/"


def drift(recorded: Shapes, live: Shapes) -> list[str]:
    """How a live answer differs from our recording where it matters, a sentence each."""
    found = []
    for place, shape in recorded.items():
        match = next((now for at, now in live.items() if _same_place(place, at)), None)
        if match is None:
            found.append(f"{place}: was not answered")
        else:
            found += [f"{place}: {said}" for said in _differences(shape, match)]
    return found


def _same_place(one: str, other: str) -> bool:
    pairs = list(zip(one.split("/"), other.split("/"), strict=False))
    same = one.count("/") == other.count("/")
    return same and all(a == b or ANY in (a, b) for a, b in pairs)


def _differences(recorded: Shape, live: Shape) -> Iterable[str]:
    for path, kinds in recorded.items():
        at = _found(path, live)
        if at is None:
            parent, _, name = path.rpartition(".")
            above = _found(parent, live) if parent else "."
            dynamic = name == ANY or path.endswith("[]")
            if not dynamic and MISSING not in kinds and above and "object" in live[above]:
                yield f"{path} is gone"
            continue
        known = set(kinds) | ({NUMBER_AS_TEXT} if "text" in kinds else set())
        if new := set(live[at]) - known:
            yield f"{path} was {' or '.join(kinds)}, and is {' or '.join(sorted(new))} too"


def _found(path: str, live: Shape) -> str | None:
    """Where a live answer has it: a name that is data, as of a region, may be another there."""
    if path == ".":
        return path
    here = ""
    for step in path.split(".")[1:]:
        other = f"{here}.{ANY}" + "[]" * step.count("[]")
        here = f"{here}.{step}"
        if here not in live:
            if "object" not in live.get(other, ()):
                return None
            here = other
    return here


def news(recorded: Shapes, live: Shapes) -> list[str]:
    """Fields that our recording has not: nothing reads them, so they break nothing."""
    known = {path for shape in recorded.values() for path in shape}
    return sorted({path for shape in live.values() for path in shape} - known)


def to_json(shapes: Shapes) -> str:
    return json.dumps(shapes, indent=1, ensure_ascii=True, sort_keys=True) + "\n"
