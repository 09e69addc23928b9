"""Errors a user can act on. Each carries the exit code of the command that meets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


class RentoptError(Exception):
    """A fault in what the user gave, or in what exists; never a bug of ours."""

    exit_code = 2


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Turns a missing package into what to install.

    Raises:
        RentoptError: a package that belongs to the extra is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        said = f"this needs the package {error.name}: pip install 'rentopt[{extra}]'"
        raise RentoptError(said) from None


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document, where it stands and what would mend it."""

    file: str
    line: int
    """1-based; 0 when the fault has no place in the file."""
    column: int
    """1-based; 0 when the fault has no place in the line."""
    path: str
    """Dotted path of the value, such as ``workloads.0.tokens``; empty for the whole file."""
    message: str
    """What is wrong and what was found, one sentence without a full stop."""
    hint: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"
        return f"{text}; hint: {self.hint}" if self.hint else text


class DocumentError(RentoptError):
    """All faults of a document (schedule, price table), found in one pass."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class PriceError(RentoptError):
    """A price is missing, or is no price."""

    exit_code = 4
