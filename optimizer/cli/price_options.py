"""Options of every command that prices a schedule, and the book they ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optimizer.schedule.schedule import Schedule
    from providers.offers import OfferBook

NO_STORE = "none"

Quotes = Annotated[
    list[Path] | None,
    typer.Option("--quotes", help="File of your own quotes, besides the schedule's; repeatable."),
]
OldQuotes = Annotated[
    list[Path] | None,
    typer.Option(
        "--old-quotes",
        help="Quotes the plan that was followed was made with; repeatable.",
        show_default="those of --quotes",
    ),
]
Measurements = Annotated[
    Path | None,
    typer.Option(
        "--measurements",
        exists=True,
        dir_okay=False,
        help="Table of speeds you measured, in place of the schedule's.",
    ),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        help="Day the prices are wanted for.",
        show_default="today, or the first day if that is earlier",
    ),
]
Today = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        help="Day the prices are wanted for, and their age judged by.",
        show_default="today",
    ),
]
Prices = Annotated[
    tuple[str, str],
    typer.Option(
        "--prices",
        metavar="as-of DAY | of PLAN",
        help="The prices as they were known on a day (as-of 2026-11-20), or those of an earlier "
        "plan (of plan.json).",
        show_default=False,
    ),
]
StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="PATH|URL",
        help="SQLite file or PostgreSQL URL of the price store.",
        show_default="RENTOPT_STORE, or the user's data folder",
    ),
]
PlanStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="PATH|URL|none",
        help="Price store whose refreshed tables come before the bundled ones.",
        show_default="RENTOPT_STORE, or the user's data folder",
    ),
]
ANY_PRICES = ("", "")


@dataclass(frozen=True, slots=True)
class Moment:
    """For which day prices are wanted, and with the knowledge of which moment."""

    as_of: date | None
    known_at: datetime | None
    bundled_only: bool = False
    """The price store was not used then."""


def price_book(
    schedule: Schedule,
    as_of: datetime | None,
    quotes: list[Path] | None,
    prices: tuple[str, str],
    store: str | None,
) -> OfferBook:
    """The prices these options ask for."""
    from optimizer.api import prices_for

    moment = asked_moment(as_of, prices)
    return prices_for(
        schedule,
        moment.as_of,
        quotes or [],
        store="" if moment.bundled_only or store == NO_STORE else store,
        known_at=moment.known_at,
    )


def store_behind(book: OfferBook, store: str | None) -> str:
    """URL of the price store that prices were read from; empty where none was."""
    from providers.config import load_config

    if book.known_at is None or store == NO_STORE:
        return ""
    return store or load_config().store_url


def table_book(
    table: str,
    as_of: datetime | None,
    quotes: list[Path] | None,
    prices: tuple[str, str],
    store: str | None,
) -> OfferBook:
    """The same for commands that price no schedule: for today, where no day is given."""
    from providers.book import bundled_book
    from providers.config import load_config
    from providers.stored import stored_prices

    moment = asked_moment(as_of, prices)
    day = moment.as_of or date.today()
    url = "" if moment.bundled_only or store == NO_STORE else store or load_config().store_url
    stored = stored_prices(url, day, moment.known_at) if url else None
    return bundled_book(table, as_of=day, quotes=quotes or (), stored=stored)


def asked_moment(as_of: datetime | None, prices: tuple[str, str]) -> Moment:
    """
    Raises:
        typer.BadParameter: the words of --prices mean nothing, or go against --as-of.
    """
    how, what = prices
    if not how:
        return Moment(as_of.date() if as_of else None, None)
    if as_of is not None:
        raise typer.BadParameter("give --as-of or --prices, not both", param_hint="--prices")
    if how == "of":
        return _of_plan(Path(what))
    if how != "as-of":
        raise typer.BadParameter(
            f"'{how}' is neither as-of nor of; such as --prices as-of 2026-11-20",
            param_hint="--prices",
        )
    try:
        moment = datetime.fromisoformat(what)
    except ValueError:
        raise typer.BadParameter(
            f"'{what}' is no day or time; such as 2026-11-20 or 2026-11-20T04:00Z",
            param_hint="--prices",
        ) from None
    if len(what) == len("2026-11-20"):
        moment = datetime.combine(moment, time.max)
    known_at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Moment(known_at.astimezone(UTC).date(), known_at.astimezone(UTC))


def _of_plan(path: Path) -> Moment:
    from providers.errors import DocumentError, Fault

    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        as_of, known_at = date.fromisoformat(plan["as_of"]), plan.get("prices_known_at")
        if known_at is None:
            return Moment(as_of, None, bundled_only=True)
        return Moment(as_of, datetime.fromisoformat(known_at))
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError):
        problem = "is no plan with its prices; make one with rentopt plan --format json"
    raise DocumentError([Fault(str(path), 0, 0, "", problem)])
