"""``rentopt size`` as a table, CSV or Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from optimizer.report.size.answers import OneServer, Paces, Price, Ranking, per_million
from optimizer.report.tables import Column, render
from optimizer.sizing.memory import MemoryBreakdown
from optimizer.sizing.remedies import Remedy as TrainingRemedy
from optimizer.sizing.results import Serving, Training, Unfit
from providers.hardware import NodeKind

NO_PRICE = "no price known"
TRAINED = "/M: a million tokens trained on"
EACH = "each: tokens/s of one user; /M: a million output tokens"


def server_table(answer: OneServer, currency: str, format: str, *, provenance: bool) -> str:
    """The paces of one node; empty where it does not fit."""
    if answer.paces is None:
        return ""
    price = answer.paces.price
    columns: list[str | Column] = [
        Column("users", right=True),
        Column("at once", right=True),
        Column("each", right=True),
        Column("tokens/s", right=True),
        Column("first token s", right=True),
        Column(f"{currency}/M", right=True),
        "label",
    ]
    rows = [
        (
            pace.users,
            pace.running,
            f"{pace.tokens_per_s_per_user:.1f}",
            f"{pace.output_tokens_per_s:.1f}",
            f"{pace.ttft_s:.2f}",
            _amount(per_million(price, pace.output_tokens_per_s)),
            pace.label,
            *([pace.provenance] if provenance else []),
        )
        for pace in answer.paces.curve
    ]
    return render([*columns, *(["provenance"] if provenance else [])], rows, format)


def server_facts(answer: OneServer) -> Iterator[str]:
    """What stands beside the paces: does it fit, what it takes, what would do."""
    if answer.paces is None:
        yield f"fits: no; {answer.reason}"
        if answer.remedies:
            yield "it fits with any one of:"
            for remedy in answer.remedies:
                yield f"  {remedy.words}"
        else:
            yield "no single change of precision, cache, context, layers or cards makes it fit"
        return
    paces = answer.paces
    yield f"fits: yes, {answer.engine} on {answer.kind}"
    yield from _limits(paces)
    yield from _memory(paces)
    yield f"price: {price_words(paces.price)}"
    yield EACH


def _limits(paces: Paces) -> Iterator[str]:
    if isinstance(paces.within, Unfit):
        yield f"users within the limits: none; {paces.within.reason}"
        return
    within = paces.within
    yield (
        f"users within the limits: {within.users}, {within.tokens_per_s_per_user:.1f} tokens/s "
        f"each, {within.requests_per_s:.3g} requests/s, {within.label}"
    )
    yield (
        f"expected: {within.band.low:.2f} to {within.band.high:.2f} of that pace in eight of ten "
        f"such figures; the formulas alone: {within.modelled_tokens_per_s_per_user:.1f}"
    )
    if within.users > paces.most_users:
        yield (
            f"but by the formulas memory holds {paces.most_users} such requests at once: those "
            "measured may have been shorter; state your lengths (--prompt-tokens, --output-tokens)"
        )


def _memory(paces: Paces) -> Iterator[str]:
    case, memory = paces.case, paces.memory
    yield f"memory of {paces.planned} x {case.length} tokens: {memory_words(memory)}"
    yield f"claimed: {memory.claimed_gb:.1f} GB, what the card's own tools show"
    if memory.host_gb >= 0.05:
        yield f"host memory: {memory.host_gb:.1f} GB of weights and cache"
    left = f"a prompt of {paces.longest_prompt} tokens" if paces.longest_prompt else "nothing more"
    yield f"room: {paces.most_users} such requests at once; beside {paces.planned}, {left}"


def memory_words(memory: MemoryBreakdown) -> str:
    parts = {
        "weights": memory.weights_gb,
        "KV cache": memory.kv_cache_gb,
        "work": memory.activations_gb,
        "gradients and optimizer": memory.states_gb,
        "engine": memory.overhead_gb,
    }
    held = " + ".join(f"{name} {value:.1f}" for name, value in parts.items() if value >= 0.05)
    return f"{held} = {memory.required_gb:.1f} of {memory.available_gb:.1f} GB"


def price_words(price: Price | None) -> str:
    if price is None:
        return NO_PRICE
    what = f"{price.node_hour:.2f} {price.currency}/hour, {price.seller}"
    return f"{what}, seen {price.seen}, quality {price.quality}"


def ranking_table(answer: Ranking, currency: str, format: str, *, provenance: bool) -> str:
    """Hardware that does it, cheapest token first."""
    serving = any(isinstance(entry.result, Serving) for entry in answer.ranked)
    columns: list[str | Column] = ["hardware"]
    if serving:
        columns += ["engine", Column("users", right=True), Column("each", right=True)]
    columns += [Column("tokens/s", right=True)]
    if not serving:
        columns += [Column("MFU %", right=True)]
    columns += [
        Column("GB" if serving else "GB a GPU", right=True),
        Column("of", right=True),
        Column(f"{currency}/M", right=True),
        Column(f"{currency}/hour", right=True),
        "label",
        *(["price", "provenance"] if provenance else []),
    ]
    rows: list[Sequence[object]] = []
    for entry in answer.ranked:
        result = entry.result
        cells: list[object] = [entry.kind]
        if isinstance(result, Serving):
            cells += [entry.engine, result.users, f"{result.tokens_per_s_per_user:.1f}"]
            cells.append(f"{result.output_tokens_per_s:.1f}")
        else:
            cells += [f"{result.tokens_per_s:.1f}", f"{100 * result.mfu:.1f}"]
        hourly = entry.price.node_hour if entry.price else None
        cells += [
            f"{result.memory.required_gb:.1f}",
            f"{result.memory.available_gb:.1f}",
            _amount(entry.per_million),
            _amount(hourly and hourly.quantize(Decimal("0.01"))),
            result.label,
        ]
        if provenance:
            cells += [price_words(entry.price), result.provenance]
        rows.append(cells)
    return render(columns, rows, format) if rows else ""


def ranking_facts(answer: Ranking, kind: NodeKind | None, *, reasons: bool) -> Iterator[str]:
    if kind is not None and answer.ranked:
        (entry,) = answer.ranked
        yield f"memory of each GPU: {memory_words(entry.result.memory)}"
        if isinstance(entry.result, Training):
            yield f"how: {entry.result.how}"
            yield (
                f"expected error: {entry.result.error_median:.0%} in half of such cases, less than "
                f"{entry.result.error_p90:.0%} in nine of ten"
            )
        yield f"price of a node: {price_words(entry.price)}"
    elif kind is not None:
        yield f"fits: no; {answer.unfit[0][1]}"
        if answer.remedies:
            yield "it fits with any one of:"
        for remedy in answer.remedies:
            yield f"  {training_remedy_words(remedy)}"
        return
    else:
        yield f"{len(answer.ranked)} kinds of hardware, each with the fewest GPUs that do it"
        serving = any(isinstance(entry.result, Serving) for entry in answer.ranked)
        if answer.ranked:
            yield EACH if serving else TRAINED
        if any(entry.price is None for entry in answer.ranked):
            yield f"-: {NO_PRICE}"
    if reasons:
        for node, reason in answer.unfit:
            yield f"{node}: {reason}"
    elif answer.unfit:
        yield f"{len(answer.unfit)} kinds of hardware are out; --explain says why"


def training_remedy_words(remedy: TrainingRemedy) -> str:
    """The change, and what it takes and gives."""
    memory, speed = remedy.way.memory, remedy.way.speed
    pace = f", {speed.tokens_per_s:.0f} tokens/s" if speed else ""
    nodes = f"{remedy.nodes} node{'' if remedy.nodes == 1 else 's'}"
    held = f"{memory.required_gb:.1f} of {memory.available_gb:.1f} GB a GPU"
    return f"{remedy.change} ({nodes}, {held}{pace}; {remedy.way.words})"


def _amount(value: Decimal | None) -> str:
    return "-" if value is None else str(value)
