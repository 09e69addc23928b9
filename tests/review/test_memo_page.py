"""The memo as a file: self-contained, sound, in both languages, and harmless."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from bs4 import BeautifulSoup
from memos import hostile, memo
from review_cases import HOSTILE

from optimizer.review.memo.check import Check
from optimizer.review.memo.page import memo_html
from optimizer.review.memo.palette import DARK, LIGHT, ON, contrast
from optimizer.review.memo.words import Lang, _texts

CASES = ("tiny", "everything")
FIGURES = {
    "npv", "plan.saves.rent", "cash_at_risk", "break_even_use", "utilisation",
    "valid_until", "irr", "payback", "saving", "plan.pv",
    "plan.answer.rent", "ladder.1.saving", "net.1", "pv_net.1", "tornado.rent.low",
    "rent_1", "discount_rate", "use_1", "break_even_price", "capex",
}  # fmt: skip


@cache
def html(case, lang=Lang.EN, static=False):
    made = hostile() if case == "hostile" else memo(case)
    return memo_html(made, lang, static=static)


@cache
def page(case, lang=Lang.EN, static=False):
    return BeautifulSoup(html(case, lang, static), "html.parser")


def figure(soup, key):
    return soup.find(attrs={"data-figure": key})


EVERY = [(case, lang, static) for case in (*CASES, "hostile") for lang in Lang
         for static in (False, True)]  # fmt: skip


@pytest.mark.parametrize(("case", "lang", "static"), EVERY)
def test_nothing_is_asked_of_anywhere_else(case, lang, static):
    soup = page(case, lang, static)
    assert not soup.find_all(["link", "img", "iframe", "object", "embed", "base", "audio", "video"])
    for element in soup.find_all(True):
        for name, value in element.attrs.items():
            assert name not in ("src", "action", "srcset", "style", "xlink:href"), element
            assert not name.startswith("on"), element
            assert name != "href" or value.startswith("#"), element
    style = soup.style.string
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize(("case", "lang", "static"), EVERY)
def test_the_policy_allows_the_style_and_the_script_in_the_page_and_nothing_else(
    case, lang, static
):
    soup = page(case, lang, static)
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; ")
    for name, element in (("style", soup.style), ("script", soup.find("script", type=None))):
        if element is None:
            assert f"{name}-src" not in policy
            continue
        digest = base64.b64encode(hashlib.sha256(element.string.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("lang", list(Lang))
def test_sizes_stay_small_and_a_static_memo_has_no_script(case, lang):
    assert len(html(case, lang).encode()) < 1_500_000
    static = html(case, lang, static=True)
    assert len(static.encode()) < 300_000
    assert "<script" not in static
    assert "<input" not in static


def test_the_same_memo_gives_the_same_bytes():
    assert memo_html(memo("everything")) == memo_html(memo("everything"))


@pytest.mark.parametrize(("case", "lang", "static"), EVERY)
def test_tables_and_pictures_can_be_read_without_seeing_them(case, lang, static):
    soup = page(case, lang, static)
    assert soup.html["lang"] == {"en": "en", "zh": "zh-CN"}[lang]
    for name in ("header", "main", "footer", "h1"):
        assert len(soup.find_all(name)) == 1
    assert all(th.get("scope") in ("col", "row") for th in soup.find_all("th"))
    assert all(table.caption.get_text(strip=True) for table in soup.find_all("table"))
    ids = [element["id"] for element in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for chart in soup.find_all("svg", class_="chart"):
        assert chart["role"] == "img"
        for part in ("aria-labelledby", "aria-describedby"):
            assert soup.find(id=chart[part]).get_text(strip=True)
    for section in soup.find_all("section"):
        assert soup.find(id=section["aria-labelledby"]).name == "h2"
    for field in soup.find_all("input"):
        assert soup.find("label", {"for": field["id"]}).get_text(strip=True)


@pytest.mark.parametrize("case", CASES)
def test_each_chart_has_its_table(case):
    soup = page(case)
    for name in ("crossover", "explore", "tornado", "calendar"):
        section = soup.find("section", id=name)
        assert section.find("svg", class_="chart")
        assert len(section.details.find_all("tr")) > 1, name


def test_figures_carry_their_names_and_exact_values():
    soup, made = page("everything"), memo("everything")
    assert {element["data-figure"] for element in soup.find_all("data")} >= FIGURES
    assert Decimal(figure(soup, "npv")["value"]) == made.npv
    saved = made.plan.answer("rent").npv - made.plan.answer("mix").npv
    assert Decimal(figure(soup, "plan.saves.rent")["value"]) == saved
    assert figure(soup, "payback")["value"] == str(made.base.value("payback") or "")


def test_the_first_page_says_it_all():
    soup, made = page("everything"), memo("everything")
    first = soup.find("section", class_="first").get_text(" ", strip=True)
    assert made.decision.buys
    assert "Buy" in first
    for key in ("npv", "cash_at_risk", "break_even_use",
                "utilisation", "valid_until"):  # fmt: skip
        assert figure(soup, key).get_text() in first
    assert made.decision.flip is not None
    assert "What flips it" in first
    refused = page("tiny").find("section", class_="first").get_text(" ", strip=True)
    assert "Rent" in refused


def test_a_failed_check_is_shown_as_failed():
    made = memo("everything")
    bad = replace(made, checks=(Check("flows", Decimal("0.01")),))
    soup = BeautifulSoup(memo_html(bad), "html.parser")
    assert soup.find("section", id="checks").find("td", class_="bad").get_text() == "fails"
    assert not page("everything").find("section", id="checks").find("td", class_="bad")


# -- totals ----------------------------------------------------------------------------------------


def shown(cell):
    return Decimal(cell.get_text().replace(",", "").replace("−", "-"))


@pytest.mark.parametrize("case", CASES)
def test_cash_at_risk_is_the_lowest_sum_of_the_cash_flow_as_printed(case):
    soup = page(case)
    rows = soup.find("section", id="cash").table.tbody.find_all("tr")
    so_far = [row.find_all(["th", "td"])[7].get_text(strip=True) for row in rows]
    lowest = min(int(text.replace(",", "").replace("−", "-").lstrip("+")) for text in so_far)
    risk = figure(soup, "cash_at_risk").get_text(strip=True)
    assert risk.split()[0] == f"{-lowest:,}"


def test_the_commands_that_repeat_it_have_the_options_of_the_plan():
    made = memo("tiny")
    options = ("--gap 2%", "--without 'a b'")
    again = replace(made, plan=replace(made.plan, options=options))
    soup = BeautifulSoup(memo_html(again), "html.parser")
    first = soup.find("section", id="repeat").pre.get_text().strip().splitlines()[0]
    assert "--gap 2% --without 'a b' --format json" in first
    assert "a b" in shlex.split(first)


@pytest.mark.parametrize("case", CASES)
def test_the_cash_flow_adds_up_across_and_down_as_it_is_printed(case):
    soup = page(case)
    table = soup.find("section", id="cash").table
    lines = [[shown(cell) for cell in row.find_all(["td"])[1:]] for row in table.tbody("tr")]
    for line in lines:
        assert sum(line[:4]) == line[4]
    for column in (0, 1, 2, 3, 4, 6):
        total = shown(table.tfoot.find_all(["th", "td"])[column + 2])
        assert sum(line[column] for line in lines) == total
    assert lines[-1][5] == sum(line[4] for line in lines)
    assert lines[-1][7] == sum(line[6] for line in lines)
    npv = figure(soup, "npv").get_text().split()[0]
    assert npv == table.tfoot.find_all(["th", "td"])[8].get_text().strip()


def test_the_savings_of_the_nodes_add_up_as_they_are_printed():
    rows = page("everything").find("section", id="ladder").table.tbody("tr")
    savings = [shown(row.find_all("td")[2]) for row in rows]
    reached = [shown(row.find_all("td")[3]) for row in rows]
    assert reached == [sum(savings[: n + 1]) for n in range(len(savings))]
    assert reached[-1] == round(memo("everything").npv)


def test_what_is_bought_and_rented_adds_up_as_it_is_printed():
    tables = page("everything").find("section", id="calendar").find_all("table")
    for table, column in ((tables[1], 4), (tables[2], 5)):
        cells = [row.find_all(["th", "td"])[column] for row in table.tbody("tr")]
        total = table.tfoot.find_all(["th", "td"])[column]
        assert sum(map(shown, cells)) == shown(total)


# -- languages -------------------------------------------------------------------------------------

KEPT = re.compile(
    r"GPU|NPV|CVaR|IRR|MIRR|PUE|kWh|kW|PV|SHA-256|rentopt|breakeven|regime|RTX\S*|A\d+\S*|\d+x\S+|CNY"
    r"|buy(?= )|Qwen\S*|q?lora|pretrain|rocm|cuda|habana"
)
"""Names and units that are the same in Chinese."""


@pytest.mark.parametrize("case", CASES)
def test_a_chinese_memo_says_everything_in_chinese_or_marks_it_as_quoted(case):
    soup = BeautifulSoup(html(case, Lang.ZH), "html.parser")
    for element in soup(["script", "style", "pre", "code"]):
        element.decompose()
    for element in soup.find_all(attrs={"lang": "en"}):
        element.decompose()
    made = memo(case)
    names = {made.plan.name, made.plan.schedule, *(w for w, _, _ in made.plan.rejected)}
    names |= {line.workload for line in made.plan.assignments}
    names |= {r.offer for r in made.plan.rentals} | {r.quoted for r in made.plan.rentals}
    names |= {lot.quote.name for lot in made.question.lots}
    names |= set(made.plan.tables)
    for text in soup.html.find_all(string=True):
        said = str(text)
        for name in sorted(names, key=len, reverse=True):
            said = said.replace(name, "")
        said = KEPT.sub("", re.sub(r"[0-9a-f]{12,}", "", said))
        assert not re.search(r"[A-Za-z]{4,}", said), said


def test_every_text_is_there_in_both_languages_with_the_same_fields():
    for key, texts in _texts().items():
        assert set(texts) == {"en", "zh"}, key
        fields = [set(re.findall(r"\{\w+\}", text)) for text in texts.values()]
        assert fields[0] == fields[1], key
        assert not re.search(r"[A-Za-z]{9,}", re.sub(r"\{\w+\}|breakeven|rentopt", "",
                                                     texts["zh"])), key  # fmt: skip


def test_amounts_and_days_are_written_as_each_language_does():
    day = memo("everything").decision.until.day
    english, chinese = (figure(page("everything", lang), "valid_until").get_text() for lang in Lang)
    assert english == f"{day.day} {day:%b %Y}"
    assert chinese == f"{day.year}年{day.month}月{day.day}日"
    assert figure(page("everything"), "npv").get_text().endswith(" CNY")
    assert figure(page("everything", Lang.ZH), "npv").get_text().endswith(" 元")


# -- harm ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("static", [False, True])
def test_hostile_names_are_text_and_short(lang, static):
    text, soup = html("hostile", lang, static), page("hostile", lang, static)
    assert "<script>alert" not in text
    assert len(soup.find_all("script")) == (0 if static else 2)
    assert "\u202e" not in text
    assert "\x07" not in text
    assert len(text.encode()) < 300_000
    assert HOSTILE[:20] in soup.get_text()


# -- colours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("use", sorted(ON))
def test_colours_stand_out_as_wcag_asks(theme, use):
    colours, grounds, least = ON[use]
    for colour in colours:
        for ground in grounds:
            assert contrast(theme[colour], theme[ground]) >= least, (colour, ground)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_every_answer_and_assumption_is_named_as_in_the_workbook():
    from optimizer.review.workbook.answers import add_answers
    from optimizer.review.workbook.model import make_model

    made = memo("everything")
    model = make_model(made.question)
    add_answers(model)
    for element in page("everything").find_all("data"):
        key, value = element["data-figure"], element["value"]
        if key in model.names and value:
            cell = model[key].content
            assert cell == pytest.approx(float(value), rel=1e-9, abs=1e-9), key
    answers = {answer.name for answer in model.answers} - {"npv_after_tax"}
    assert answers <= {element["data-figure"] for element in page("everything").find_all("data")}
