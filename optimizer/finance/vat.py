"""What VAT makes of a price: recovered, a cost, or partly both.

A general taxpayer deducts input VAT and compares net prices; a small one, an individual or an
exempt activity pays it and compares gross ones. The cheapest offer may change between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.refusal import FinanceError


class Supply(StrEnum):
    """What is supplied decides the rate; bare metal is one or the other by its invoice."""

    SERVICE = "service"
    LEASE_OF_GOODS = "lease_of_goods"
    GOODS = "goods"


@dataclass(frozen=True, slots=True)
class VatPosition:
    """Share of input VAT that the buyer gets back."""

    recoverable: Decimal

    @classmethod
    def parse(cls, text: str) -> VatPosition:
        """``recoverable``, ``non_recoverable`` or ``partial:0.6`` (60 % comes back).

        Raises:
            FinanceError: it is none of the three.
        """
        known = {"recoverable": Decimal(1), "non_recoverable": Decimal(0)}
        if text in known:
            return cls(known[text])
        word, _, share = text.partition(":")
        digits = share.replace(".", "", 1)
        if word == "partial" and digits.isascii() and digits.isdigit() and 0 <= Decimal(share) <= 1:
            return cls(Decimal(share))
        raise FinanceError(
            f"'{text}' is no VAT position; write recoverable, non_recoverable or partial:0.6"
        )


RECOVERABLE = VatPosition(Decimal(1))
NON_RECOVERABLE = VatPosition(Decimal(0))


@dataclass(frozen=True, slots=True)
class TaxedPrice:
    """A price with its VAT."""

    amount: Decimal
    rate: Decimal
    """VAT of the supply; for a service from abroad, what the buyer must withhold and pay."""
    includes_vat: bool

    @property
    def net(self) -> Decimal:
        return self.amount / (1 + self.rate) if self.includes_vat else self.amount

    @property
    def gross(self) -> Decimal:
        return self.amount if self.includes_vat else self.amount * (1 + self.rate)

    @property
    def vat(self) -> Decimal:
        return self.gross - self.net

    def cost(self, position: VatPosition) -> Decimal:
        """``net + (1 - s) VAT`` with s the share that comes back."""
        return self.net + (1 - position.recoverable) * self.vat


def by_class(net: Decimal, rates: Mapping[Supply, Decimal]) -> dict[Supply, Decimal]:
    """Gross price under each class a supply may fall in, where the invoice does not tell yet."""
    return {supply: TaxedPrice(net, rate, False).gross for supply, rate in rates.items()}


def waiting_cost(vat: Decimal, months: Decimal, rate: Decimal) -> Decimal:
    """Present value lost while input VAT waits for output VAT: ``V (1 - (1+r) ** (-t/12))``."""
    return vat * (1 - (1 + rate) ** (-months / MONTHS_IN_YEAR))
