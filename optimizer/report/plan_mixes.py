"""Services whose requests come in several sizes: what serves which size, and what each costs."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from optimizer.plans import BucketUse, Plan, ReplicaUse
from optimizer.report.money_text import footed_text, hours_number, money, percent
from optimizer.report.section import Section
from optimizer.report.tables import Column


def mixes(plan: Plan) -> list[Section]:
    """For every such service its sizes, then how full its replicas are."""
    by_service: dict[str, list[BucketUse]] = defaultdict(list)
    for line in plan.bucket_use:
        by_service[line.workload].append(line)
    found = [_sizes(plan, name, lines) for name, lines in by_service.items()]
    return [*found, _replicas(plan)] if found else []


def _sizes(plan: Plan, name: str, lines: list[BucketUse]) -> Section:
    """A row for each size, a column for each thing that serves requests, the busiest first."""
    served: dict[str, Decimal] = defaultdict(Decimal)
    by_bucket: dict[str, list[BucketUse]] = defaultdict(list)
    for line in lines:
        served[_means(line)] += line.requests
        by_bucket[line.bucket].append(line)
    means = sorted(served, key=lambda each: (-served[each], each))
    costs = [sum((line.cost for line in group), Decimal(0)) for group in by_bucket.values()]
    whole = sum(served.values(), Decimal(0))
    rows = []
    for (bucket, group), cost, text in zip(
        by_bucket.items(), costs, footed_text(costs), strict=True
    ):
        rows.append(_row(bucket, group, means, whole, [text, cost]))
    rows.append(_row("all", lines, means, whole, [money(sum(costs, Decimal(0))), sum(costs)]))
    columns: list[str | Column] = ["prompt/answer tokens"]
    columns += [
        Column(title, right=True)
        for title in ("of requests", *means, f"cost {plan.currency}", "per 1,000")
    ]
    return Section(f"Sizes of requests of '{name}'", columns, rows)


def _row(
    bucket: str, lines: list[BucketUse], means: list[str], whole: Decimal, cost: list[object]
) -> list[str]:
    requests = sum((line.requests for line in lines), Decimal(0))
    mine: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        mine[_means(line)] += line.requests
    shares = [percent(mine[each] / requests) if each in mine else "" for each in means]
    text, exact = cost
    assert isinstance(exact, Decimal)
    each = f"{exact / requests * 1000:,.4f}"
    return [bucket, percent(requests / whole), *shares, str(text), each]


def _means(line: BucketUse | ReplicaUse) -> str:
    """Hardware as a reader tells it apart: a replica may take a part of a node."""
    gpus = f" ({line.gpus} GPU{'' if line.gpus == 1 else 's'})" if line.gpus else ""
    whole = line.node.startswith(f"{line.gpus}x")
    return f"{line.node}{'' if whole else gpus}{' spot' if line.spot else ''}"


def _replicas(plan: Plan) -> Section:
    rows = [
        [
            line.workload,
            _means(line),
            hours_number(line.replica_hours),
            hours_number(line.busy_hours),
            percent(line.utilisation),
        ]
        for line in plan.replica_use
    ]
    columns = ["service", "replicas on"]
    right = [Column(title, right=True) for title in ("replica-hours", "at work", "share")]
    note = "at work on the requests alone; headroom, and whole replicas, are the rest"
    return Section("Work of replicas", [*columns, *right], rows, notes=(note,))
