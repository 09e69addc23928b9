"""What ``rentopt size`` answers with, made of sizing and of prices. No text is made here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from optimizer.model_cards import ModelCard
from optimizer.sizing.compare import serving_candidates, training_candidates, usual_engine
from optimizer.sizing.estimate import size_service, size_training, speed_at
from optimizer.sizing.gang import TrainingOptions
from optimizer.sizing.measured import FORM_UNSTATED, InferenceRow
from optimizer.sizing.memory import MemoryBreakdown, serving_memory
from optimizer.sizing.remedies import Remedy as TrainingRemedy
from optimizer.sizing.remedies import remedies as training_remedies
from optimizer.sizing.results import Serving, SpeedAt, Training, Unfit
from optimizer.sizing.serving_remedies import Case, Remedy, remedies
from providers.hardware import NodeKind, accelerators
from providers.offers import Offer, OfferBook
from providers.terms import PurchaseModel

USERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class ServingQuestion:
    """Inference of one model by one replica."""

    model: str
    """Id, hub name or path, as `model_card` takes it."""
    precision: str
    engine: str | None
    """None: the usual one for the format and the hardware."""
    prompt_tokens: int
    output_tokens: int
    floor_tokens_per_s: float
    ttft_s: float | None
    users: int | None
    """Asked to be carried at once; None: as many as can be."""
    kv_precision: str
    offload_layers: int
    lengths_stated: bool
    """Whether the lengths of a request were asked for, or are the usual ones."""
    own_rows: tuple[InferenceRow, ...]
    """The user's own measurements."""


@dataclass(frozen=True, slots=True)
class TrainingQuestion:
    """Training of one model by `nodes` equal nodes."""

    model: str
    method: str
    nodes: int
    sequence_tokens: int
    micro_batch: int
    accumulation: int
    options: TrainingOptions


@dataclass(frozen=True, slots=True)
class Price:
    """The cheapest on-demand rent of a node."""

    node_hour: Decimal
    currency: str
    seller: str
    seen: str
    """Day."""
    quality: str


@dataclass(frozen=True, slots=True)
class Paces:
    """One replica at several numbers of users."""

    case: Case
    within: Serving | Unfit
    """Most users within the limits."""
    memory: MemoryBreakdown
    """At `planned` users."""
    planned: int
    most_users: int
    longest_prompt: int
    """Tokens that one more request may bring at `planned` users."""
    curve: tuple[SpeedAt, ...]
    price: Price | None


@dataclass(frozen=True, slots=True)
class OneServer:
    """One node: the paces, or why it cannot be and what would do."""

    kind: NodeKind
    engine: str
    paces: Paces | None
    reason: str
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One kind of hardware that does it."""

    kind: NodeKind
    engine: str
    result: Serving | Training
    price: Price | None
    per_million: Decimal | None
    """Cost of a million tokens (output tokens in inference); None without a price."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every kind of hardware: those that do it, cheapest token first, and why the others do not."""

    ranked: tuple[Ranked, ...]
    unfit: tuple[tuple[NodeKind, str], ...]
    remedies: tuple[TrainingRemedy, ...] = ()
    """Training on one kind of node that does not fit: what would."""


@dataclass(frozen=True, slots=True)
class Prices:
    """On-demand rent by node, in one currency."""

    book: OfferBook
    currency: str

    def of(self, kind: NodeKind) -> Price | None:
        """The cheapest on-demand price of quality A or B."""
        fitting = [offer for offer in self.book.offers if _on_demand(offer, kind)]
        if not fitting:
            return None
        best = min(fitting, key=lambda o: (self.book.per_gpu_hour(o, self.currency), o.sku))
        return Price(
            node_hour=self.book.per_gpu_hour(best, self.currency) * kind.count,
            currency=self.currency,
            seller=f"{best.provider} {best.region}".strip(),
            seen=best.observed_at.isoformat(),
            quality=best.confidence,
        )


def per_million(price: Price | None, tokens_per_s: float, nodes: int = 1) -> Decimal | None:
    """Cost of a million tokens; None without a price."""
    if price is None or tokens_per_s <= 0:
        return None
    cost = price.node_hour * nodes / Decimal(tokens_per_s) / 3600 * 1_000_000
    return cost.quantize(Decimal("0.01"))


def _on_demand(offer: Offer, kind: NodeKind) -> bool:
    """Whether so many GPUs of the kind come on one host; an unstated form factor is SXM."""
    if offer.purchase_model is not PurchaseModel.ON_DEMAND or offer.confidence not in ("A", "B"):
        return False
    same = FORM_UNSTATED.get(offer.gpu, offer.gpu) == FORM_UNSTATED.get(kind.gpu, kind.gpu)
    several = kind.count % offer.gpu_count == 0 and kind.count <= offer.max_gpus_per_host
    return same and several


