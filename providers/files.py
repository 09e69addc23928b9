"""What the adapters that read a person's files share: paths and addresses to bytes."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from providers.adapter import Snapshot
from providers.errors import DocumentError, Fault
from providers.http import Http
from providers.offers import Offer, Rejected
from providers.redaction import redacted

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)
"""Two letters at least: C:/ is a drive. One slash, where a `Path` was made of an address."""


def address_of(source: Path | str) -> str:
    """The address, when the source is one; else nothing."""
    found = _ADDRESS.fullmatch(str(source))
    return f"{found[1].lower()}://{found[2]}" if found else ""


def import_hint(address: str) -> str:
    """What to do instead of giving an address where no network is used."""
    return f"`rentopt prices import {redacted(address)} --as NAME` keeps its prices"


class FileAdapter(ABC):
    """Reads files. A `Path` is on this machine; a text may be an https:// address as well, which
    only refreshing and importing may use: plans are made from paths."""

    name: ClassVar[str]

    def __init__(
        self, sources: Sequence[Path | str], read_at: datetime, http: Http | None = None
    ) -> None:
        self._sources = tuple(sources)
        self._read_at = read_at
        """The moment the prices are wanted for: those that end before it are rejected."""
        self._http = http or Http()

    def fetch(self) -> Iterator[Snapshot]:
        """The bytes of each file.

        Raises:
            DocumentError: it cannot be read, or is an address where none may be.
            FetchError: the address does not answer.
        """
        for source in self._sources:
            address = address_of(source)
            if not address:
                yield Snapshot(str(source), self._read_at, _bytes(Path(source)))
            elif isinstance(source, Path):
                message = "an address, and planning uses no network"
                raise DocumentError([_fault(redacted(address), message, import_hint(address))])
            else:
                answer = self._http.get(_private(address), headers={"Accept": "*/*"})
                yield Snapshot(answer.snapshot.address, self._read_at, answer.snapshot.body)

    @abstractmethod
    def parse(self, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        """Every row: an offer, or rejected with its reason.

        Raises:
            DocumentError: the file is faulty.
        """


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DocumentError([_fault(str(path), f"cannot be read: {error.strerror}")]) from error


def _private(address: str) -> str:
    """The address, where nobody on the way can change what it answers."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise DocumentError([_fault(redacted(address), "no address that can be read")]) from None
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return address
    message = f"{parts.scheme}:// cannot be read from here"
    raise DocumentError([_fault(redacted(address), message, "give an https:// address, or a file")])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _fault(source: str, message: str, hint: str = "") -> Fault:
    return Fault(source, 0, 0, "", message, hint)
