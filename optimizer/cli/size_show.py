"""How ``rentopt size`` shows its answer: on the terminal, in a file, as an image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from optimizer.cli.size_options import OutputFormat

if TYPE_CHECKING:
    from optimizer.model_cards import ModelCard
    from optimizer.report.size.answers import OneServer, Ranking, ServingQuestion, TrainingQuestion
    from providers.hardware import NodeKind

IMAGES = (".svg", ".png", ".pdf")
WIDTH = 100


def show(
    asked: ServingQuestion | TrainingQuestion,
    answer: OneServer | Ranking,
    card: ModelCard,
    kind: NodeKind | None,
    currency: str,
    explain: bool,
    format: OutputFormat,
    output: Path | None,
    *,
    chart: bool,
) -> None:
    from optimizer.report.size import text
    from optimizer.report.size.answers import OneServer, ServingQuestion
    from optimizer.report.size.document import size_json
    from optimizer.report.size.explain import derivation

    reasons: list[str] = []
    if explain and isinstance(answer, OneServer) and isinstance(asked, ServingQuestion):
        reasons = list(derivation(answer, asked))
    if output is not None and output.suffix.lower() in IMAGES:
        _write_image(answer, asked, card, output)
        return
    if format is OutputFormat.JSON:
        _write(size_json(asked, answer, reasons), output)
        return
    if isinstance(answer, OneServer):
        rows = text.server_table(answer, currency, format.value, provenance=explain)
        facts = list(text.server_facts(answer))
    else:
        rows = text.ranking_table(answer, currency, format.value, provenance=explain)
        facts = list(text.ranking_facts(answer, kind, reasons=explain))
    drawn = _bars(answer, asked) if chart else ""
    if format is OutputFormat.CSV:
        _write(rows, output)
        _lines([*facts, *reasons])
        return
    heading = _heading(asked, card)
    if format is OutputFormat.MD:
        fence = f"```text\n{drawn}```\n\n" if drawn else ""
        listed = "".join(f"- {fact.strip()}\n" for fact in [*facts, *reasons])
        _write(f"## {heading}\n\n{rows}\n{fence}{listed}", output)
        return
    blank = "\n" if rows and drawn else ""
    told = "".join(f"{line}\n" for line in [*map(_wrapped, facts), *reasons])
    _write(f"{heading}\n{rows}{blank}{drawn}{told}", output)


def _wrapped(fact: str) -> str:
    """A line for terminals of 100 columns; what runs over is indented."""
    import textwrap

    indent = " " * (len(fact) - len(fact.lstrip()) + 4)
    return textwrap.fill(
        fact,
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _heading(asked: ServingQuestion | TrainingQuestion, card: ModelCard) -> str:
    from optimizer.report.money_text import counted
    from optimizer.report.size.answers import ServingQuestion

    if isinstance(asked, ServingQuestion):
        cache = "" if asked.kv_precision == "bf16" else f", cache in {asked.kv_precision}"
        return (
            f"{card.id} {asked.precision}, {asked.prompt_tokens} prompt and "
            f"{asked.output_tokens} output tokens{cache}, at least "
            f"{asked.floor_tokens_per_s:g} tokens/s per user"
        )
    return (
        f"{card.id}, {asked.method} training on {counted(asked.nodes, 'node')}, "
        f"{asked.micro_batch} x {asked.sequence_tokens} tokens a GPU, "
        f"{asked.accumulation} micro-steps a synchronisation"
    )


def _bars(answer: OneServer | Ranking, asked: ServingQuestion | TrainingQuestion) -> str:
    from optimizer.report.size.answers import OneServer, ServingQuestion
    from optimizer.report.size.chart import bars

    if isinstance(answer, OneServer) and answer.paces and isinstance(asked, ServingQuestion):
        return bars(answer.paces.curve, asked.floor_tokens_per_s)
    return ""


def _write_image(
    answer: OneServer | Ranking,
    asked: ServingQuestion | TrainingQuestion,
    card: ModelCard,
    output: Path,
) -> None:
    from optimizer.report.files import write_atomically
    from optimizer.report.size.answers import OneServer, ServingQuestion
    from optimizer.report.size.chart import image
    from providers.errors import RentoptError

    if not isinstance(answer, OneServer) or not isinstance(asked, ServingQuestion):
        return
    if answer.paces is None:
        raise RentoptError(f"{card.id} does not fit {answer.kind}: {answer.reason}")
    title = f"{card.id} {asked.precision} on {answer.kind}, {answer.engine}"
    form = output.suffix.removeprefix(".").lower()
    write_atomically(output, image(answer.paces, asked.floor_tokens_per_s, title, form))


def _write(content: str, output: Path | None) -> None:
    from optimizer.report.files import write_atomically

    if output is None or str(output) == "-":
        typer.echo(content, nl=False)
    else:
        write_atomically(output, content)


def _lines(facts: Iterable[str]) -> None:
    for fact in facts:
        typer.echo(fact, err=True)