def one_server(
    asked: ServingQuestion, card: ModelCard, kind: NodeKind, prices: Prices
) -> OneServer:
    """Paces and memory of one node."""

    engine = asked.engine or usual_engine(asked.precision, kind.gpu)
    case = Case(
        card,
        asked.precision,
        engine,
        accelerators()[kind.gpu],
        kind.count,
        asked.users or 1,
        asked.prompt_tokens,
        asked.output_tokens,
        asked.kv_precision,
        asked.offload_layers,
    )
    options: dict[str, Any] = {
        "prompt_tokens": asked.prompt_tokens,
        "output_tokens": asked.output_tokens,
        "kv_precision": asked.kv_precision,
        "offload_layers": asked.offload_layers,
        "own_rows": asked.own_rows,
        "lengths_stated": asked.lengths_stated,
    }
    cell = (asked.model, asked.precision, engine, kind.gpu, kind.count)
    alone = speed_at(*cell, 1, **options)
    if isinstance(alone, Unfit):
        return OneServer(kind, engine, None, alone.reason, tuple(remedies(case)))
    if not case.fits:
        reason = f"the cache holds {case.most_users} requests of {case.length} tokens at once, "
        reason += f"and {case.users} were asked for"
        return OneServer(kind, engine, None, reason, tuple(remedies(case)))
    within = size_service(
        *cell, floor_tokens_per_s=asked.floor_tokens_per_s, ttft_s=asked.ttft_s, **options
    )
    planned = asked.users or (within.users if isinstance(within, Serving) else 1)
    # Measured numbers of users stand, also where they were shorter requests than these.
    planned = min(planned, case.most_users)
    paces = [speed_at(*cell, users, **options) for users in sorted({*USERS, planned})]
    curve = tuple(pace for pace in paces if isinstance(pace, SpeedAt))
    last = next((i for i, pace in enumerate(curve) if pace.running < pace.users), len(curve))
    memory = serving_memory(
        card,
        asked.precision,
        engine,
        case.gpu,
        kind.count,
        users=planned,
        prompt_tokens=asked.prompt_tokens,
        output_tokens=asked.output_tokens,
        kv_precision=asked.kv_precision,
        offload_layers=asked.offload_layers,
    )
    lies = case.lies
    found = Paces(
        case=replace(case, users=planned),
        within=within,
        memory=memory,
        planned=planned,
        most_users=case.most_users,
        longest_prompt=lies.longest_prompt(planned, case.length, reserve=asked.output_tokens),
        curve=curve[: max(last + 1, curve.index(next(p for p in curve if p.users == planned)) + 1)],
        price=prices.of(kind),
    )
    return OneServer(kind, engine, found, "", ())


def every_server(asked: ServingQuestion, prices: Prices) -> Ranking:
    """The smallest node of every kind that keeps the limits."""
    ranked: list[Ranked] = []
    unfit: list[tuple[NodeKind, str]] = []
    for entry in serving_candidates(
        asked.model,
        asked.precision,
        asked.engine,
        prompt_tokens=asked.prompt_tokens,
        output_tokens=asked.output_tokens,
        floor_tokens_per_s=asked.floor_tokens_per_s,
        ttft_s=asked.ttft_s,
        kv_precision=asked.kv_precision,
        offload_layers=asked.offload_layers,
        least_users=asked.users or 1,
        own_rows=asked.own_rows,
        lengths_stated=asked.lengths_stated,
    ):
        sized = entry.result
        if isinstance(sized, Unfit):
            unfit.append((entry.kind, sized.reason))
        elif isinstance(sized, Serving):
            price = prices.of(entry.kind)
            cost = per_million(price, sized.output_tokens_per_s)
            ranked.append(Ranked(entry.kind, entry.engine, sized, price, cost))
    return _ranking(ranked, unfit)


def trained(asked: TrainingQuestion, kind: NodeKind | None, prices: Prices) -> Ranking:
    """Speed of one gang, or of the smallest node of every kind that holds the states."""
    options: dict[str, Any] = {
        "sequence_tokens": asked.sequence_tokens,
        "micro_batch": asked.micro_batch,
        "accumulation": asked.accumulation,
        "options": asked.options,
    }
    found: list[tuple[NodeKind, Any]]
    if kind is not None:
        cell = (asked.model, asked.method, kind.gpu, kind.count, asked.nodes)
        found = [(kind, size_training(*cell, **options))]
    else:
        entries = training_candidates(asked.model, asked.method, asked.nodes, **options)
        found = [(entry.kind, entry.result) for entry in entries]
    ranked: list[Ranked] = []
    unfit: list[tuple[NodeKind, str]] = []
    for node, sized in found:
        if isinstance(sized, Unfit):
            unfit.append((node, sized.reason))
        else:
            price = prices.of(node)
            cost = per_million(price, sized.tokens_per_s, asked.nodes)
            ranked.append(Ranked(node, "", sized, price, cost))
    answer = _ranking(ranked, unfit)
    if kind is None or ranked:
        return answer
    cell = (asked.model, asked.method, kind.gpu, kind.count, asked.nodes)
    return replace(answer, remedies=training_remedies(*cell, **options))


def _ranking(ranked: list[Ranked], unfit: list[tuple[NodeKind, str]]) -> Ranking:
    """Cheapest token first; hardware without a price last, by speed."""

    def order(entry: Ranked) -> tuple[bool, Decimal, float, str]:
        result = entry.result
        speed = result.output_tokens_per_s if isinstance(result, Serving) else result.tokens_per_s
        cost = entry.per_million
        return cost is None, cost or Decimal(0), -speed, str(entry.kind)

    return Ranking(tuple(sorted(ranked, key=order)), tuple(unfit))
