"""The JSON of ``rentopt size``, whose schema ``rentopt schema --of size`` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from optimizer.report.plan_json import decimal_text, tool_version
from optimizer.report.size.answers import (
    OneServer,
    Price,
    Ranked,
    Ranking,
    ServingQuestion,
    TrainingQuestion,
    per_million,
)
from optimizer.report.size.text import training_remedy_words
from optimizer.sizing.memory import MemoryBreakdown
from optimizer.sizing.results import Serving, SpeedAt

SCHEMA_VERSION = 1
SCHEMA_ID = f"urn:rentopt:schema:size:{SCHEMA_VERSION}"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Memory(_Part):
    """Decimal GB: of all GPUs in inference, of the fullest GPU in training."""

    weights_gb: float
    kv_cache_gb: float = Field(description="Keys and values of the planned users; 0 in training")
    activations_gb: float
    states_gb: float = Field(description="Gradients and optimizer states; 0 in inference")
    overhead_gb: float = Field(description="Contexts and buffers of the engine")
    required_gb: float = Field(description="All of these together")
    available_gb: float = Field(description="What the engine may fill")
    claimed_gb: float = Field(description="What nvidia-smi shows: engines reserve ahead")
    host_gb: float = Field(description="Weights and cache left in host memory")


class PricePart(_Part):
    """The cheapest on-demand rent of the node."""

    node_hour: str = Field(description="Exact amount")
    currency: str
    seller: str
    seen: str = Field(description="Day the price was seen")
    quality: str = Field(description="A or B")


class Pace(_Part):
    """What so many users see."""

    users: int
    running: int = Field(description="Answered at once; the others wait")
    tokens_per_s_per_user: float
    tokens_per_s: float
    ttft_s: float
    per_million: str | None = Field(description="Cost of a million output tokens")
    label: str = Field(description="measured, interpolated or modelled")
    provenance: str
    low: float = Field(description="Of eight in ten such figures, the least truth, as a share")
    high: float = Field(description="The same, the greatest")


class Change(_Part):
    """One change that makes it fit."""

    change: str = Field(
        description="precision, kv_precision, context, users, offload_layers, gpus or training"
    )
    value: str | int
    words: str


class Node(_Part):
    """One kind of hardware. Figures are null where it does not fit."""

    hardware: str
    engine: str = Field(description="Empty in training")
    fits: bool
    reason: str = Field(description="Why it does not fit; empty where it does")
    remedies: list[Change]
    users: int | None = Field(None, description="Most users within the limits; 0: none")
    limit: str = Field("", description="Which limit no user keeps; empty where some do")
    tokens_per_s_per_user: float | None = None
    tokens_per_s: float | None = None
    requests_per_s: float | None = None
    ttft_s: float | None = None
    mfu: float | None = Field(None, description="Training: share of the dense 16-bit rate")
    memory: Memory | None = None
    planned_users: int | None = Field(None, description="That `memory` is for")
    most_users_in_memory: int | None = None
    longest_prompt_tokens: int | None = Field(
        None, description="That one more request may bring beside the planned users"
    )
    per_million: str | None = None
    price: PricePart | None = None
    label: str | None = None
    provenance: str | None = None
    curve: list[Pace] = Field(default_factory=list)


class SizeDocument(_Part):
    """An answer of ``rentopt size``."""

    schema_version: Literal[1] = 1
    tool: str = Field(description="What wrote it, with its version")
    question: dict[str, Any] = Field(description="What was asked for, by option")
    nodes: list[Node]
    explanation: list[str] = Field(description="How the figures come about; with --explain")


def size_schema_text() -> str:
    """JSON Schema (draft 2020-12). Within a version fields are only ever added."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **SizeDocument.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def size_json(
    asked: ServingQuestion | TrainingQuestion,
    answer: OneServer | Ranking,
    explanation: Sequence[str],
) -> str:
    from dataclasses import asdict

    task = "inference" if isinstance(asked, ServingQuestion) else "training"
    question = asdict(asked)
    if isinstance(asked, ServingQuestion):
        question["own_rows"] = len(asked.own_rows)
    document = SizeDocument(
        tool=f"rentopt {tool_version()}",
        question={"task": task, **question},
        nodes=[_server(answer)] if isinstance(answer, OneServer) else _all(answer),
        explanation=list(explanation),
    )
    return document.model_dump_json(indent=2) + "\n"


