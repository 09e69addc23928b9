"""What finance says when there is no figure to give."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from providers.errors import RentoptError


class FinanceError(RentoptError):
    """Inputs that no figure follows from, such as probabilities that do not add up to 1."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure, or why there is none. "Never" is not 0, and not infinity either."""

    value: Decimal | None
    code: str = ""
    """Reason in one word, for programs: never, several_rates, no_sign_change, nothing_invested."""
    reason: str = ""
    """The same in one sentence; a remark where there is a value."""
    candidates: tuple[Decimal, ...] = ()
    """Every solution, where there is more than one."""


def none(code: str, reason: str, candidates: tuple[Decimal, ...] = ()) -> Metric:
    """No figure, with its reason."""
    return Metric(None, code, reason, candidates)
