"""The YAML document of a schedule: a mapping of sections."""

from __future__ import annotations

from ruamel.yaml.nodes import MappingNode, SequenceNode

from providers.errors import DocumentError, Fault
from providers.yaml_text import Kind, Source, build, compose, place_of

_SCHEDULE = Kind(
    noun="schedule",
    if_large="a schedule is a few kilobytes",
    if_empty="`rentopt init` writes a schedule to start from",
)


def read_yaml(content: bytes, name: str) -> Source:
    """The document in `content`; its data is a dict.

    Raises:
        DocumentError: the bytes are no UTF-8, no YAML, no single mapping, or beyond the bounds.
    """
    root = compose(content, name, _SCHEDULE)
    if not isinstance(root, MappingNode):
        place = place_of(root)
        kind = "a list" if isinstance(root, SequenceNode) else "a single value"
        message = f"expected a mapping of sections, found {kind}"
        hint = "start with `rentopt: 1`, then `horizon:`, `currency:`, `workloads:`"
        raise DocumentError([Fault(name, place.line, place.column, "", message, hint)])
    return build(root, name)
