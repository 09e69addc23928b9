"""A plan made by hand that has a little of everything a plan can hold."""

from datetime import date
from decimal import Decimal

from optimizer.plans import (
    Answer,
    Assignment,
    Bought,
    BucketUse,
    LedgerLine,
    Plan,
    PoolUse,
    Rental,
    ReplicaUse,
    Route,
    Usage,
)
from providers.offers import PriceSource

FIRST = date(2026, 12, 1)
END = date(2026, 12, 31)


def rental(**changes) -> Rental:
    values = {
        "offer": "acme/A800/cn/on_demand", "provider": "acme", "region": "cn",
        "tier": "specialist", "purchase_model": "on_demand", "node": "8xA800-80GB",
        "units_per_node": 8, "nodes": 2, "start": date(2026, 12, 3), "end": date(2026, 12, 5),
        "terms": 0, "hours": "08-20", "hours_per_day": 5, "workload": "tune",
        "quoted": "5 CNY/hour", "cost": Decimal("800.005"), "observed_at": date(2026, 7, 1),
        "age_days": 144, "confidence": "B", "source": "a [price] page",
    }  # fmt: skip
    return Rental(**{**values, **changes})


def package(**changes) -> Rental:
    values = {
        "offer": "acme/4090/cn/prepaid/P30D", "purchase_model": "prepaid", "node": "1xRTX4090",
        "units_per_node": 1, "nodes": 3, "start": FIRST, "end": END, "terms": 1,
        "hours": "00-24", "hours_per_day": 24, "workload": "", "quoted": "1052 CNY/month",
        "cost": Decimal("3156"), "age_days": 20, "observed_at": date(2026, 11, 2),
    }  # fmt: skip
    return rental(**{**values, **changes})


def assignment(**changes) -> Assignment:
    values = {
        "workload": "chat", "node": "1xRTX4090", "spot": False, "gpus": 1, "count": 3,
        "load": Decimal(0), "site": "", "start": FIRST, "end": END, "hours": "08-20",
        "label": "measured",
    }  # fmt: skip
    return Assignment(**{**values, **changes})


def sample(**changes) -> Plan:
    values = {
        "name": "all sorts", "schedule": "all-sorts.yaml", "schedule_sha256": "0" * 64,
        "currency": "CNY", "as_of": date(2026, 11, 22), "tables": ("current", "mine.csv"),
        "price_sources": (PriceSource("current", "1" * 64), PriceSource("mine.csv", "2" * 64)),
        "prices_known_at": None,
        "fx": ("1 USD = 7.1 CNY on 2026-11-20 (central bank)",), "first_day": FIRST, "n_days": 30,
        "answers": (
            Answer("rent", Decimal("9000"), Decimal("8990"), Decimal("8990"), 0.0),
            Answer("own", None, None, None, None, "no plan exists:\n  'tune': nothing fits"),
            Answer("mix", Decimal("8012.005"), Decimal("8000"), Decimal("7960.004"), 0.005, "", 1),
        ),
        "rentals": (package(), rental()),
        "bought": (
            Bought("buy 2xRTX4090", "2xRTX4090", 1, FIRST, date(2026, 12, 8), END,
                   Decimal("40000"), Decimal("36000"), "a shop"),
        ),
        "assignments": (
            assignment(),
            assignment(node="acme/big-model", gpus=0, count=0, load=Decimal("1.5"),
                       start=date(2026, 12, 20), label="api"),
            assignment(workload="tune", node="8xA800-80GB", gpus=16, count=2, site="acme/cn",
                       start=date(2026, 12, 3), end=date(2026, 12, 5), label="modelled"),
        ),
        "usages": (
            Usage("buy 2xRTX4090", Decimal("0.5"), date(2026, 12, 8), END, "08-20", 12, ""),
        ),
        "moved": ("tune",),
        "ledger": (
            LedgerLine("api", "acme/big-model", Decimal("56"), Decimal("55.9")),
            LedgerLine("purchase", "buy 2xRTX4090", Decimal("40000"), Decimal("40000")),
            LedgerLine("rent", "acme/4090/cn/prepaid/P30D", Decimal("3156"), Decimal("3156")),
            LedgerLine("rent", "acme/A800/cn/on_demand", Decimal("800.005"), Decimal("799.1")),
            LedgerLine("resale", "buy 2xRTX4090", Decimal("-36000"), Decimal("-36011")),
        ),
        "by_workload": (
            ("(idle)", Decimal("4000")), ("chat", Decimal("3212")), ("tune", Decimal("800.005")),
        ),
        "cash_flow": (("2026-12", Decimal("44012.005")), ("after", Decimal("-36000"))),
        "utilisation": (PoolUse("1xRTX4090", Decimal(2160), Decimal(1080)),),
        "routes": (
            Route("chat", "0-500/200", "1xRTX4090", False, 1, Decimal("0.75"), FIRST, END, "00-24"),
        ),
        "bucket_use": (
            BucketUse(
                "chat", "0-500/200", "1xRTX4090", False, 1,
                Decimal(750_000), Decimal(600), Decimal(2112),
            ),
            BucketUse(
                "chat", "0-500/200", "4xRTX4090", True, 2,
                Decimal(250_000), Decimal(150), Decimal(900),
            ),
            BucketUse(
                "chat", "8000/800", "acme/large", False, 0,
                Decimal(20_000), Decimal(0), Decimal(200),
            ),
        ),
        "replica_use": (
            ReplicaUse("chat", "1xRTX4090", False, 1, Decimal(1080), Decimal(600)),
            ReplicaUse("chat", "4xRTX4090", True, 2, Decimal(200), Decimal(150)),
        ),
        "total": Decimal("8012.005"), "npv": Decimal("8000"), "bound": Decimal("7960.004"),
        "gap": 0.005,
        "warnings": ("the price of acme/A800/cn/on_demand is 144 days old; renew it",),
        "rejected": (
            ("chat", "1xT4", "weights of 41.5 GB do not fit 1 x T4 (16 GB each)"),
            ("chat", "1xV100", "weights of 41.5 GB do not fit 1 x V100 (16 GB each)"),
            ("tune", "1xA800-80GB", "has 1 GPUs, the workload asks for 8"),
        ),
        "excluded": (("low confidence", 3), ("region not wanted", 40)),
        "breakeven": (
            {"kind": "pair", "subject": "2xRTX4090", "against": "acme", "basis": "economic",
             "quantity": "utilisation", "unit": "h/day", "now": "12", "break_even": "17.2496",
             "meaning": "owning pays from 17.2 h/day"},
            {"kind": "pair", "subject": "2xRTX4090", "against": "acme",
             "quantity": "residual value",
             "unit": "x", "now": None, "break_even": None, "meaning": "never pays"},
        ),
        "timings_s": (("solve", 1.5),),
    }  # fmt: skip
    return Plan(**{**values, **changes})
