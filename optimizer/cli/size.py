"""``rentopt size``: does a model fit the hardware, how fast is it, what does a token cost?"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.price_options import ANY_PRICES, PlanStore, Prices, Today, table_book

if TYPE_CHECKING:
    from optimizer.cli.size_answers import Answer


class OutputFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


class Precision(StrEnum):
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"
    GPTQ_INT8 = "gptq-int8"
    GPTQ_INT4 = "gptq-int4"
    AWQ_INT4 = "awq-int4"
    NF4 = "nf4"
    Q8_0 = "q8_0"
    Q4_K_M = "q4_k_m"
    Q4_0 = "q4_0"


class Engine(StrEnum):
    VLLM = "vllm"
    SGLANG = "sglang"
    TENSORRT_LLM = "tensorrt-llm"
    LMDEPLOY = "lmdeploy"
    OLLAMA = "ollama"
    LLAMA_CPP = "llama.cpp"
    TRANSFORMERS = "transformers"


class Method(StrEnum):
    PRETRAIN = "pretrain"
    FULL = "full"
    LORA = "lora"
    QLORA = "qlora"


class TrainingOptimizer(StrEnum):
    ADAMW = "adamw"
    ADAMW_BF16 = "adamw-bf16"
    ADAMW_8BIT = "adamw-8bit"
    SGD = "sgd"


class Strategy(StrEnum):
    AUTO = "auto"
    DDP = "ddp"
    ZERO_1 = "zero-1"
    ZERO_2 = "zero-2"
    ZERO_3 = "zero-3"
    HSDP = "hsdp"


class Checkpointing(StrEnum):
    AUTO = "auto"
    NONE = "none"
    SELECTIVE = "selective"
    FULL = "full"


class Offload(StrEnum):
    NONE = "none"
    OPTIMIZER = "optimizer"
    ALL = "all"


class Framework(StrEnum):
    AUTO = "auto"
    HF = "hf"
    NATIVE = "native"
    TUNED = "tuned"


def size(
    model: Annotated[str, typer.Argument(help="Model id or hub name, see `rentopt models`.")],
    on: Annotated[
        str | None, typer.Option(help="Hardware, such as 2xRTX4090; all of it when left out.")
    ] = None,
    precision: Annotated[Precision, typer.Option(help="Of the weights.")] = Precision.BF16,
    engine: Annotated[
        Engine | None,
        typer.Option(help="Inference engine.", show_default="vllm; llama.cpp for GGUF and Macs"),
    ] = None,
    prompt_tokens: Annotated[int, typer.Option(min=1, help="Of one request.")] = 1000,
    output_tokens: Annotated[int, typer.Option(min=1, help="Of one request.")] = 300,
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
    currency: Annotated[str, typer.Option(help="Currency of costs.")] = "CNY",
    table: Annotated[str, typer.Option(help="Bundled price table.")] = "current",
    as_of: Today = None,
    prices: Prices = ANY_PRICES,
    store: PlanStore = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Where each number comes from; why hardware is out.")
    ] = False,
    format: Annotated[OutputFormat, typer.Option("--format", help="Form of the output.")] = (
        OutputFormat.TABLE
    ),
) -> None:
    """Show whether a model fits hardware, how fast it runs and what a million tokens cost."""
    from optimizer.cli import size_answers
    from optimizer.model_cards import model_card
    from optimizer.sizing.gang import training_options
    from providers.hardware import node_kind
    from providers.money import CURRENCIES

    currency = currency.upper()
    if currency not in CURRENCIES:
        known = ", ".join(CURRENCIES)
        raise typer.BadParameter(f"'{currency}' is none of {known}", param_hint="--currency")
    costs = size_answers.Prices(table_book(table, as_of, None, prices, store), currency)
    card = model_card(model)
    kind = node_kind(on) if on is not None else None
    if train is not None:
        training = size_answers.TrainingQuestion(
            card.id,
            train.value,
            nodes,
            sequence_tokens,
            micro_batch,
            accumulation,
            training_options(
                optimizer=optimizer,
                strategy=strategy,
                checkpointing=checkpointing,
                offload=offload,
                precision="fp8" if precision is Precision.FP8 else "bf16",
                framework=framework,
                lora_rank=lora_rank,
                chunked_loss=(False, True) if chunked_loss is None else (chunked_loss,),
                fabric_gbit_s=fabric,
            ),
        )
        heading = (
            f"{card.id}, {train} training on {nodes} node(s), {micro_batch} x {sequence_tokens} "
            f"tokens a GPU, {accumulation} micro-steps a synchronisation"
        )
        answer = size_answers.training_answer(training, kind, costs)
    else:
        serving = size_answers.ServingQuestion(
            card.id,
            precision.value,
            engine.value if engine else None,
            prompt_tokens,
            output_tokens,
            floor,
            ttft,
        )
        heading = (
            f"{card.id} {precision}, {prompt_tokens} prompt and {output_tokens} output tokens, "
            f"at least {floor:g} tokens/s per user"
        )
        answer = size_answers.serving_answer(serving, kind, costs)
    _show(heading, answer, explain, format)


def _show(heading: str, answer: Answer, explain: bool, format: OutputFormat) -> None:
    if format is OutputFormat.JSON:
        document = {
            "question": heading,
            "facts": answer.facts,
            "rows": answer.rows,
            "unfit": [{"hardware": kind, "reason": reason} for kind, reason in answer.unfit],
        }
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    from optimizer.report.tables import Column, render

    facts = [f"{name}: {value}" for name, value in answer.facts.items()]
    if explain:
        facts += [f"{kind}: {reason}" for kind, reason in answer.unfit]
    elif answer.unfit:
        facts.append(f"{len(answer.unfit)} kinds of hardware are out; --explain says why")
    if format is OutputFormat.TABLE:
        typer.echo(heading)
    if answer.rows:
        titles = [title for title in answer.rows[0] if title != "provenance" or explain]
        columns = [Column(title, right=title not in _WORDY) for title in titles]
        rows = [[_cell(row[title]) for title in titles] for row in answer.rows]
        typer.echo(render(columns, rows, format.value), nl=False)
    lines = ["", *(f"- {fact}" for fact in facts)] if format is OutputFormat.MD else facts
    for line in lines:
        typer.echo(line, err=format is OutputFormat.CSV)


_WORDY = ("hardware", "engine", "label", "provenance", "price", "what would fit", "how")


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
