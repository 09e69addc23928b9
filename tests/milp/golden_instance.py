"""One small instance on which every family of constraints has a row, and its rows as text.

Run it as a script to write the golden files again; say in the commit why the maths changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from optimizer.milp.constraints import FAMILIES, add_active
from optimizer.milp.instance import (
    ApiOption,
    Asset,
    Choice,
    GangOption,
    HourlyOffer,
    Instance,
    Job,
    Limits,
    Lot,
    Quota,
    ReplicaOption,
    Service,
    SlicePoint,
    Start,
    TermOffer,
)
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.merge import merge_days
from optimizer.milp.variables import add_variables

GOLDEN = Path(__file__).parent / "golden"
DAYS = 8


def golden_instance() -> Instance:
    """Eight days of 24 hours; the first two have work. Two pools, and one of everything."""
    always = tuple((t, 1.0) for t in range(DAYS))
    day = TermOffer(
        "day",
        0,
        "shop",
        (Start(0, 50.0, ((0, 1.0),), ((0, 50.0),), 1), Start(1, 50.0, ((1, 1.0),), (), 2)),
        stock=4.0,
        least=2,
    )
    week = TermOffer("week", 0, "shop", (Start(0, 200.0, always, ((0, 200.0),), DAYS),), stock=3.0)
    hour = HourlyOffer("hour", 1, "cloud", (3.0,) * DAYS, 3.0, stock=2.0)
    free_hour = HourlyOffer("free hour", 1, "cloud", (4.0,) * DAYS, 4.0)
    held = tuple((t, 1.0) for t in range(1, DAYS))
    house = Asset(
        "house",
        0,
        (1.0,) * DAYS,
        (Start(0, 90.0, held, ((0, 120.0), (1, -30.0)), DAYS),),
        2.0,
        (1.5,) * DAYS,
        (1.5,) * DAYS,
        kilowatts=1.2,
        rack_units=4.0,
    )
    chat = Service(
        "chat",
        (5.0, 3.0) + (0.0,) * 6,
        0.2,
        (ReplicaOption(0, 0.5, 2.0), ReplicaOption(1, 1.0, 3.0)),
        (),
        2,
    )
    overflow = Service(
        "overflow",
        (0.5,) + (0.0,) * 7,
        0.0,
        (ReplicaOption(1, 1.0, 3.0),),
        (ApiOption("api", (2.0,) * DAYS, (2.0,) * DAYS),),
    )
    sizes = Service(
        "sizes",
        (4.0,) + (0.0,) * 7,
        0.25,
        (ReplicaOption(0, 0.5, 0.0, (8.0, 0.0)), ReplicaOption(1, 1.0, 0.0, (5.0, 1.0))),
        (ApiOption("api", (2.0,) * DAYS, (2.0,) * DAYS, bucket=1),),
        buckets=(0.75, 0.25),
    )
    worthy = replace(
        sizes, name="worthy", load=(2.0,) + (0.0,) * 7, worths=((1.0, 1.0), (0.4, 2.8))
    )
    train = Job(
        "train",
        48.0,
        0,
        1,
        (
            GangOption(0, 1, 1.0, "own"),
            GangOption(0, 2, 1.8, "shop", rented=True),
            GangOption(1, 1, 2.0, "cloud", 1, (4.0,) * DAYS, 4.0, rented=True),
            GangOption(1, 1, 2.0, "gift", rented=True, quota=0),
        ),
        move_cost=7.0,
        move_cash=7.0,
    )
    ways = (GangOption(0, 1, 1.0), GangOption(1, 1, 1.0, "cloud", 1, (4.0,) * DAYS, 4.0, True))
    evaluate = Job("evaluate", 30.0, 0, 2, ways, contiguous=True, after=(0,))
    return Instance(
        period_days=(1,) * DAYS,
        slices=tuple(SlicePoint(t, 24.0) for t in range(DAYS)),
        pools=("4xB", "1xS"),
        month_of_period=(0,) * 4 + (1,) * 4,
        term_offers=(day, week),
        hourly_offers=(hour, free_hour),
        assets=(house,),
        quotas=(Quota("gift", 1, (1.0,) * DAYS, 20.0),),
        lots=(Lot("sku", 5.0, ((0, 1), (1, 2)), ((0, 1),)),),
        services=(chat, overflow, sizes, worthy),
        jobs=(train, evaluate),
        limits=Limits((400.0, 300.0), 650.0, (10.0, 20.0), 3.0, 10.0, 2.0),
        least_bought=(((0,), 1),),
        choices=(
            Choice("shop", terms=(0, 1), counted=True),
            Choice("cloud", hourly=(0, 1), apis=((1, 0),), counted=True),
            Choice("more houses", assets=(0,), beyond=1, charge=5.0),
            Choice("fewer houses", assets=(0,), fewer=1, charge=5.0),
            Choice("the week", terms=(1,), hourly=(1,), apis=((1, 0),), assets=(0,), least=1.0),
        ),
    )


def rows_by_family() -> dict[str, str]:
    """Family → the rows it adds, one a line; of the merged days where the days have none."""
    data = golden_instance()
    merged = merge_days(data, 7).instance
    daily, weekly = _rows(data), _rows(merged)
    return {name: rows or "merged days\n" + weekly[name] for name, rows in daily.items()}


def _rows(data: Instance) -> dict[str, str]:
    model = LinearModel()
    v = add_variables(model, data)
    before = len(model.row_names)
    active = add_active(model, v, data)
    found = {"active": _text(model, before)}
    for add_family in FAMILIES:
        before = len(model.row_names)
        add_family(model, v, data, active)
        found[family_name(add_family)] = _text(model, before)
    return found


def _text(model: LinearModel, before: int) -> str:
    """Rows after the first `before`, in the order of their names' first letters."""
    added = dict.fromkeys(name.split("[")[0] for name in model.row_names[before:])
    return "".join(model.text(prefix) for prefix in added)


def family_name(add_family: Callable[..., None]) -> str:
    return add_family.__name__.removeprefix("add_")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in rows_by_family().items():
        (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")
