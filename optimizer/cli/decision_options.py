"""Options of commands that ask for another plan than the cheapest, or why it is the cheapest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optimizer.keep import Keep
    from optimizer.wishes import Wishes


def gap_share(text: str) -> float:
    """``0.5%`` as 0.005; a number without the sign could be meant either way."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*", text)
    if not found:
        raise typer.BadParameter(f"'{text}' is no percentage; write it like 0.5%")
    value = float(found[1]) / 100
    if value >= 1:
        raise typer.BadParameter(f"'{text}' is not below 100%")
    return value


Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="NAME",
        help="Neither rent nor buy this: a provider, GPU, node such as 8xA800, purchase model, "
        "tier or offer; repeatable.",
    ),
]
OnlyRent = Annotated[bool, typer.Option("--only-rent", help="Buy nothing.")]
OnlyOwn = Annotated[
    bool, typer.Option("--only-own", help="Rent nothing, and pay for no token API.")
]
MaxProviders = Annotated[
    int | None,
    typer.Option("--max-providers", min=1, help="Most sellers of nodes and tokens.",
                 show_default="as many as it takes"),
]  # fmt: skip
KeepPlan = Annotated[
    Path | None,
    typer.Option(
        "--keep",
        metavar="PLAN",
        help="Stay near an earlier plan (JSON): change only what must change or pays.",
        show_default=False,
    ),
]
KeepTolerance = Annotated[
    float,
    typer.Option(
        "--keep-tolerance",
        parser=gap_share,
        metavar="PERCENT",
        help="Share of the cost that each change from the kept plan must save.",
    ),
]

Alternatives = Annotated[
    int,
    typer.Option(
        "--alternatives",
        min=0,
        metavar="N",
        help="Add the N cheapest plans that decide otherwise, with what each costs more.",
    ),
]
WhyNotNames = Annotated[
    list[str] | None,
    typer.Option(
        "--why-not",
        metavar="NAME",
        help="Say why this is not in the plan, and at which price it would be: an offer, GPU, "
        "node, provider …; repeatable.",
    ),
]
MarginalPrices = Annotated[
    bool,
    typer.Option(
        "--marginal",
        help="Add what one more user, GPU-day, day of deadline or unit of a limit costs.",
    ),
]
QuestionTime = Annotated[
    float,
    typer.Option(
        "--question-time",
        min=1,
        help="Seconds for alternatives, questions and marginal prices, after the plan.",
    ),
]


def asked_wishes(
    without: Sequence[str] | None, only_rent: bool, only_own: bool, max_providers: int | None
) -> Wishes:
    """
    Raises:
        typer.BadParameter: two wishes go against each other.
    """
    from optimizer.wishes import Wishes

    if only_rent and only_own:
        words = "give --only-rent or --only-own, not both"
        raise typer.BadParameter(words, param_hint="--only-rent")
    return Wishes(tuple(without or ()), only_rent, only_own, max_providers)


def asked_keep(path: Path | None, tolerance: float) -> Keep | None:
    """
    Raises:
        PlanFormatError: the file is no plan.
    """
    if path is None:
        return None
    from optimizer.keep import Keep
    from optimizer.verify.plan_document import read_plan_file

    return Keep.of(path.name, read_plan_file(path), tolerance)
