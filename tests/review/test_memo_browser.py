"""The memo in a real browser: its arithmetic, its sliders, what it looks like, what it refuses."""

from __future__ import annotations

import math
import re
from decimal import Decimal

import pytest
from browsers import browser, printed, show
from memos import CASES, hostile, memo, positions, what_if
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from optimizer.review.memo.charts import even_curve_factors
from optimizer.review.memo.levers import levers
from optimizer.review.memo.page import LIVE, memo_html
from optimizer.review.memo.script_model import plain_question
from optimizer.review.memo.what_if import Position
from optimizer.review.memo.words import Lang, Words

NAMES = ("npv", "break_even_use", "break_even_rent", "break_even_price", "payback", "cash_at_risk")


@pytest.fixture(scope="module")
def driver():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memos")
    for lang in Lang:
        for case in ("tiny", "everything", "hostile"):
            made = hostile() if case == "hostile" else memo(case)
            for static in (False, True):
                file = folder / f"{case}-{lang}{'-static' * static}.html"
                file.write_text(memo_html(made, lang, static=static), encoding="utf-8")
    return folder


def merged(asked, steps):
    """The position with these sliders moved, and all others at the plan."""
    found = {}
    for lever in levers(asked):
        if lever.name in steps:
            at = lever.at(lever.value(steps[lever.name]))
            found |= {name: getattr(at, name) for name in Position.__dataclass_fields__
                      if getattr(at, name) != getattr(Position(), name)}  # fmt: skip
    return Position(**found)


def plain(position):
    """A position as the script takes it."""
    values = {name: getattr(position, name) for name in Position.__dataclass_fields__}
    return {name: float(value) for name, value in values.items() if value is not None}


def close(found, expected):
    if expected is None:
        return isinstance(found, str) or found is None
    return isinstance(found, int | float) and math.isclose(
        found, float(expected), rel_tol=1e-6, abs_tol=1e-6
    )


ASK = """
const [positions, asked, factors] = arguments, memo = window.rentoptMemo;
return positions.map((at) => {
  const found = memo.answer(at, asked);
  return {outcomes: found.outcomes, use: found.use, rent: found.mean_rent,
          crossover: memo.crossover(found), curve: memo.evenFactors(found),
          even: factors.map((factor) => memo.evenUse(found, factor))};
});
"""
FACTORS = [Decimal(n) / 10 for n in (5, 10, 15, 20)]


@pytest.mark.parametrize("case", CASES)
def test_the_script_finds_what_python_finds_wherever_the_sliders_stand(driver, place, case):
    show(driver, place / "everything-en.html")
    asked = what_if(case)
    grid = [merged(asked, steps) for steps in positions(case)]
    assert len(grid) > 60
    question = {**plain_question(asked)}
    found = driver.execute_script(
        ASK, [plain(at) for at in grid], _floats(question), [float(f) for f in FACTORS]
    )
    for at, script in zip(grid, found, strict=True):
        answered = asked.at(at)
        for name in NAMES:
            assert close(script["outcomes"][name], answered.value(name)), (at, name)
            if answered.value(name) is None:
                assert script["outcomes"][name] == answered.outcomes[name].metric.code
        assert close(script["use"], answered.known("utilisation"))
        assert close(script["rent"], answered.mean_rent)
        for line, reached in zip(script["crossover"], answered.crossover(), strict=True):
            for name in ("days", "rent", "buy", "if_sold"):
                got = line["sold" if name == "if_sold" else name]
                assert close(got, getattr(reached, name)), (at, name)
        curve = even_curve_factors(answered)
        assert len(script["curve"]) == len(curve)
        assert all(map(close, script["curve"], curve))
        even = [point.use for point in answered.even_use(FACTORS)]
        assert all(map(close, script["even"], even)), at