def _all(answer: Ranking) -> list[Node]:
    changes = [
        Change(change="training", value=entry.change, words=training_remedy_words(entry))
        for entry in answer.remedies
    ]
    fitting = [_ranked(entry) for entry in answer.ranked]
    others = [_unfit(str(kind), "", reason) for kind, reason in answer.unfit]
    return fitting + [node.model_copy(update={"remedies": changes}) for node in others]


def _unfit(hardware: str, engine: str, reason: str) -> Node:
    return Node(hardware=hardware, engine=engine, fits=False, reason=reason, remedies=[])


def _ranked(entry: Ranked) -> Node:
    result = entry.result
    node = Node(
        hardware=str(entry.kind),
        engine=entry.engine,
        fits=True,
        reason="",
        remedies=[],
        memory=_memory(result.memory),
        per_million=_amount(entry.per_million),
        price=_price(entry.price),
        label=result.label,
        provenance=result.provenance,
    )
    if isinstance(result, Serving):
        return node.model_copy(update=_within(result))
    return node.model_copy(
        update={"tokens_per_s": round(result.tokens_per_s, 1), "mfu": round(result.mfu, 3)}
    )


def _within(result: Serving) -> dict[str, float]:
    return {
        "users": result.users,
        "tokens_per_s_per_user": round(result.tokens_per_s_per_user, 1),
        "tokens_per_s": round(result.output_tokens_per_s, 1),
        "requests_per_s": round(result.requests_per_s, 3),
        "ttft_s": round(result.ttft_s, 2),
        "planned_users": result.users,
    }


def _server(answer: OneServer) -> Node:
    node = _unfit(str(answer.kind), answer.engine, answer.reason)
    changes = [
        Change(change=entry.change, value=entry.value, words=entry.words)
        for entry in answer.remedies
    ]
    if answer.paces is None:
        return node.model_copy(update={"remedies": changes})
    paces = answer.paces
    found: dict[str, object] = {
        "fits": True,
        "memory": _memory(paces.memory),
        "most_users_in_memory": paces.most_users,
        "longest_prompt_tokens": paces.longest_prompt,
        "price": _price(paces.price),
        "curve": [_pace(pace, paces.price) for pace in paces.curve],
    }
    if isinstance(paces.within, Serving):
        found |= _within(paces.within)
        found["label"], found["provenance"] = paces.within.label, paces.within.provenance
        cost = per_million(paces.price, paces.within.output_tokens_per_s)
        found["per_million"] = _amount(cost)
    else:
        found |= {"users": 0, "limit": paces.within.reason}
    return node.model_copy(update=found | {"planned_users": paces.planned})


def _pace(pace: SpeedAt, price: Price | None) -> Pace:
    return Pace(
        users=pace.users,
        running=pace.running,
        tokens_per_s_per_user=round(pace.tokens_per_s_per_user, 1),
        tokens_per_s=round(pace.output_tokens_per_s, 1),
        ttft_s=round(pace.ttft_s, 2),
        per_million=_amount(per_million(price, pace.output_tokens_per_s)),
        label=pace.label,
        provenance=pace.provenance,
        low=pace.band.low,
        high=pace.band.high,
    )


def _memory(memory: MemoryBreakdown) -> Memory:
    return Memory(**{name: round(getattr(memory, name), 2) for name in Memory.model_fields})


def _price(price: Price | None) -> PricePart | None:
    if price is None:
        return None
    return PricePart(
        node_hour=decimal_text(price.node_hour),
        currency=price.currency,
        seller=price.seller,
        seen=price.seen,
        quality=price.quality,
    )


def _amount(value: object) -> str | None:
    return None if value is None else str(value)
