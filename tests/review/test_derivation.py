"""Every answer of a review unfolds into steps that can be done again, down to what has a source."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_cases import BASE, FULL, HOSTILE, QUOTE, everything, questions, tiny

from optimizer.review.arithmetic import evaluate, substituted
from optimizer.review.derivation.answers import answer_figures
from optimizer.review.figure import Figure, How, as_data, explain, find
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.sensitivity.ranges import spans
from optimizer.review.workbook.outcomes import npv_of, outcomes

D = Decimal
ROUNDING = D("1e-20")
"""Share that the 28 digits of decimals leave open when sums are made in another order."""


def with_lot(question, **changed):
    return replace(question, lots=(replace(question.lots[0], **changed), *question.lots[1:]))


ODD = {
    "no interest": replace(FULL, rate=D(0)),
    "never used": with_lot(BASE, use=D(0)),
    "hopeless": with_lot(BASE, rent=D("0.01"), quote=replace(BASE.lots[0].quote, amount=D("0.01"))),
    "a gift": with_lot(BASE, price=D(1), residual=D(3)),
    "sold after the end": with_lot(BASE, sold=5000),
    "taxed at once": replace(FULL, tax_at_once=D(1), tax_floor=D(0)),
    "two alike": replace(BASE, lots=(BASE.lots[0], BASE.lots[0])),
}


NAMES = ("tiny", "everything", "base", "full", *ODD)


def case(name):
    """Question, plan and problem; no plan where the question was made by hand."""
    if name in ODD:
        return ODD[name], None, None
    planned = {"tiny": tiny, "everything": everything}.get(name, lambda: (None, None))
    return questions()[name][0], *planned()


def distinct(figures):
    """Each figure once, however often it is used."""
    seen = {}
    waiting = list(figures)
    while waiting:
        figure = waiting.pop()
        if id(figure) not in seen:
            seen[id(figure)] = figure
            waiting += figure.inputs
    return seen.values()


def near(one, other):
    return abs(one - other) <= ROUNDING * max(D(1), abs(one), abs(other))


@pytest.mark.parametrize("name", NAMES)
def test_each_answer_is_the_one_of_the_review(name):
    question, plan, problem = case(name)
    shown = answer_figures(question, plan, problem)
    for figure, outcome in zip(shown, outcomes(question), strict=True):
        assert figure.name == outcome.name
        assert (figure.title, figure.unit) == (outcome.title, outcome.unit)
        assert (figure.value is None) == (outcome.value is None)
        if outcome.value is not None:
            assert near(figure.value, outcome.value), outcome.name
        else:
            assert figure.code == outcome.metric.code


@pytest.mark.parametrize("name", NAMES)
def test_each_step_can_be_done_again_from_what_stands_below_it(name):
    hows = set()
    for figure in distinct(answer_figures(*case(name))):
        if figure.how is How.GIVEN:
            assert not figure.inputs
            assert figure.source, figure.name
            continue
        hows.add(figure.how)
        assert figure.formula, figure.name
        if figure.value is not None:
            assert figure.how is not How.WORDS, figure.name
            again = figure.recomputed
            assert again is not None, figure.name
            assert near(again, figure.value), figure.name
    assert {How.SUM, How.PRODUCT, How.FORMULA} <= hows


@pytest.mark.parametrize("name", NAMES)
def test_one_name_is_one_value_so_that_as_above_is_true(name):
    for top in answer_figures(*case(name)):
        known = {}
        for figure in distinct([top]):
            assert known.setdefault(figure.name, figure.value) == figure.value, figure.name


@pytest.mark.parametrize("name", [outcome.name for outcome in outcomes(BASE)])
def test_every_answer_of_the_json_is_reached_by_its_name(name):
    plan, problem = everything()
    figure = find(answer_figures(questions()["everything"][0], plan, problem), name)
    text = "\n".join(explain(figure))
    assert text.isprintable() or "\n" in text
    assert figure.title in text


def test_npv_goes_down_to_the_quote_with_its_day_its_table_and_who_set_what():
    plan, problem = everything()
    question = questions()["everything"][0]
    text = "\n".join(explain(answer_figures(question, plan, problem)[0]))
    quote = question.lots[0].quote
    assert f"seen on {quote.observed_at}, in {plan.price_sources[0].name}" in text
    assert "set by the schedule" in text
    assert "set by default" in text
    assert "set by the plan" in text
    assert f"= {question.lots[0].nodes} * 2 * 24 *" in text  # nodes * gpus * hours, in numbers


@pytest.mark.parametrize("name", ["everything", "full"])
def test_with_another_assumption_every_answer_unfolds_as_well(name):
    """Each end of a bar of the tornado is reached so; what was changed has nothing below it."""
    question, plan, problem = case(name)
    for span in spans(question, problem):
        changed = ALL[span.driver].put(question, span.high)
        shown = answer_figures(changed, plan, problem, [span.driver])
        assert near(shown[0].value, npv_of(changed)), span.driver
        asked = {f.name for f in distinct(shown) if f.set_by == "the command"}
        moved = span.driver != "delay" or span.high > 0
        assert asked or not moved, span.driver
        for figure in distinct(shown):
            if figure.how is not How.GIVEN and figure.value is not None:
                assert near(figure.recomputed, figure.value), (span.driver, figure.name)


def test_the_data_says_what_the_text_says():
    figure = answer_figures(BASE)[0]
    body = as_data(figure)
    assert body["name"] == "npv"
    assert body["formula"] == "pv_rent - pv_buy"
    assert [part["symbol"] for part in body["inputs"]] == ["pv_rent", "pv_buy"]
    assert "inputs" not in as_data(figure, depth=0)
    repeated = [part for part in _parts(body) if part.get("as_above")]
    assert repeated
    assert all("inputs" not in part for part in repeated)


def _parts(body):
    yield body
    for part in body.get("inputs", []):
        yield from _parts(part)


def test_names_of_strangers_do_nothing_in_a_derivation():
    lot = replace(BASE.lots[0], quote=replace(QUOTE, name=HOSTILE, source=HOSTILE, region=HOSTILE))
    for line in explain(answer_figures(replace(BASE, lots=(lot,)))[0]):
        assert line.isprintable()
        assert len(line) < 5000


# -- arithmetic ----------------------------------------------------------------------------------


@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 99), st.integers(0, 4))
def test_a_formula_is_worked_out_as_it_is_written(a, b, c, n):
    values = {"a": D(a), "b": D(b), "c": D(c), "n": D(n)}
    assert evaluate("a - b * c", values) == a - b * c
    assert evaluate("(a - b) * c", values) == (a - b) * c
    assert evaluate("a ^ n", values) == a**n
    assert evaluate("-a / b", values) == -D(a) / b
    assert evaluate("max(a, min(b, c))", values) == max(a, min(b, c))


def test_several_inputs_of_one_name_are_a_list():
    values = {"x": [D(3), D(-5), D(1)]}
    assert evaluate("sum(x)", values) == -1
    assert evaluate("-lowest(x)", values) == 2


@pytest.mark.parametrize(
    "formula", ["open('x')", "a.b", "a if a else b", "[1]", "unknown + 1", "a +", "x", "x + 1"]
)
def test_nothing_but_arithmetic_is_a_formula(formula):
    with pytest.raises(ValueError, match=r"means nothing|no formula|is a list"):
        evaluate(formula, {"a": D(1), "b": D(2), "x": [D(1)]})


def test_numbers_stand_where_the_names_were():
    assert substituted("nodes * node", {"nodes": "3", "node": "4"}) == "3 * 4"
    minus = Figure("x", "x", D(-2), "", source="s", symbol="x")
    made = Figure("y", "y", D(2), "", How.FORMULA, "-x", (minus,))
    assert made.numbers == "-(-2)"
