"""What ``rentopt size`` shows: rows and facts, made of sizing and of prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from optimizer.sizing.compare import serving_candidates, training_candidates, usual_engine
from optimizer.sizing.estimate import size_service, size_training, speed_at
from optimizer.sizing.gang import TrainingOptions
from optimizer.sizing.measured import FORM_UNSTATED
from optimizer.sizing.memory import MemoryBreakdown
from optimizer.sizing.remedies import remedies
from optimizer.sizing.results import Serving, Training, Unfit
from providers.hardware import NodeKind
from providers.offers import Offer, OfferBook
from providers.terms import PurchaseModel

USERS = (1, 2, 4, 8, 16, 32, 64)
NO_PRICE = "no price known"

Row = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class ServingQuestion:
    """Inference of one model by one replica."""

    model: str
    precision: str
    engine: str | None
    """None: the usual one for the format and the hardware."""
    prompt_tokens: int
    output_tokens: int
    floor_tokens_per_s: float
    ttft_s: float | None


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
class Answer:
    """Rows of equal columns, facts that stand beside them, and hardware that is out."""

    facts: dict[str, str]
    rows: list[Row]
    unfit: Sequence[tuple[str, str]] = ()
    """Hardware and reason."""


@dataclass(frozen=True, slots=True)
class Prices:
    """On-demand rent by node, in one currency."""

    book: OfferBook
    currency: str

    def node_hour(self, kind: NodeKind) -> tuple[Decimal | None, str]:
        """The cheapest on-demand price of quality A or B, and whose it is."""
        fitting = [offer for offer in self.book.offers if _on_demand(offer, kind)]
        if not fitting:
            return None, NO_PRICE
        best = min(fitting, key=lambda o: (self.book.per_gpu_hour(o, self.currency), o.sku))
        hourly = self.book.per_gpu_hour(best, self.currency) * kind.count
        seller = f"{best.provider} {best.region}".strip()
        what = f"{hourly:.2f} {self.currency}/hour"
        return hourly, f"{what}, {seller}, seen {best.observed_at}, quality {best.confidence}"

    def per_million(self, node_hour: Decimal | None, tokens_per_s: float) -> str | None:
        """Cost of a million tokens; None without a price."""
        if node_hour is None or tokens_per_s <= 0:
            return None
        return f"{node_hour / Decimal(tokens_per_s) / 3600 * 1_000_000:.2f}"


def _on_demand(offer: Offer, kind: NodeKind) -> bool:
    """Whether so many GPUs of the kind come on one host; an unstated form factor is SXM."""
    if offer.purchase_model is not PurchaseModel.ON_DEMAND or offer.confidence not in ("A", "B"):
        return False
    same = FORM_UNSTATED.get(offer.gpu, offer.gpu) == FORM_UNSTATED.get(kind.gpu, kind.gpu)
    several = kind.count % offer.gpu_count == 0 and kind.count <= offer.max_gpus_per_host
    return same and several


def serving_answer(asked: ServingQuestion, kind: NodeKind | None, prices: Prices) -> Answer:
    """Paces on one node, or the smallest node of every kind that keeps the limits."""
    if kind is None:
        return _every_server(asked, prices)
    return _one_server(asked, kind, prices)


def _one_server(asked: ServingQuestion, kind: NodeKind, prices: Prices) -> Answer:
    engine = asked.engine or usual_engine(asked.precision, kind.gpu)
    sized = size_service(
        asked.model,
        asked.precision,
        engine,
        kind.gpu,
        kind.count,
        prompt_tokens=asked.prompt_tokens,
        output_tokens=asked.output_tokens,
        floor_tokens_per_s=asked.floor_tokens_per_s,
        ttft_s=asked.ttft_s,
    )
    node_hour, price = prices.node_hour(kind)
    rows: list[Row] = []
    for users in USERS:
        pace = speed_at(
            asked.model,
            asked.precision,
            engine,
            kind.gpu,
            kind.count,
            users,
            prompt_tokens=asked.prompt_tokens,
            output_tokens=asked.output_tokens,
        )
        if isinstance(pace, Unfit):
            facts = {"hardware": str(kind), "engine": engine, "fits": f"no: {pace.reason}"}
            return Answer(facts, [])
        rows.append(
            {
                "users": pace.users,
                "at once": pace.running,
                "tokens/s per user": round(pace.tokens_per_s_per_user, 1),
                "tokens/s": round(pace.output_tokens_per_s, 1),
                "first token s": round(pace.ttft_s, 2),
                f"{prices.currency} per million output tokens": prices.per_million(
                    node_hour, pace.output_tokens_per_s
                ),
                "label": pace.label,
                "provenance": pace.provenance,
            }
        )
    facts = {"hardware": str(kind), "engine": engine, "fits": "yes"}
    if isinstance(sized, Unfit):
        facts["users within the limits"] = f"none: {sized.reason}"
    else:
        facts["users within the limits"] = (
            f"{sized.users}, {sized.tokens_per_s_per_user:.1f} tokens/s each, "
            f"{sized.requests_per_s:.3f} requests/s, {sized.label}"
        )
        facts["memory at so many"] = _memory_words(sized.memory)
    return Answer(facts | {"price": price}, rows)


def _every_server(asked: ServingQuestion, prices: Prices) -> Answer:
    rows: list[Row] = []
    unfit: list[tuple[str, str]] = []
    for entry in serving_candidates(
        asked.model,
        asked.precision,
        asked.engine,
        prompt_tokens=asked.prompt_tokens,
        output_tokens=asked.output_tokens,
        floor_tokens_per_s=asked.floor_tokens_per_s,
        ttft_s=asked.ttft_s,
    ):
        sized = entry.result
        if isinstance(sized, Unfit):
            unfit.append((str(entry.kind), sized.reason))
        elif isinstance(sized, Serving):
            node_hour, price = prices.node_hour(entry.kind)
            rows.append(
                {
                    "hardware": str(entry.kind),
                    "engine": entry.engine,
                    "users": sized.users,
                    "tokens/s per user": round(sized.tokens_per_s_per_user, 1),
                    "tokens/s": round(sized.output_tokens_per_s, 1),
                    "memory GB": round(sized.memory.required_gb, 1),
                    "of GB": round(sized.memory.available_gb, 1),
                    f"{prices.currency} per million output tokens": prices.per_million(
                        node_hour, sized.output_tokens_per_s
                    ),
                    "label": sized.label,
                    "price": price,
                    "provenance": sized.provenance,
                }
            )
    return _ranked(rows, f"{prices.currency} per million output tokens", unfit)


def training_answer(asked: TrainingQuestion, kind: NodeKind | None, prices: Prices) -> Answer:
    """Speed of one gang, or of the smallest node of every kind that holds the states."""
    if kind is None:
        return _every_gang(asked, prices)
    sized = size_training(
        asked.model,
        asked.method,
        kind.gpu,
        kind.count,
        asked.nodes,
        sequence_tokens=asked.sequence_tokens,
        micro_batch=asked.micro_batch,
        accumulation=asked.accumulation,
        options=asked.options,
    )
    if isinstance(sized, Unfit):
        return _what_fits(asked, kind, sized, prices)
    facts = {"fits": "yes", "memory of each GPU": _memory_words(sized.memory)}
    if sized.host_gb:
        facts["host memory of a node"] = f"{sized.host_gb:.0f} GB beside the checkpoint"
    facts["expected error"] = (
        f"half of unseen runs are within {sized.error_median:.0%}, nine in ten within "
        f"{sized.error_p90:.0%}"
    )
    return Answer(facts, [_training_row(asked, kind, sized, prices)])


def _what_fits(asked: TrainingQuestion, kind: NodeKind, unfit: Unfit, prices: Prices) -> Answer:
    """Why it does not fit, and what would."""
    found = remedies(
        asked.model,
        asked.method,
        kind.gpu,
        kind.count,
        asked.nodes,
        sequence_tokens=asked.sequence_tokens,
        micro_batch=asked.micro_batch,
        accumulation=asked.accumulation,
        options=asked.options,
    )
    node_hour, _ = prices.node_hour(kind)
    rows: list[Row] = []
    for remedy in found:
        pace = remedy.way.speed.tokens_per_s if remedy.way.speed else 0.0
        gang_hour = None if node_hour is None else node_hour * remedy.nodes
        rows.append(
            {
                "what would fit": remedy.change,
                "nodes": remedy.nodes,
                "GB a GPU": round(remedy.way.memory.required_gb, 1),
                "of GB": round(remedy.way.memory.available_gb, 1),
                "tokens/s": round(pace, 1) if pace else None,
                f"{prices.currency} per million tokens": prices.per_million(gang_hour, pace),
                "how": remedy.way.words,
            }
        )
    facts = {"hardware": str(kind), "fits": f"no: {unfit.reason}"}
    if not rows:
        facts["what would fit"] = "nothing that was tried"
    return Answer(facts, rows)


def _every_gang(asked: TrainingQuestion, prices: Prices) -> Answer:
    rows: list[Row] = []
    unfit: list[tuple[str, str]] = []
    for entry in training_candidates(
        asked.model,
        asked.method,
        asked.nodes,
        sequence_tokens=asked.sequence_tokens,
        micro_batch=asked.micro_batch,
        accumulation=asked.accumulation,
        options=asked.options,
    ):
        if isinstance(entry.result, Unfit):
            unfit.append((str(entry.kind), entry.result.reason))
        elif isinstance(entry.result, Training):
            rows.append(_training_row(asked, entry.kind, entry.result, prices))
    return _ranked(rows, f"{prices.currency} per million tokens", unfit)


def _training_row(asked: TrainingQuestion, kind: NodeKind, sized: Training, prices: Prices) -> Row:
    node_hour, price = prices.node_hour(kind)
    gang_hour = None if node_hour is None else node_hour * asked.nodes
    return {
        "hardware": str(kind),
        "nodes": asked.nodes,
        "tokens/s": round(sized.tokens_per_s, 1),
        "MFU %": round(100 * sized.mfu, 1),
        "GB a GPU": round(sized.memory.required_gb, 1),
        "of GB": round(sized.memory.available_gb, 1),
        f"{prices.currency} per million tokens": prices.per_million(gang_hour, sized.tokens_per_s),
        "label": sized.label,
        "P90 error %": round(100 * sized.error_p90),
        "how": sized.how,
        "price": f"{price} a node" if node_hour is not None else price,
        "provenance": sized.provenance,
    }


def _ranked(rows: list[Row], cost: str, unfit: list[tuple[str, str]]) -> Answer:
    """Cheapest token first; hardware without a price last, by speed."""

    def order(row: Row) -> tuple[bool, Decimal, float, str]:
        price = row[cost]
        speed = float(row["tokens/s"] or 0)
        return price is None, Decimal(str(price or 0)), -speed, str(row["hardware"])

    facts = {"fits": f"{len(rows)} kinds of hardware, each shown at the fewest GPUs that do it"}
    return Answer(facts, sorted(rows, key=order), unfit)


def _memory_words(memory: MemoryBreakdown) -> str:
    parts = {
        "weights": memory.weights_gb,
        "KV cache": memory.kv_cache_gb,
        "activations": memory.activations_gb,
        "gradients and optimizer": memory.states_gb,
        "engine": memory.overhead_gb,
    }
    held = " + ".join(f"{name} {value:.1f}" for name, value in parts.items() if value >= 0.05)
    return f"{held} = {memory.required_gb:.1f} of {memory.available_gb:.1f} GB"
