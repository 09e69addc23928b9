"""``rentopt size``: does a model fit the hardware, how fast is it, what does a token cost?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.price_options import ANY_PRICES, PlanStore, Prices, Today, table_book
from optimizer.cli.size_options import (
    Checkpointing,
    Engine,
    Framework,
    KvPrecision,
    Method,
    Offload,
    OutputFormat,
    Strategy,
    TrainingOptimizer,
)
from optimizer.cli.size_show import IMAGES, show

if TYPE_CHECKING:
    from optimizer.model_cards import ModelCard
    from optimizer.report.size.answers import OneServer, Ranking


PROMPT_TOKENS, OUTPUT_TOKENS = 1000, 300
"""Of a request whose lengths are not stated."""


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
    prompt_tokens: Annotated[
        int | None, typer.Option(min=1, help="Of one request.", show_default=str(PROMPT_TOKENS))
    ] = None,
    output_tokens: Annotated[
        int | None, typer.Option(min=1, help="Of one request.", show_default=str(OUTPUT_TOKENS))
    ] = None,
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
    optimizer: Annotated[
        TrainingOptimizer, typer.Option(help="Training: states it keeps.")
    ] = TrainingOptimizer.ADAMW,
    strategy: Annotated[
        Strategy, typer.Option(help="Training: how states are divided; auto: the fastest fit.")
    ] = Strategy.AUTO,
    checkpointing: Annotated[
        Checkpointing, typer.Option(help="Training: activations computed twice.")
    ] = Checkpointing.AUTO,
    offload: Annotated[
        Offload, typer.Option(help="Training: what may live in host memory.")
    ] = Offload.NONE,
    framework: Annotated[
        Framework, typer.Option(help="Training: software; auto: the usual one for the method.")
    ] = Framework.AUTO,
    lora_rank: Annotated[int, typer.Option(min=1, help="Training: of adapters.")] = 16,
    chunked_loss: Annotated[
        bool | None,
        typer.Option(help="Training: logits computed piece by piece.", show_default="where needed"),
    ] = None,
    fabric: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Training: Gb/s between nodes, of one.", show_default="by hardware"
        ),
    ] = None,
    measurements: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Your own measurements, preferred."),
    ] = None,
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
    from optimizer.sizing.gang import training_options
    from optimizer.sizing.measured.own import read_measurements
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
            name,
            train.value,
            nodes,
            sequence_tokens,
            micro_batch,
            accumulation,
            training_options(
                optimizer=optimizer.value,
                strategy=strategy.value,
                checkpointing=checkpointing.value,
                offload=offload.value,
                precision="fp8" if precision == "fp8" else "bf16",
                framework=framework.value,
                lora_rank=lora_rank,
                chunked_loss=(False, True) if chunked_loss is None else (chunked_loss,),
                fabric_gbit_s=fabric,
            ),
        )
        answer = trained(training, kind, costs)
        show(training, answer, card, kind, currency, explain, format, output, chart=False)
        return
    stated = any(given is not None for given in (context, prompt_tokens, output_tokens))
    prompt, answered = prompt_tokens or PROMPT_TOKENS, output_tokens or OUTPUT_TOKENS
    if context is not None:
        answered = min(answered, context - 1)
        prompt = context - answered
    serving = ServingQuestion(
        name,
        _precision(precision, card),
        engine.value if engine else None,
        prompt,
        answered,
        floor,
        ttft,
        users,
        kv_precision.value,
        offload_layers,
        stated,
        read_measurements(measurements) if measurements else (),
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
