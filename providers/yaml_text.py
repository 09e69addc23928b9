"""From the bytes of a YAML file to plain data, and the place of every value in the file.

Only a part of YAML 1.2: one document of mappings, lists and plain values. Dates stay texts and
numbers stay exact (`int`, `Decimal`), so that a fault in either can be told with its place.
Everything that would run code, grow without bound or mean two things is refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from providers.errors import DocumentError, Fault

Path = tuple[Hashable, ...]
"""Keys and list positions from the top of the document to a value."""

MOST_BYTES = 5_000_000
MOST_NODES = 50_000
"""Values in a document, counted again for every alias."""
MOST_DEPTH = 40

_INT = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
NULLS = {"", "~", "null", "Null", "NULL"}
BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_CORE = "tag:yaml.org,2002:"
_CORE_NAMES = "str int float bool null map seq merge timestamp value"
_TAGS = {f"{_CORE}{name}" for name in _CORE_NAMES.split()}


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, both from 1."""

    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """What a document is for, as far as messages speak of it."""

    noun: str
    """What one file holds one of: schedule, table."""
    if_large: str
    """The hint for a file beyond the bounds."""
    if_empty: str


@dataclass(slots=True)
class Source:
    """A document as plain data, with the places of its keys and values."""

    name: str
    data: Any
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    """Faults that leave the rest readable, such as a key given twice."""

    def fault(self, path: Path, message: str, hint: str = "", *, at_key: bool = False) -> Fault:
        """A fault at the value of `path`, or at the nearest thing around it that has a place."""
        place = self.keys.get(path) if at_key else None
        around = path
        while place is None and around:
            place = self.values.get(around) or self.keys.get(around)
            around = around[:-1]
        place = place or self.values.get((), Place(1, 1))
        return _fault(self.name, place, path, message, hint)


def _fault(name: str, place: Place, path: Path, message: str, hint: str) -> Fault:
    """A fault on one line, without the control characters that a text may hold."""
    dotted = ".".join(str(part)[:60] for part in path)
    texts = [_printable(text) for text in (dotted, message, hint)]
    return Fault(name, place.line, place.column, *texts)


def _printable(text: str) -> str:
    one_line = " ".join(text.split())
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in one_line)


def compose(content: bytes, name: str, kind: Kind) -> Node:
    """The nodes of the document in `content`, for `build`.

    Raises:
        DocumentError: the bytes are no UTF-8, no YAML, no single document, or beyond the bounds.
    """
    if len(content) > MOST_BYTES:
        found = f"the file has {len(content):,} bytes; at most {MOST_BYTES:,} are read"
        raise DocumentError([Fault(name, 0, 0, "", found, kind.if_large)])
    root = _compose(_decode(content, name), name, kind)
    if root is None or (isinstance(root, ScalarNode) and root.value in NULLS):
        raise DocumentError([Fault(name, 0, 0, "", "the file is empty", kind.if_empty)])
    return root


def build(root: Node, name: str, scalar: Callable[[ScalarNode], Any] | None = None) -> Source:
    """The document as plain data.

    Args:
        root: from `compose`.
        name: what faults call the file.
        scalar: from a node that is a single value to what it becomes; numbers as they are exact,
            yes and no as booleans and nothing as None when left out.

    Raises:
        DocumentError: it is beyond the bounds once aliases are filled in.
    """
    source = Source(name, None)
    source.data = _Builder(source, scalar or _typed).build(root, (), ())
    return source


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        found = "UTF-16" if wide else f"the byte 0x{content[error.start]:02x}"
        message = f"the file is not UTF-8, found {found}"
        raise DocumentError(
            [Fault(name, line, column, "", message, "save it with the encoding UTF-8")]
        ) from None


class _TooLargeError(MarkedYAMLError):
    """Beyond the bounds on depth or number of values."""


class _BoundedComposer(Composer):
    """Stops before a document grows out of bounds, where ruamel would recurse or go on."""

    nodes = 0
    level = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.nodes += 1
        self.level += 1
        mark = self.parser.peek_event().start_mark
        if self.level > MOST_DEPTH:
            raise _TooLargeError(
                problem=f"nested deeper than {MOST_DEPTH} levels", problem_mark=mark
            )
        if self.nodes > MOST_NODES:
            many = f"has more than {MOST_NODES:,} values"
            raise _TooLargeError(problem=many, problem_mark=mark)
        node = super().compose_node(parent, index)
        self.level -= 1
        return node


def _compose(text: str, name: str, kind: Kind) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _BoundedComposer
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            node: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        raise DocumentError([_syntax_fault(error, text, name, kind)]) from None
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        message = f"the character U+{ord(text[error.position]):04X} is not allowed"
        raise DocumentError([Fault(name, line, column, "", message, "remove it")]) from None
    except (ValueError, OverflowError):
        # ruamel.yaml lets chr() fail on an escape such as "\UFFFFFFFF" in a quoted text.
        found = "not readable as YAML: an escape in a quoted text names no character"
        raise DocumentError([Fault(name, 0, 0, "", found, "look for \\U")]) from None
    return node


