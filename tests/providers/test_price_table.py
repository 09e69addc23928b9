"""Price tables: what is sound is read exactly, what is faulty is refused with its place."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.errors import DocumentError
from providers.hardware import accelerators
from providers.money import CURRENCIES, Money
from providers.offers import Offer
from providers.price_table import (
    INTERCONNECTS,
    OFFER_COLUMNS,
    QUOTE_COLUMNS,
    read_hardware_offers,
    read_offers,
    read_rejected,
    read_running_costs,
    read_tokens,
    write_offers,
)
from providers.terms import Increment, PurchaseModel, Tenor, Tier

SOUND = {
    "provider": "northgpu",
    "sku": "northgpu/8xH800/cn",
    "instance_type": "8x H800",
    "region": "cn",
    "tier": "specialist",
    "gpu": "H800",
    "gpu_count": "8",
    "interconnect": "nvlink",
    "vcpu": "128",
    "ram_gb": "1024",
    "purchase_model": "on_demand",
    "increment": "hour",
    "tenor": "",
    "price": "71.04",
    "currency": "CNY",
    "upfront": "",
    "tax_included": "yes",
    "min_units": "1",
    "max_units": "4",
    "max_gpus_per_host": "8",
    "observed_at": "2026-11-01",
    "valid_until": "2026-12-31",
    "confidence": "B",
    "source": "northgpu.example/prices",
    "note": "",
}


def table(*rows, columns=OFFER_COLUMNS):
    """A table in bytes, of sound rows with the given changes."""
    lines = [",".join(columns)]
    for number, changes in enumerate(rows):
        cells = SOUND | {"sku": f"sku-{number}"} | changes
        lines.append(",".join(cells[column] for column in columns))
    return ("\n".join(lines) + "\n").encode()


def faults_of(data, reader=read_offers):
    with pytest.raises(DocumentError) as raised:
        reader(data, "prices.csv")
    return [str(fault) for fault in raised.value.faults]


def test_a_sound_row_is_read_cell_by_cell():
    offers, rejected = read_offers(table({"sku": "s1", "upfront": "12.5"}))
    assert not rejected
    assert offers == [
        Offer(
            provider="northgpu",
            sku="s1",
            instance_type="8x H800",
            region="cn",
            tier=Tier.SPECIALIST,
            gpu="H800-SXM5-80GB",
            gpu_count=8,
            interconnect="nvlink",
            vcpu=Decimal(128),
            ram_gb=Decimal(1024),
            purchase_model=PurchaseModel.ON_DEMAND,
            increment=Increment.HOUR,
            tenor=Tenor(),
            price=Money(Decimal("71.04"), "CNY"),
            upfront=Money(Decimal("12.5"), "CNY"),
            tax_included=True,
            min_units=1,
            max_units=4,
            max_gpus_per_host=8,
            observed_at=date(2026, 11, 1),
            valid_until=date(2026, 12, 31),
            confidence="B",
            source="northgpu.example/prices",
        )
    ]


def test_a_quote_needs_ten_columns_and_gets_careful_defaults():
    [quote], _ = read_offers(table({}, columns=QUOTE_COLUMNS))
    assert quote.sku == "northgpu/8x H800/any/on_demand"
    assert (quote.tier, quote.region, quote.interconnect) == (Tier.OWN_QUOTE, "any", "unknown")
    assert (quote.min_units, quote.max_units, quote.max_gpus_per_host) == (1, None, 8)
    assert (quote.tax_included, quote.confidence, quote.upfront.amount) == (None, "B", 0)


def test_two_quotes_of_one_machine_get_two_skus():
    quotes, _ = read_offers(table({}, {"price": "70"}, columns=QUOTE_COLUMNS))
    assert [quote.sku for quote in quotes] == [
        "northgpu/8x H800/any/on_demand",
        "northgpu/8x H800/any/on_demand/2",
    ]


BROKEN = {
    "a blank price": ({"price": ""}, "2:14: price: price is empty; a missing price is never 0"),
    "a price of zero": ({"price": "0"}, "2:14: price: price is 0; a price that is not known"),
    "a negative price": ({"price": "-4"}, "2:14: price: price is below 0 (got '-4')"),
    "a price that is NaN": ({"price": "NaN"}, "2:14: price: 'NaN' is not a number"),
    "an infinite price": ({"price": "inf"}, "2:14: price: 'inf' is not a number"),
    "a price in words": ({"price": "ask"}, "2:14: price: 'ask' is not a number"),
    "a price with a sign": ({"price": "¥4.98"}, "without separators or signs of currency"),
    "a price with a separator": ({"price": "1 234"}, "'1 234' is not a number"),
    "yuan by another name": (
        {"currency": "RMB"},
        "15: currency: 'RMB' is not a known currency; hint: did you mean CNY?",
    ),
    "a currency unknown here": ({"currency": "JPY"}, "'JPY' is not a known currency; hint: one of"),
    "no currency": ({"currency": ""}, "2:15: currency: currency is empty"),
    "a currency in lower case": ({"currency": "usd"}, "hint: did you mean USD?"),
    "a negative upfront": ({"upfront": "-1"}, "2:16: upfront: upfront is below 0 (got '-1')"),
    "a misspelled GPU": (
        {"gpu": "H80O"},
        "2:6: gpu: 'H80O' is no GPU in the hardware table; hint: did you mean H800-SXM5-80GB",
    ),
    "no GPU": ({"gpu": ""}, "2:6: gpu: gpu is empty"),
    "half a GPU": ({"gpu_count": "0.5"}, "2:7: gpu_count: '0.5' is not a whole number from 1"),
    "no GPUs at all": ({"gpu_count": "0"}, "gpu_count: '0' is not a whole number from 1"),
    "a count left out": ({"gpu_count": ""}, "2:7: gpu_count: gpu_count is empty"),
    "a purchase model with a blank": (
        {"purchase_model": "on demand"},
        "2:11: purchase_model: 'on demand' is not a purchase model; hint: did you mean on_demand?",
    ),
    "an unknown increment": (
        {"increment": "hourly"},
        "2:12: increment: 'hourly' is not an increment; hint: did you mean hour?",
    ),
    "no increment": ({"increment": ""}, "2:12: increment: increment is empty"),
    "a tenor in words": (
        {"tenor": "1 month"},
        "2:13: tenor: '1 month' is not a tenor; hint: did you mean P1M?",
    ),
    "a tenor in hours": ({"tenor": "PT8H"}, "'PT8H' is not a tenor; hint: such as P1D or P1Y"),
    "a tenor of nothing": ({"tenor": "P0D"}, "'P0D' is not a tenor"),
    "a reservation without a tenor": (
        {"purchase_model": "reserved"},
        "2:13: tenor: reserved needs a tenor; hint: how long it runs",
    ),
    "a tenor shorter than its increment": (
        {"purchase_model": "prepaid", "increment": "month", "tenor": "P7D"},
        "2:13: tenor: a tenor of P7D is shorter than its increment, a month",
    ),
    "an unknown tier": (
        {"tier": "hyper"},
        "2:5: tier: 'hyper' is not a tier; hint: did you mean hyperscaler?",
    ),
    "an unknown link": ({"interconnect": "nvswitch"}, "2:8: interconnect: 'nvswitch' is not a"),
    "a day that is no day": (
        {"observed_at": "2026-02-30"},
        "2:21: observed_at: '2026-02-30' is no day of the calendar",
    ),
    "a day written otherwise": ({"observed_at": "1/11/2026"}, "is not a day written YYYY-MM-DD"),
    "no day": ({"observed_at": ""}, "2:21: observed_at: observed_at is empty"),
    "a year of another century": ({"observed_at": "1026-11-01"}, "year of '1026-11-01' is not"),
    "an end before the start": (
        {"valid_until": "2026-10-31"},
        "2:22: valid_until: 2026-10-31 is before observed_at, 2026-11-01",
    ),
    "an unknown confidence": ({"confidence": "high"}, "2:23: confidence: 'high' is not a known"),
    "tax that is neither yes nor no": ({"tax_included": "maybe"}, "'maybe' is neither yes nor no"),
    "no source": ({"source": ""}, "2:24: source: source is empty"),
    "no provider": ({"provider": ""}, "2:1: provider: provider is empty"),
    "no instance type": ({"instance_type": ""}, "2:3: instance_type: instance_type is empty"),
    "at most fewer than at least": (
        {"min_units": "5"},
        "2:19: max_units: 4 is fewer than min_units, 5",
    ),
    "a host smaller than the machine": (
        {"max_gpus_per_host": "4"},
        "2:20: max_gpus_per_host: 4 is fewer than gpu_count, 8",
    ),
    "memory below zero": ({"ram_gb": "-1"}, "2:10: ram_gb: ram_gb is below 0 (got '-1')"),
    "a cell too many": ({"note": "a,b"}, "2:26: 26 cells in a table of 25 columns; hint: quote"),
}


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_row_is_refused_with_its_place_and_a_hint(changes, message):
    [fault] = faults_of(table(changes))
    assert fault.startswith("prices.csv:2:")
    assert message in fault


BROKEN_FILES = {
    "an empty file": (b"", "prices.csv:1: the file is empty"),
    "a file that is not text": (b"provider\n\xff\xfe\n", "prices.csv:2: the file is not UTF-8"),
    "semicolons": (b"provider;sku;gpu\n", "separate the columns by commas, not semicolons"),
    "an unknown column": (
        table(columns=(*OFFER_COLUMNS, "price_cny")),
        "prices.csv:1:26: 'price_cny' is not a column of this table",
    ),
    "a misspelled column": (table(columns=(*OFFER_COLUMNS, "curency")), "mean currency?"),
    "a column that is there twice": (
        table(columns=(*OFFER_COLUMNS, "gpu")),
        "prices.csv:1:26: column 'gpu' is there twice",
    ),
    "a missing column": (
        table(columns=[c for c in OFFER_COLUMNS if c != "price"]),
        "prices.csv:1: column 'price' is missing",
    ),
    "an open quote": (table() + b'"northgpu,', "the file is not CSV"),
}


@pytest.mark.parametrize(("data", "message"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_broken_file_is_refused_with_what_is_wrong(data, message):
    assert any(message in fault for fault in faults_of(data))


def test_a_sku_that_is_there_twice_names_the_first_line():
    [fault] = faults_of(table({"sku": "same"}, {}, {"sku": "same"}))
    assert "prices.csv:4:2: sku: sku 'same' is on line 2 already" in fault


def test_all_faults_of_a_file_come_at_once_in_the_order_of_the_file():
    data = table({"price": "", "gpu": "H80O"}, {}, {"currency": "RMB", "observed_at": "soon"})
    assert [fault.split(" ")[0] for fault in faults_of(data)] == [
        "prices.csv:2:6:",
        "prices.csv:2:14:",
        "prices.csv:4:15:",
        "prices.csv:4:21:",
    ]


def test_lines_are_counted_as_an_editor_counts_them():
    data = table({"note": '"two\nlines"'}, {"price": "0"})
    [fault] = faults_of(data)
    assert fault.startswith("prices.csv:4:14:")


def test_a_price_of_zero_with_an_upfront_payment_is_a_price():
    changes = {"price": "0", "upfront": "90000", "purchase_model": "reserved", "tenor": "P1Y"}
    [offer], _ = read_offers(table(changes))
    assert offer.per_gpu_hour.amount == pytest.approx(Decimal(90000) / 8760 / 8)


def test_a_price_past_its_day_is_rejected_with_its_reason():
    data = table({"sku": "old", "valid_until": "2026-11-10"}, {"valid_until": ""})
    offers, rejected = read_offers(data, as_of=date(2026, 11, 22))
    assert [offer.sku for offer in offers] == ["sku-1"]
    assert [(row.row, row.reason) for row in rejected] == [
        ("old", "valid until 2026-11-10, not on 2026-11-22")
    ]
    assert len(read_offers(data, as_of=date(2026, 11, 10))[0]) == 2


def test_a_spreadsheets_byte_order_mark_and_blank_lines_are_passed_over():
    data = b"\xef\xbb\xbf" + table({}) + b"\n,,,,\n".replace(b",,,,", b"," * 24)
    assert len(read_offers(data)[0]) == 1


def test_a_file_that_is_not_there_is_a_fault_of_the_file(tmp_path):
    with pytest.raises(DocumentError, match=r"none\.csv: cannot be read: No such file"):
        read_offers(tmp_path / "none.csv")


plain = st.characters(categories=["L", "N", "P", "S", "Zs"])
words = st.text(plain, min_size=1, max_size=12).map(str.strip).filter(bool)
amounts = st.decimals("0.0001", 10**7, places=6)
numbers = st.none() | st.decimals(0, 10**5, places=2)


@st.composite
def terms(draw):
    model = draw(st.sampled_from(PurchaseModel))
    if model in (PurchaseModel.ON_DEMAND, PurchaseModel.SPOT):
        return model, draw(st.sampled_from(Increment)), Tenor()
    return model, draw(st.sampled_from(Increment)), draw(st.builds(Tenor, st.integers(12, 60)))


@st.composite
def offers(draw):
    currency = draw(st.sampled_from(CURRENCIES))
    model, increment, tenor = draw(terms())
    gpus, units = draw(st.integers(1, 16)), draw(st.integers(1, 9))
    seen = draw(st.dates(date(2015, 1, 1), date(2030, 1, 1)))
    return Offer(
        provider=draw(words),
        sku=draw(words),
        instance_type=draw(words),
        region=draw(words),
        tier=draw(st.sampled_from(Tier)),
        gpu=draw(st.sampled_from(sorted(accelerators()))),
        gpu_count=gpus,
        interconnect=draw(st.sampled_from(INTERCONNECTS)),
        vcpu=draw(numbers),
        ram_gb=draw(numbers),
        purchase_model=model,
        increment=increment,
        tenor=tenor,
        price=Money(draw(amounts), currency),
        upfront=Money(draw(st.just(Decimal(0)) | amounts), currency),
        tax_included=draw(st.none() | st.booleans()),
        min_units=units,
        max_units=draw(st.none() | st.integers(units, 99)),
        max_gpus_per_host=gpus * draw(st.integers(1, 4)),
        observed_at=seen,
        valid_until=draw(st.none() | st.dates(seen, date(2031, 1, 1))),
        confidence=draw(st.sampled_from("ABC")),
        source=draw(words),
        note=draw(st.just("") | words | st.just('say "one, two"\nthree')),
    )


@settings(deadline=None)
@given(st.lists(offers(), max_size=5, unique_by=lambda offer: offer.sku))
def test_what_is_written_is_what_is_read(book):
    assert read_offers(write_offers(book)) == (book, [])


@settings(deadline=None)
@given(st.lists(offers(), max_size=5, unique_by=lambda offer: offer.sku))
def test_writing_twice_gives_the_same_bytes(book):
    once = write_offers(book)
    assert write_offers(read_offers(once)[0]) == once


OTHER_TABLES = {
    "tokens at no price": (
        read_tokens,
        b"provider,model,provider_model,input_per_million,output_per_million,currency,"
        b"context_tokens,observed_at,confidence,source,note\na,m,m,,2,CNY,,2026-01-01,B,s,\n",
        "2:4: input_per_million: price is empty; a missing price is never 0",
    ),
    "a purchase price upside down": (
        read_hardware_offers,
        b"item,kind,condition,low,high,currency,complete,tax_included,observed_at,as_of_text,"
        b"confidence,source,note\ncard,4090,new,20,10,CNY,no,,2026-01-01,,B,s,\n",
        "2:5: high: 10 is less than low, 20",
    ),
    "a machine unknown": (
        read_hardware_offers,
        b"item,kind,condition,low,high,currency,complete,tax_included,observed_at,as_of_text,"
        b"confidence,source,note\ncard,8xA8OO,new,1,2,CNY,no,,2026-01-01,,B,s,\n",
        "2:2: kind: 'A8OO' is no GPU in the hardware table; hint: did you mean",
    ),
    "a machine that may or may not run": (
        read_hardware_offers,
        b"item,kind,condition,low,high,currency,complete,tax_included,observed_at,as_of_text,"
        b"confidence,source,note\ncard,4090,new,1,2,CNY,,,2026-01-01,,B,s,\n",
        "2:7: complete: complete is empty",
    ),
    "electricity for nothing": (
        read_running_costs,
        b"item,value,unit,currency,region,observed_at,as_of_text,confidence,source,note\n"
        b"electricity,0,kwh,CNY,cn,2026-01-01,,B,s,\n",
        "2:2: value: price is 0",
    ),
    "a rejection without a reason": (
        read_rejected,
        b"row,reason,source\nx,,s\n",
        "2:2: reason: reason is empty",
    ),
}


@pytest.mark.parametrize(("reader", "data", "message"), OTHER_TABLES.values(), ids=OTHER_TABLES)
def test_the_other_tables_are_read_as_strictly(reader, data, message):
    [fault] = faults_of(data, reader)
    assert message in fault
