"""Each vector of risk, rounding and prices as they were known, worked out with the product."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from vector_data import D
from worked_owning import fleet

from optimizer.finance import risk
from optimizer.finance.ownership import Fleet
from optimizer.finance.rounding import minor_units, rounded
from optimizer.finance.time_value import npv
from optimizer.report.money_text import CENT, footed
from providers.adapter import ProviderTable, Snapshot
from providers.money import Money
from providers.offers import Offer
from providers.store import PriceStore, open_store
from providers.terms import Increment, PurchaseModel, Tenor, Tier

Found = dict[str, Any]


def risk_01(given: Any) -> Found:
    cases = given["scenarios"]
    table = risk.Scenarios(
        tuple(case["p"] for case in cases),
        tuple(D(case["npv_buy_minus_rent"]) for case in cases),
    )
    return {
        "expected": table.expected,
        "stdev": table.deviation,
        "probability_buy_wins": table.buying_wins,
        "max_regret_of_buying": table.regret_of_buying,
        "max_regret_of_renting": table.regret_of_renting,
        "minimax_regret_choice": table.least_regret,
        "expected_value_choice": table.best_on_average,
    }


def risk_02(given: Any) -> Found:
    losses, chances = [D(loss) for loss in given["losses"]], given["probabilities"]
    levels = given["alphas"]
    return {
        "var": [risk.value_at_risk(losses, chances, level) for level in levels],
        "cvar": [risk.conditional_value_at_risk(losses, chances, level) for level in levels],
    }


def risk_03(given: Any) -> Found:
    losses = [D(loss) for loss in given["losses"]]
    even = [D(1) / len(losses)] * len(losses)
    return {
        "cvar95": risk.conditional_value_at_risk(losses, even, given["alpha"]),
        "cvar93": risk.conditional_value_at_risk(losses, even, given["alpha2"]),
    }


def risk_04(given: Any) -> Found:
    """NPV of owning for three years of yearly flows, one input moved by 20 % at a time."""
    base, years, rate = given["base"], given["years"], given["annual_rate"]
    owned = fleet(given)

    def worth(at: Mapping[str, D]) -> D:
        moved = Fleet(
            nodes=1, gpus=owned.gpus, price=D(at["capex"]), years=owned.years,
            residual=at["residual"], busy_kw=owned.busy_kw, idle_kw=owned.idle_kw, pue=owned.pue,
            tariff=at["kwh"], operations=owned.operations, maintenance=owned.maintenance,
        )  # fmt: skip
        rent = 8760 * moved.gpus * at["util"] * at["rent"]
        running = moved.total(at["util"]) - moved.capital(D(0))
        flows = [-moved.capex, *[rent - running] * years]
        flows[-1] += moved.capex * moved.residual
        return npv(rate, flows)

    ranges = {name: risk.swing_of(D(value), given["swing"]) for name, value in base.items()}
    rows = risk.tornado(worth, base, ranges)
    return {
        "base_npv": worth(base),
        "rows": [
            {"driver": row.driver, "low": row.low, "high": row.high, "span": row.span}
            for row in rows
        ],
    }


def risk_05(given: Any) -> Found:
    """The closed forms, and 20,000 draws that agree with them within four standard errors."""
    shape = risk.Triangular(D(given["low"]), D(given["mode"]), D(given["high"]))
    seeded = random.Random(20261122)
    draws = [
        seeded.triangular(given["low"], given["high"], given["mode"]) for _ in range(20_000)
    ]  # fmt: skip
    error = stdev(draws) / len(draws) ** 0.5
    assert abs(fmean(draws) - float(shape.mean)) < 4 * error
    below = float(shape.below(D(0)))
    counted = fmean(draw < 0 for draw in draws)
    assert abs(counted - below) < 4 * (below * (1 - below) / len(draws)) ** 0.5
    return {
        "mean": shape.mean,
        "p_negative": shape.below(D(0)),
        "p5": shape.quantile(D("0.05")),
        "p95": shape.quantile(D("0.95")),
    }


def risk_06(given: Any) -> Found:
    choice = risk.Waiting(
        given["p_up"], D(given["npv_up"]), D(given["npv_down"]), given["rate"]
    )  # fmt: skip
    return {
        "npv_now": choice.now,
        "npv_wait": choice.later,
        "value_of_waiting": choice.value,
    }


def fmt_01(given: Any) -> Found:
    lines = given["lines"]
    assert D(1).scaleb(-given["decimals"]) == CENT
    shown = footed(lines)
    assert sum(shown) == given["total"]
    other = [shown[1], shown[0], *shown[2:]]
    return {
        "naive_half_even_sum": sum(line.quantize(CENT, ROUND_HALF_EVEN) for line in lines),
        "largest_remainder_options": [shown, other],
        "total": sum(shown),
    }


def fmt_02(given: Any) -> Found:
    return {
        "minor_units": [minor_units(currency) for currency in given["currency"]],
        "half_even": [str(rounded(given["value"], currency)) for currency in given["currency"]],
    }


def _offer(price: D, seen: date) -> Offer:
    return Offer(
        provider="north", sku="A", instance_type="n1", region="eu-1", tier=Tier.SPECIALIST,
        gpu="RTX4090", gpu_count=1, interconnect="none", vcpu=D(8), ram_gb=D(32),
        purchase_model=PurchaseModel.ON_DEMAND, increment=Increment.HOUR, tenor=Tenor(),
        price=Money(price, "USD"), upfront=Money(D(0), "USD"), tax_included=False, min_units=1,
        max_units=None, max_gpus_per_host=1, observed_at=seen, valid_until=None, confidence="A",
        source="https://north.example/prices",
    )  # fmt: skip


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _record(store: PriceStore, row: Any) -> None:
    valid = datetime.fromisoformat(row["valid_from"]).replace(tzinfo=UTC)
    known = _moment(row["recorded_at"])
    offers = [] if row["price"] is None else [_offer(row["price"], valid.date())]
    if row.get("kind") == "correction":
        store.import_offers("north", offers, valid_from=valid, now=known, note="correction")
        return
    snapshot = Snapshot("https://north.example/prices", valid, row["valid_from"].encode())
    # A source that has withdrawn its last offer still answers: here with another one.
    listed = offers or [_replaced(valid.date())]
    table = ProviderTable("north", valid, (snapshot,), tuple(listed), ())
    store.publish(table, started_at=known, now=known)


def _replaced(seen: date) -> Offer:
    from dataclasses import replace

    return replace(_offer(D(9), seen), sku="B")


def asof_01(given: Any) -> Found:
    """Asked of the price store itself."""
    prices: list[D | None] = []
    states: list[str] = []
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "prices.db") as store:
        for row in sorted(given["rows"], key=lambda row: row["recorded_at"]):
            _record(store, row)
        for valid_on, known_at in given["queries"]:
            valid = datetime.fromisoformat(valid_on).replace(tzinfo=UTC)
            found = store.offers(as_of=valid, known_at=_moment(known_at)).get("north")
            prices.append(next((o.price.amount for o in found or () if o.sku == "A"), None))
            listed = prices[-1] is not None
            states.append("unknown-then" if not found else "ok" if listed else "withdrawn")
    return {"price": prices, "status": states}