_SYNTAX_HINTS = {
    "mapping values are not allowed": "put texts with ': ' in quotes, check the indentation",
    "undefined alias": "define the anchor with & first, or quote a text with * in front",
    "expected <block end>": "check that this line is indented like its neighbours",
    "could not find expected ':'": "write `key: value`, with a blank after the colon",
    "unexpected end of stream": "a quote or bracket is not closed",
    "expected ',' or": "a bracket is not closed, or a comma is missing",
    "cannot start any token": "put texts that start with a special character in quotes",
}
"""What mends the commonest slips, by a part of ruamel's sentence."""


def _syntax_fault(error: MarkedYAMLError, text: str, name: str, kind: Kind) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    problem = " ".join((error.problem or error.context or "not readable as YAML").split())
    found = text.splitlines()[line - 1] if mark and line <= len(text.splitlines()) else ""
    if isinstance(error, _TooLargeError):
        return Fault(name, line, column, "", f"the document {_is(problem)}")
    if "\\t" in problem or "\t" in found[: max(column, 1)]:
        problem = "a tab where YAML wants blanks"
        return Fault(name, line, column, "", problem, "indent with blanks, two a level")
    if "another document" in problem:
        hint = f"keep one {kind.noun} in one file, without ---"
        return Fault(name, line, column, "", "a second document starts here", hint)
    hint = next((hint for part, hint in _SYNTAX_HINTS.items() if part in problem), "")
    return _fault(name, Place(line, column), (), f"not readable as YAML: {problem}", hint)


def _is(problem: str) -> str:
    return problem if problem.startswith("has") else f"is {problem}"


def place_of(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


class _Builder:
    """Turns nodes into plain data, and notes where each value stands."""

    def __init__(self, source: Source, scalar: Callable[[ScalarNode], Any]) -> None:
        self.source, self._scalar = source, scalar
        self.built = 0

    def build(self, node: Node, path: Path, above: tuple[int, ...]) -> Any:
        """The value of `node`; `above` holds the nodes that contain it, to see a loop."""
        self.source.values.setdefault(path, place_of(node))
        self.built += 1
        if self.built > MOST_NODES:
            message = f"the document has more than {MOST_NODES:,} values once aliases are filled in"
            raise DocumentError([*self.source.faults, self.source.fault(path, message)])
        if id(node) in above:
            self._fault(node, path, "the alias contains itself", "write the values out")
            return None
        if len(above) > MOST_DEPTH:
            message = f"the document is nested deeper than {MOST_DEPTH} levels"
            raise DocumentError([*self.source.faults, self.source.fault(path, message)])
        tag = str(node.tag) if node.tag is not None else ""
        if tag and tag not in _TAGS:
            shown = tag.replace(_CORE, "!!")
            self._fault(node, path, f"the tag {shown} is not allowed", "remove it")
            return None
        above = (*above, id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path, above)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, i), above) for i, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node)

    def _fault(self, node: Node, path: Path, message: str, hint: str = "") -> None:
        self.source.faults.append(_fault(self.source.name, place_of(node), path, message, hint))

    def _mapping(self, node: MappingNode, path: Path, above: tuple[int, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._fault(key_node, path, "a key must be a plain text", "remove the brackets")
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key == "<<" and key_node.style is None:
                merged.append(value_node)
                continue
            if key in result:
                first = self.source.keys[here].line
                message = f"the key '{key}' is given twice, first on line {first}"
                self._fault(key_node, here, message, "keep one of the two")
                continue
            self.source.keys.setdefault(here, place_of(key_node))
            result[key] = self.build(value_node, here, above)
        for value_node in merged:
            for key, value in self._merged(value_node, path, above):
                result.setdefault(key, value)
        return result

    def _merged(self, node: Node, path: Path, above: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
        """The entries that a merge key ``<<`` brings in; own keys win over them."""
        parts = node.value if isinstance(node, SequenceNode) else [node]
        for part in parts:
            if not isinstance(part, MappingNode) or id(part) in above:
                self._fault(part, path, "<< takes a mapping, or a list of them", "use an alias")
                continue
            yield from self._mapping(part, path, (*above, id(part))).items()


def _typed(node: ScalarNode) -> Any:
    text = str(node.value)
    if node.style is not None or str(node.tag) == f"{_CORE}str":
        return text
    if text in NULLS:
        return None
    if text in BOOLS:
        return BOOLS[text]
    if len(text) > 40:
        return text
    if _INT.fullmatch(text):
        return int(text)
    return Decimal(text) if _FLOAT.fullmatch(text) else text
