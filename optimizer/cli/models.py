"""``rentopt models``: the language models that can be sized, with shape and source."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optimizer.model_cards import ModelCard


class OutputFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


def models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Ids or Hugging Face names; all when left out.")
    ] = None,
    min_params: Annotated[
        float | None, typer.Option(min=0, help="Least parameters, in billions.")
    ] = None,
    max_params: Annotated[
        float | None, typer.Option(min=0, help="Most parameters, in billions.")
    ] = None,
    format: Annotated[OutputFormat, typer.Option("--format", help="Form of the output.")] = (
        OutputFormat.TABLE
    ),
) -> None:
    """List language models: parameters, shape, size of the key-value cache."""
    from optimizer.model_cards import model_card, model_cards

    cards = [model_card(name) for name in names] if names else list(model_cards().values())
    cards = [
        card
        for card in cards
        if (min_params is None or card.params_total_b >= min_params)
        and (max_params is None or card.params_total_b <= max_params)
    ]
    if format is OutputFormat.JSON:
        document = {"models": [asdict(card) for card in cards]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    _print_cards(cards, detailed=bool(names), format=format)


def _print_cards(cards: list[ModelCard], *, detailed: bool, format: OutputFormat) -> None:
    from optimizer.report.tables import Column, render

    columns: list[str | Column] = [
        "id",
        "Hugging Face",
        Column("params B", right=True),
        Column("active B", right=True),
        Column("16-bit GB", right=True),
        Column("layers", right=True),
        Column("hidden", right=True),
        Column("KV heads", right=True),
        Column("KV KiB/token", right=True),
        Column("context", right=True),
        "experts",
    ]
    rows = [
        (
            card.id,
            card.hf_id,
            f"{card.params_total_b:g}",
            f"{card.params_active_b:g}",
            f"{card.params_total_b * 2:.1f}",
            card.layers,
            card.hidden,
            "MLA" if card.mla_kv_dim else card.kv_heads,
            f"{card.kv_bytes_per_token_16bit / 1024:g}",
            card.max_context_tokens,
            f"{card.experts_per_token} of {card.experts}" if card.mixture_of_experts else "",
        )
        for card in cards
    ]
    typer.echo(render(columns, rows, format.value), nl=False)
    notes = [f"{len(cards)} models; 16-bit GB is the weights alone"]
    if detailed:
        notes += [f"{card.id}: {card.note or 'no note'} [{card.source}]" for card in cards]
    for line in notes:
        typer.echo(
            f"- {line}" if format is OutputFormat.MD else line, err=format is OutputFormat.CSV
        )
