"""Price pages: headings in their places or no price at all, spans, and text that states a rule."""

from __future__ import annotations

from decimal import Decimal

import pytest
from loopback import recorded
from sources import SOURCES
from test_contract import SEEN, fetched

from providers.adapter import Snapshot
from providers.adapters.ctyun import MACHINES
from providers.http import FetchError
from providers.live import Settings
from providers.offers import Offer, Rejected
from providers.registry import load_adapter
from providers.web_page import Layout, page_text, price_rows

PLAIN = Layout("things", {"thing": "名称", "size": r"大小(\(GB\))?", "price": r"价格\(元\)"})
HEADINGS = ("名称", "大小", "价格（元）")
PAGES = {
    "ctyun": "ctyun/prices.html",
    "gongjiyun": "gongjiyun/pricing.html",
    "omniyq": "omniyq/prices.html",
}


def test_every_source_of_pages_is_tested_here():
    assert {name for name, source in SOURCES.items() if source.page} == set(PAGES)


def page(text):
    return Snapshot("https://example.org/p", SEEN, f"<html><body>{text}</body></html>".encode())


def table(*rows, headings=HEADINGS):
    lines = [f"<tr>{''.join(f'<th>{h}</th>' for h in headings)}</tr>"]
    lines += [row if row.startswith("<tr") else f"<tr>{row}</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def cells(*texts):
    return "".join(f"<td>{text}</td>" for text in texts)


def rows(text):
    return [tuple(row.values()) for _, row in price_rows(page(text), [PLAIN])]


def parsed(name, change):
    """The recording of a source, with a text replaced."""
    old, new = change
    text = recorded(PAGES[name]).decode()
    assert old in text
    snapshot = Snapshot("https://example.org/p", SEEN, text.replace(old, new).encode())
    return list(load_adapter(name)(Settings()).parse(snapshot))


def test_a_cell_stands_in_every_row_and_column_it_spans():
    text = table(
        '<td rowspan="3">a</td><td>1</td><td>2.50</td>',
        '<td>2</td><td rowspan="2">5</td>',
        "<td>3</td>",
        '<td colspan="2">b</td><td>9</td>',
    )
    assert rows(text) == [
        ("a", "1", "2.50"), ("a", "2", "5"), ("a", "3", "5"), ("b", "b", "9"),
    ]  # fmt: skip


@pytest.mark.parametrize("nothing", ["", "-", "—", " / ", "－", "暂无", "询价"])
def test_a_cell_that_says_nothing_is_empty(nothing):
    assert rows(table(cells("a", "1", nothing))) == [("a", "1", "")]


def test_digits_of_two_texts_in_a_cell_do_not_become_one_number():
    assert rows(table(cells("a", "1", "<s>31</s><b>27</b>"))) == [("a", "1", "31 27")]


def test_full_width_signs_spaces_and_units_do_not_matter_in_a_heading():
    given = ("名 称", "大小（ＧＢ）", "价格\n(元)")
    assert rows(table(cells("a", "1", "２.５"), headings=given)) == [("a", "1", "2.5")]


def test_tables_without_money_are_passed_over():
    other = table(cells("1年", "8折"), headings=("时长", "折扣"))
    assert rows(f"{other}<table></table>{table(cells('a', '1', '2'))}") == [("a", "1", "2")]


def test_a_table_inside_a_cell_is_a_table_of_its_own():
    inner = table(cells("b", "2", "3"))
    outer = f"<table><tr><td>menu</td><td>{inner}</td></tr></table>"
    assert rows(outer) == [("b", "2", "3")]


@pytest.mark.parametrize(
    "headings",
    [
        ("大小", "名称", "价格（元）"),
        ("名称", "大小", "价格（万元）"),
        ("名称", "大小", "价格（元）", "备注"),
        ("名称", "价格（元）"),
        ("名称", "大小", "含税价格（元）"),
    ],
)
def test_other_headings_are_no_price_but_an_error_that_names_them(headings):
    with pytest.raises(FetchError, match="other columns") as told:
        rows(table(cells(*"1234"[: len(headings)]), headings=headings))
    assert headings[0] in str(told.value)


@pytest.mark.parametrize("odd", [cells("a", "1"), cells("a", "1", "2", "3"), "<td>a<td>1<td>2"])
def test_a_row_of_another_length_is_an_error(odd):
    with pytest.raises(FetchError, match="cells under 3 headings"):
        rows(table(cells("a", "1", "2"), odd))


@pytest.mark.parametrize(
    "text", ["", "<p>价格（元）</p>", table(cells("a", "1"), headings=("名称", "大小"))]
)
def test_a_page_without_the_table_is_an_error(text):
    with pytest.raises(FetchError, match="no price table of things"):
        rows(text)


def test_other_encodings_are_told_not_guessed():
    snapshot = Snapshot("https://example.org/p", SEEN, "<html>价格</html>".encode("gbk"))
    with pytest.raises(FetchError, match="not UTF-8"):
        page_text(snapshot)


def test_scripts_and_styles_are_no_text():
    text = "<style>p {}</style><p>8*<b>H800</b></p><script>9</script>"
    assert page_text(page(text)) == "8* H800"


# -- CTyun ----------------------------------------------------------------------------------


@pytest.mark.parametrize("heading", ["vCPU", "内存", "显存", "显卡数", "显卡类型", "价格（元/月）"])
def test_any_renamed_column_of_ctyun_stops_it(heading):
    with pytest.raises(FetchError, match="other columns"):
        parsed("ctyun", (f"<p>{heading}</p>", f"<p>新{heading}</p>"))


def test_the_months_of_ctyun_are_not_taken_for_hours():
    swapped = (
        "<th><p>按需价格（元/小时）</p></th><th><p>价格（元/月）</p></th>",
        "<th><p>价格（元/月）</p></th><th><p>按需价格（元/小时）</p></th>",
    )
    with pytest.raises(FetchError, match="other columns"):
        parsed("ctyun", swapped)


def test_the_memory_of_ctyun_is_that_of_all_cards():
    fates = parsed("ctyun", ("<td><p>640</p></td>", "<td><p>320</p></td>"))
    found = next(f for f in fates if isinstance(f, Offer) and f.gpu_count == 8)
    assert (found.instance_type, found.gpu) == ("p8av.27xlarge.8", "A100-40GB")


def test_columns_of_ctyun_are_the_documented_ones():
    headings = "规格名称|vCPU|内存|显存|显卡数|显卡类型|按需价格(元/小时)|价格(元/月)"
    assert MACHINES.fits(headings.split("|"))


# -- Gongjiyun ------------------------------------------------------------------------------


def of_model(fates, model):
    return [f for f in fates if isinstance(f, Offer) and f.purchase_model == model]


def test_preemptible_jobs_cost_the_share_that_the_page_states():
    fates = parsed("gongjiyun", ("统一 <b>6</b> 折", "统一4.5折"))
    prices = {offer.gpu: offer.price.amount for offer in of_model(fates, "spot")}
    assert prices["RTX4090"] == Decimal("1.98") * Decimal("0.45")


@pytest.mark.parametrize("said", ["统一优惠", "统一 6 折，夜间抢占式 5 折", "统一六折"])
def test_without_one_stated_share_no_preemptible_price_is_made_up(said):
    fates = parsed("gongjiyun", ("统一 <b>6</b> 折", said))
    assert of_model(fates, "spot") == []
    refused = [f for f in fates if isinstance(f, Rejected) and "no share" in f.reason]
    assert len(refused) == 10 - 1  # of ten rows, one cannot be read at all
    assert len(of_model(fates, "on_demand")) == 6


def test_bare_metal_of_gongjiyun_is_paid_for_thirty_days_at_once():
    adapter, snapshots = fetched("gongjiyun")
    (package,) = of_model([f for s in snapshots for f in adapter.parse(s)], "prepaid")
    assert package.prepaid
    assert (str(package.tenor), package.price.amount, package.gpu_count) == (
        "P30D", Decimal("8314.10"), 8,
    )  # fmt: skip


def test_each_table_of_gongjiyun_must_be_there():
    with pytest.raises(FetchError, match="no price table of bare metal"):
        parsed("gongjiyun", ("价格（元/30天）", "价格"))


# -- Omniyq ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "price"),
    [
        ("8*H800 - 90000/月", 90000),
        ("8 × H800-90,000 / 月", 90000),
        ("16*H800 — 180000/月", 180000),
        ("8*H800 - 9万/月", None),
        ("8*H800 - 80000-90000/月", None),
        ("8*H800 - 9.5/月", None),
        ("8*H800 面议, 90000/月", None),
        ("8*H800 - 9,0000/月", None),
    ],
)
def test_a_line_of_omniyq_is_a_price_only_as_a_whole(line, price):
    fates = parsed("omniyq", ("8*H800 - 90000/月", line))
    offers = {f.gpu: f for f in fates if isinstance(f, Offer)}
    assert len(fates) == 13
    assert (offers["H800-SXM5-80GB"].price.amount if price else None) == price
    assert ("H800-SXM5-80GB" in offers) == (price is not None)


def test_a_page_of_omniyq_without_a_monthly_price_is_an_error():
    with pytest.raises(FetchError, match="nothing in it is per month"):
        parsed("omniyq", ("月", "年"))
