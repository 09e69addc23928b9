"""What is recommended, until when it holds, and what makes it a draft."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from memos import memo
from review_cases import everything, tiny

from optimizer.cautions import STALE_DAYS
from optimizer.review.memo.memo import make_memo
from optimizer.review.memo.register import is_draft, register
from optimizer.review.memo.sayings import Sayings
from optimizer.review.memo.what_if import make_what_if
from optimizer.review.memo.words import Lang, Words
from optimizer.review.workbook.question import make_question


def remade(plan, problem, **changed):
    return make_memo(replace(plan, **changed), problem, make_question(plan, problem))


def test_what_the_plan_does_is_recommended():
    assert memo("everything").decision.buys
    assert not memo("tiny").decision.buys
    assert memo("everything").decision.capex == sum(
        line.price for line in memo("everything").plan.bought
    )


def test_a_plan_that_buys_holds_until_its_purchase_is_paid_at_the_latest():
    made = memo("everything")
    assert made.decision.until.day <= min(line.paid for line in made.plan.bought)


def test_an_old_price_ends_it_ninety_days_after_it_was_seen():
    plan, problem = everything()
    seen = plan.as_of - timedelta(STALE_DAYS + 1)
    rentals = tuple(replace(r, observed_at=seen) for r in plan.rentals)
    made = remade(plan, problem, rentals=rentals)
    assert made.decision.until.day == seen + timedelta(STALE_DAYS)
    assert made.decision.until.why == "price"
    assert made.decision.expired(plan.as_of)
    said = Sayings(made, Words(Lang.EN, plan.currency)).cautions()
    assert any("expired" in line for line in said)


def test_a_plan_that_rents_all_holds_until_it_begins_to_rent_at_the_latest():
    made = memo("tiny")
    assert made.decision.until.day <= min(r.start for r in made.plan.rentals)


def test_a_purchase_that_does_not_pay_by_itself_is_said_to_be_one():
    """The plan buys, and the cheapest rental of the same hours is made nearly free."""
    plan, problem = everything()
    question = make_question(plan, problem)
    lots = tuple(replace(lot, rent=Decimal("0.001")) for lot in question.lots)
    made = make_memo(plan, problem, replace(question, lots=lots))
    assert made.npv < 0
    assert made.decision.buys
    assert not made.decision.agrees
    said = Sayings(made, Words(Lang.EN, plan.currency)).cautions()
    assert any("By itself the purchase is dearer" in line for line in said)


def test_a_plan_whose_gap_hides_more_than_npv_says_so():
    plan, problem = everything()
    npv = abs(memo("everything").npv)
    for left, told in ((npv / 2, False), (npv * 2, True)):
        answers = tuple(
            replace(a, bound=a.npv - left) if a.kind == "mix" else a for a in plan.answers
        )
        made = remade(plan, problem, answers=answers)
        assert (made.decision.unproven is not None) is told
        for lang, words in ((Lang.EN, "more than NPV"), (Lang.ZH, "超过上述净现值")):
            said = Sayings(made, Words(lang, plan.currency)).cautions()
            assert any(words in line for line in said) is told


def test_the_register_has_every_assumption_and_ranks_them_by_effect():
    plan, problem = everything()
    asked = make_what_if(make_question(plan, problem), problem)
    rows = register(asked, plan, problem)
    assert {"rate", "tariff", "pue", "rent", "price", "use", "busy_kw", "idle_kw"} <= {
        row.name for row in rows
    }
    assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
    effects = [row.effect or Decimal(0) for row in rows]
    assert effects == sorted(effects, reverse=True)
    quoted = next(row for row in rows if row.name == "rent")
    lot = asked.question.lots[0]
    assert (quoted.value, quoted.observed_at) == (lot.rent, lot.quote.observed_at)
    assert plan.price_sources[0].sha256[:12] in quoted.snapshot


def test_who_set_an_assumption_is_what_the_schedule_says_or_a_default_with_its_source():
    plan, problem = tiny()
    rows = register(make_what_if(make_question(plan, problem), problem), plan, problem)
    given = problem.costs.money.model_fields_set
    for name, field in (("rate", "discount_rate"), ("pue", "pue"), ("tariff", "electricity")):
        row = next(row for row in rows if row.name == name)
        assert row.set_by == ("file" if field in given else "default")
        assert (row.observed_at is not None) == (row.set_by == "default")


def test_a_default_that_moves_the_answer_by_a_twentieth_makes_a_draft():
    plan, problem = tiny()
    rows = register(make_what_if(make_question(plan, problem), problem), plan, problem)
    row = replace(rows[0], set_by="default", effect=Decimal(6))
    assert is_draft([row], Decimal(100))
    assert not is_draft([replace(row, effect=Decimal(5))], Decimal(100))
    assert not is_draft([replace(row, set_by="file")], Decimal(100))
