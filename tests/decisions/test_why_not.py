"""Why something is not in the plan: the rule that stops it, or its regret and its price."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal

import jsonschema
import pytest
from small_market import market, offer, schedule

from optimizer.api import plan
from optimizer.milp.solve import SolveOptions
from optimizer.named import UnknownNameError
from optimizer.plans import WhyNot
from optimizer.questions import Questions
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.plan_schema import plan_schema
from optimizer.report.plan_table import plan_text
from optimizer.schedule.schedule import Schedule
from optimizer.wishes import Wishes
from providers.offers import OfferBook
from providers.terms import Tier

EXACT = SolveOptions(gap=1e-7)
BOOK = market("acme 1xRTX4090 day 40", "best 1xRTX4090 day 44", "core 1xA800 hour 2.5")


def ask(name: str, what: Schedule, book: OfferBook = BOOK, **more: object) -> WhyNot:
    questions = Questions(why_not=(name,))
    found = plan(what, book, EXACT, breakeven_s=None, questions=questions, **more)  # type: ignore[arg-type]
    jsonschema.validate(json.loads(json.dumps(plan_to_dict(found))), plan_schema())
    assert found.why_not[0].answer in " ".join(plan_text(found).split())
    return found.why_not[0]


@pytest.mark.parametrize("name", ["best", "best/1xRTX4090/day"])
def test_an_offer_that_is_outdone_has_its_regret_and_its_price(name: str) -> None:
    """One day on it costs 4 more than on the other; at 40 of 44 they cost the same."""
    told = ask(name, schedule(1, 1))
    assert not told.used
    assert told.extra == 4
    assert told.extra_least == pytest.approx(4, abs=0.01)
    assert told.extra_most == pytest.approx(4, abs=0.01)
    assert told.enters_below is not None
    assert told.stays_out_above is not None
    assert told.enters_below < 40 / 44 < told.stays_out_above
    assert float(told.stays_out_above - told.enters_below) < 0.011
    assert told.reasons == (
        "best/1xRTX4090/day is outdone by acme/1xRTX4090/day: 44.00 a day against 40.00 a day "
        "(CNY)",
    )


def test_hardware_by_the_hour_is_asked_for_an_hour() -> None:
    """A day has 24 hours of 2.5, one slice long: 60 instead of 40."""
    told = ask("A800", schedule(1, 1))
    assert told.extra == 20
    assert told.enters_below is not None
    assert told.stays_out_above is not None
    assert told.enters_below < 40 / 60 < told.stays_out_above


def test_a_purchase_has_a_price_at_which_it_pays() -> None:
    buy = "{node: 1xA800, price: 100 CNY, max: 2}"
    told = ask("A800", schedule(1, 1, buy=buy), market("acme 1xRTX4090 day 40"))
    assert told.extra == 20
    assert told.enters_below is not None
    assert told.stays_out_above is not None
    assert told.enters_below < 0.8 < told.stays_out_above


def test_what_the_plan_uses_says_what_losing_it_costs() -> None:
    told = ask("acme", schedule(1, 1))
    assert told.used
    assert told.extra == 8
    alone = ask("RTX4090", schedule(1, 1), market("acme 1xRTX4090 day 40"))
    assert alone.used
    assert alone.extra is None
    assert alone.answer == "the plan uses it, and there is no plan without it"


def test_what_does_not_fit_says_so() -> None:
    book = market("acme 1xRTX4090 day 40", "core 1xT4 hour 0.1")
    told = ask("T4", schedule(1, gpus="RTX4090, T4"), book)
    assert told.answer.startswith("it never entered")
    assert any("'chat' cannot use 1xT4: " in reason for reason in told.reasons)
    assert told.extra is None


def test_hardware_that_nobody_sells_is_sized_all_the_same() -> None:
    told = ask("T4", schedule(1, gpus="RTX4090, T4"))
    assert "nobody in the prices rents it" in told.reasons
    assert any(reason.startswith("'chat' cannot use 1xT4") for reason in told.reasons)


def test_rules_of_the_market_and_wishes_are_named() -> None:
    book = market("acme 1xRTX4090 day 40", offer("host 1xRTX4090 day 1", confidence="C"))
    strict = schedule(1).document.model_copy(
        update={"market": schedule(1).document.market.model_copy(update={"confidence": "B"})}
    )
    told = ask("host", replace(schedule(1), document=strict), book)
    assert told.reasons == ("1 of its 1 offers left out: low confidence",)
    wish = ask("best", schedule(1), wishes=Wishes(without=("best",)))
    assert wish.reasons == ("1 of its 1 offers left out: as wished (--without)",)
    spot = ask("spot", schedule(1), market("acme 1xRTX4090 day 40", "acme 1xRTX4090 spot 1"))
    assert "no workload allows it" in spot.reasons[0]
    tier = offer("host 1xRTX4090 day 50", tier=Tier.MARKETPLACE)
    told = ask("marketplace", schedule(1), market("acme 1xRTX4090 day 40", tier))
    assert (told.sort, told.extra) == ("tier", 10)


def test_wishes_that_shut_a_whole_way_out_are_named() -> None:
    buy = "{node: 1xRTX4090, price: 10 CNY, max: 2}"
    own = ask("best", schedule(1, buy=buy), wishes=Wishes(only_own=True))
    assert "as wished (--only-own)" in own.answer
    rent = ask("A800", schedule(1, buy=buy), wishes=Wishes(only_rent=True))
    assert "nothing is bought, as wished (--only-rent)" in rent.reasons


SPANS = {"hour": 2, "day": 40, "month": 500}


def random_market(seed: int) -> OfferBook:
    """Six offers of two kinds of nodes on three sorts of terms."""
    rng = random.Random(seed)
    offers = []
    for number in range(6):
        gpu, span = rng.choice(["1xRTX4090", "1xA800"]), rng.choice(list(SPANS))
        price = round(SPANS[span] * rng.uniform(0.5, 1.5), 2)
        offers.append(offer(f"s{number} {gpu} {span} {price}"))
    return market(*offers)


def cost(what: Schedule, book: OfferBook, **wishes: tuple[str, ...]) -> float:
    found = plan(what, book, EXACT, breakeven_s=None, wishes=Wishes(**wishes))  # type: ignore[arg-type]
    return float(found.npv)


def with_price(book: OfferBook, sku: str, factor: float) -> OfferBook:
    offers = (
        replace(o, price=o.price * Decimal(repr(factor))) if o.sku == sku else o
        for o in book.offers
    )
    return replace(book, offers=tuple(offers))


@pytest.mark.parametrize("seed", range(8))
def test_the_price_at_which_it_enters_is_that_of_a_market_with_that_price(seed: int) -> None:
    """Priced below the bracket in the market itself, plans with it are cheaper; above it, none."""
    rng = random.Random(seed + 100)
    what = schedule(*(rng.randint(0, 3) for _ in range(8)), 1)
    book = random_market(seed)
    used = {rental.offer for rental in plan(what, book, EXACT, breakeven_s=None).rentals}
    unused = sorted(o.sku for o in book.offers if o.sku not in used)
    sku = unused[seed % len(unused)]
    told = ask(sku, what, book)
    without = cost(what, book, without=(sku,))
    assert told.extra_least is not None
    assert told.enters_below is not None
    assert told.stays_out_above is not None
    cheap = with_price(book, sku, float(told.enters_below) * (1 - 1e-6))
    assert cost(what, cheap) < without
    dear = with_price(book, sku, float(told.stays_out_above) * (1 + 1e-6))
    assert cost(what, dear) == pytest.approx(without, rel=1e-6)


def test_tokens_that_no_service_allows() -> None:
    told = ask("tokens", schedule(1))
    assert told.answer.startswith("it never entered")


def test_a_name_nobody_knows_is_told_before_the_plan_is_looked_for() -> None:
    with pytest.raises(UnknownNameError, match="did you mean acme"):
        ask("acne", schedule(1))


def test_without_time_it_still_says_what_a_plan_with_it_costs_at_most() -> None:
    """The plan as it is and one day of it beside is a plan."""
    book = market("acme 1xRTX4090 day 40", "best 1xRTX4090 day 47")
    questions = Questions(why_not=("best",), time_limit_s=0.0)
    found = plan(schedule(3, 2), book, EXACT, breakeven_s=None, questions=questions)
    [told] = found.why_not
    assert found.questions_cut_short
    assert told.extra_least == 0
    assert told.extra_most is not None
    assert 7 <= told.extra_most <= 47 + found.npv - found.bound
    assert "was not settled" in told.answer


def test_what_enters_at_no_price_is_proven_at_the_lowest() -> None:
    """A card by the month for one day, beside one that is bought for nothing more."""
    owned = schedule(1, buy="{node: 1xRTX4090, price: 1 CNY, max: 1}")
    [told] = plan(
        owned, market("core 1xA800 day 90"), EXACT, breakeven_s=None,
        questions=Questions(why_not=("core",)),
    ).why_not  # fmt: skip
    assert told.enters_below is None
    assert told.stays_out_above == Decimal(1) / 32
    assert "it would not enter at 3.13 % of its price (proven)" in told.answer
