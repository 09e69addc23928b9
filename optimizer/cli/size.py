"""``rentopt size``: does a model fit the hardware, how fast is it, what does a token cost?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.price_options import ANY_PRICES, PlanStore, Prices, Today, table_book
from optimizer.cli.size_options import Engine, KvPrecision, Method, OutputFormat
from optimizer.cli.size_show import IMAGES, show

if TYPE_CHECKING:
    from optimizer.model_cards import ModelCard
    from optimizer.report.size.answers import OneServer, Ranking


OUTPUT_TOKENS = 300


def size(
    model: Annotated[
        str, typer.Argument(help="Model id, hub name (see `rentopt models`), or a config.json.")
    ],
    on: Annotated[
        str | None, typer.Option(help="Hardware, such as 2xRTX4090; all of it when left out.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Of the weights: bf16, fp8, gptq-int4, awq-int4, nf4, q4_k_m, q8_0 and others.",
            show_default="that of the config.json, or bf16",
        ),
    ] = None,
    engine: Annotated[
        Engine | None,
        typer.Option(help="Inference engine.", show_default="vllm; llama.cpp for GGUF and Macs"),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(min=2, help="Prompt and answer of one request, in place of --prompt-tokens."),
    ] = None,
    prompt_tokens: Annotated[int, typer.Option(min=1, help="Of one request.")] = 1000,
    output_tokens: Annotated[int, typer.Option(min=1, help="Of one request.")] = OUTPUT_TOKENS,
    users: Annotated[
        int | None,
        typer.Option(min=1, help="Must be answered at once.", show_default="as many as can be"),
    ] = None,
    kv_precision: Annotated[KvPrecision, typer.Option(help="Of the cache.")] = KvPrecision.BF16,
    offload_layers: Annotated[
        int, typer.Option(min=0, help="Layers left in host memory (llama.cpp, Ollama).")
    ] = 0,
    floor: Annotated[
        float, typer.Option(min=0.1, help="Least tokens/s that each user must see.")
    ] = 15.0,
    ttft: Annotated[
        float | None, typer.Option(min=0.01, help="Longest time to first token, in seconds.")
    ] = None,
    train: Annotated[
        Method | None, typer.Option(help="Size training by this method, not inference.")
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, help="Equal nodes that train together.")] = 1,
    sequence_tokens: Annotated[int, typer.Option(min=1, help="Training: of one sequence.")] = 4096,
    micro_batch: Annotated[int, typer.Option(min=1, help="Training: sequences per GPU.")] = 1,
    accumulation: Annotated[
        int, typer.Option(min=1, help="Training: micro-steps per gradient synchronisation.")
    ] = 8,
    hardware_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="GPUs of your own (CSV or YAML)."),
    ] = None,
    currency: Annotated[str, typer.Option(help="Currency of costs.")] = "CNY",
    table: Annotated[str, typer.Option(help="Bundled price table.")] = "current",
    as_of: Today = None,
    prices: Prices = ANY_PRICES,
    store: PlanStore = None,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw the batching curve (with --on).")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="How each number comes about; why hardware is out.")
    ] = False,
    format: Annotated[OutputFormat, typer.Option("--format", help="Form of the output.")] = (
        OutputFormat.TABLE
    ),
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; .svg, .png or .pdf: the curve."),
    ] = None,
) -> None:
    """Show whether a model fits hardware, how fast it runs and what a million tokens cost."""
    from optimizer.model_cards import is_model_file, model_card
    from optimizer.report.size.answers import (
        Prices,
        ServingQuestion,
        TrainingQuestion,
        every_server,
        one_server,
        trained,
    )
    from providers.hardware import node_kind
    from providers.hardware_file import add_hardware_file
    from providers.money import CURRENCIES

    currency = currency.upper()
    if currency not in CURRENCIES:
        known = ", ".join(CURRENCIES)
        raise typer.BadParameter(f"'{currency}' is none of {known}", param_hint="--currency")
    if hardware_file is not None:
        add_hardware_file(hardware_file)
    card = model_card(model)
    name = model if is_model_file(model) else card.id
    kind = node_kind(on) if on is not None else None
    costs = Prices(table_book(table, as_of, None, prices, store), currency)
    answer: OneServer | Ranking
    if train is not None:
        _no_curve(chart, output, "with --train")
        training = TrainingQuestion(
            name, train.value, nodes, sequence_tokens, micro_batch, accumulation
        )
        answer = trained(training, kind, costs)
        show(training, answer, card, kind, currency, explain, format, output, chart=False)
        return
    if context is not None:
        output_tokens = min(output_tokens, context - 1)
        prompt_tokens = context - output_tokens
    serving = ServingQuestion(
        name,
        _precision(precision, card),
        engine.value if engine else None,
        prompt_tokens,
        output_tokens,
        floor,
        ttft,
        users,
        kv_precision.value,
        offload_layers,
    )
    if kind is None:
        _no_curve(chart, output, "without --on")
        answer = every_server(serving, costs)
    else:
        answer = one_server(serving, card, kind, costs)
    show(serving, answer, card, kind, currency, explain, format, output, chart=chart)


def _no_curve(chart: bool, output: Path | None, why: str) -> None:
    if chart or (output is not None and output.suffix.lower() in IMAGES):
        raise typer.BadParameter(f"there is no batching curve {why}", param_hint="--chart")


def _precision(asked: str | None, card: ModelCard) -> str:
    """The format by name; that of the model's configuration when none is named."""
    from difflib import get_close_matches

    from optimizer.sizing.weights import precisions

    if asked is None:
        return card.precision or "bf16"
    name = asked.lower()
    if name not in precisions():
        near = ", ".join(get_close_matches(name, precisions(), n=3, cutoff=0.5))
        hint = f"did you mean {near}?" if near else f"known are {', '.join(precisions())}"
        raise typer.BadParameter(f"'{asked}' is no number format; {hint}", param_hint="--precision")
    return name