def _floats(value):
    if isinstance(value, dict):
        return {name: _floats(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_floats(part) for part in value]
    return float(value)


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("case", ["tiny", "everything"])
def test_moving_sliders_writes_what_python_would_write(driver, place, case, lang):
    show(driver, place / f"{case}-{lang}.html")
    asked, words = what_if(case), Words(lang, "CNY")
    assert "bad" not in driver.find_element(By.ID, "live-check").get_attribute("class")
    before = driver.find_element(By.CSS_SELECTOR, "#even-chart .plan").get_attribute("cx")
    steps = {"rent": 13, "price": -7, "rate": 4, "days": 1, "tariff": 3}
    for name, k in steps.items():
        driver.execute_script(
            "const i = document.getElementById(arguments[0]); i.value = arguments[1];"
            "i.dispatchEvent(new Event('input', {bubbles: true}));", f"lever-{name}", k
        )  # fmt: skip
    answered = asked.at(merged(asked, steps))
    for name, form in LIVE:
        written = driver.find_element(By.ID, f"live-{name}").text
        outcome = answered.outcomes[name]
        if outcome.value is None:
            assert written == words(f"code_{outcome.metric.code}")
        else:
            expected = words.of(form, outcome.value).lstrip("+")
            assert written.lstrip("+") == expected
    for lever in levers(asked):
        shown = driver.find_element(By.CSS_SELECTOR, f"output[for=lever-{lever.name}]").text
        assert shown == words.of(lever.form, lever.value(steps.get(lever.name, 0)))
    assert driver.find_element(By.CSS_SELECTOR, "#even-chart .plan").get_attribute("cx") != before
    driver.find_element(By.CSS_SELECTOR, "#levers button").click()
    back = driver.execute_async_script(
        "const done = arguments[0];"
        "setTimeout(() => done(document.getElementById('live-npv').textContent), 50);"
    )
    assert back == words.money(asked.base.npv, sign=True)


def test_sliders_and_charts_answer_to_the_keyboard(driver, place):
    show(driver, place / "everything-en.html")
    slider = driver.find_element(By.ID, "lever-rent")
    before = driver.find_element(By.ID, "live-npv").text
    slider.send_keys(Keys.ARROW_RIGHT)
    assert slider.get_attribute("value") == "1"
    assert driver.find_element(By.ID, "live-npv").text != before
    assert "GPU-hour" in slider.get_attribute("aria-valuetext")
    for name in ("crossover", "even"):
        box = driver.find_element(By.CSS_SELECTOR, f".scroll:has(#{name}-chart)")
        hint = driver.find_element(By.ID, f"{name}-read").text
        box.send_keys(Keys.ARROW_LEFT)
        assert driver.find_element(By.ID, f"{name}-read").text != hint


def test_pointing_at_the_crossover_reads_its_values(driver, place):
    from selenium.webdriver import ActionChains

    show(driver, place / "everything-en.html")
    chart = driver.find_element(By.ID, "crossover-chart")
    ActionChains(driver).move_to_element_with_offset(chart, 200, 0).perform()
    read = driver.find_element(By.ID, "crossover-read").text
    day = re.match(r"Day (\d+): renting ([\d,]+) CNY", read)
    assert day, read
    reached = what_if("everything").base.crossover()
    costs = {f"{at.days:.0f}": f"{at.rent:,.0f}" for at in reached}
    assert costs[day[1]] == day[2]


PAGES = [(case, lang) for case in ("tiny", "everything", "hostile") for lang in Lang]


@pytest.mark.parametrize(("case", "lang"), PAGES)
@pytest.mark.parametrize("static", ["", "-static"])
def test_a_page_says_nothing_on_the_console_and_asks_nobody(driver, place, case, lang, static):
    driver.get_log("browser")
    show(driver, place / f"{case}-{lang}{static}.html")
    assert driver.get_log("browser") == []
    assert driver.execute_script("return performance.getEntriesByType('resource')") == []


@pytest.mark.parametrize("lang", list(Lang))
def test_hostile_names_run_nothing(driver, place, lang):
    """An alert would make every later command fail; a script of theirs would be a third one."""
    show(driver, place / f"hostile-{lang}.html")
    scripts = driver.find_elements(By.TAG_NAME, "script")
    assert [script.get_attribute("id") for script in scripts] == ["model", ""]
    assert "<script>alert(1)</script>" in driver.find_element(By.TAG_NAME, "h1").text
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 1100


@pytest.mark.parametrize(("case", "lang"), PAGES)
@pytest.mark.parametrize("width", [390, 768, 1400])
def test_nothing_is_wider_than_the_window(driver, place, case, lang, width):
    show(driver, place / f"{case}-{lang}.html", width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


OVERLAPS = """
const found = [];
for (const chart of document.querySelectorAll("svg.chart")) {
  const texts = [...chart.querySelectorAll("text")].filter((t) => t.textContent.trim());
  const boxes = texts.map((t) => [t.textContent, t.getBBox()]);
  const view = chart.viewBox.baseVal;
  boxes.forEach(([text, a], i) => {
    if (a.x < -1 || a.x + a.width > view.width + 1 || a.y < -1 || a.y + a.height > view.height + 2)
      found.push([chart.id, text, "outside"]);
    for (const [other, b] of boxes.slice(i + 1))
      if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height - 2
          && b.y < a.y + a.height - 2)
        found.push([chart.id, text, other]);
  });
}
return found;
"""


@pytest.mark.parametrize(("case", "lang"), PAGES)
def test_no_label_of_a_chart_covers_another_or_leaves_it(driver, place, case, lang):
    show(driver, place / f"{case}-{lang}.html")
    assert driver.execute_script(OVERLAPS) == []


def test_a_dark_page_is_dark_and_paper_is_not(driver, place):
    ground = "return getComputedStyle(document.body).backgroundColor"
    show(driver, place / "everything-en.html", dark=True)
    assert driver.execute_script(ground) == "rgb(20, 24, 29)"
    show(driver, place / "everything-en.html")
    assert driver.execute_script(ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("case", ["everything-en", "everything-zh", "everything-en-static"])
def test_it_prints_on_a_few_pages_of_a4(driver, place, case):
    show(driver, place / f"{case}.html")
    body = printed(driver)
    assert body.startswith(b"%PDF")
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", body)
    assert boxes
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(595, 842)}
