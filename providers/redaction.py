"""Keeping secrets out of what is kept and printed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from urllib.parse import quote, urlsplit, urlunsplit

SHORTEST_SECRET = 6
"""Shorter ones stand in too many words to be taken out of all."""
_SECRET_PARAMETERS = re.compile(r"(?i)key|token|secret|sig|pass|auth|credential")


def forms(secrets: Iterable[str]) -> list[str]:
    """How servers may repeat each: as it is, in JSON (some write ``\\/``), in an address."""
    found: dict[str, None] = {}
    for text in secrets:
        if len(text) >= SHORTEST_SECRET:
            in_json = json.dumps(text)[1:-1]
            written = (text, in_json, in_json.replace("/", "\\/"), quote(text, safe=""))
            found |= dict.fromkeys(written)
    return sorted(found, key=len, reverse=True)


def redacted(url: str) -> str:
    """The address without what may be secret in its query or before its host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("?")[0]
    query = "&".join(
        f"{name}=[hidden]" if sign and _SECRET_PARAMETERS.search(name) else pair
        for pair in parts.query.split("&")
        for name, sign, _ in [pair.partition("=")]
    )
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query))


def without(text: str, hide: Collection[str]) -> str:
    for secret in hide:
        text = text.replace(secret, "[hidden]")
    return text
