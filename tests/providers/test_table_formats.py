"""CSV, YAML, XLSX and Parquet say the same: the same offers, the same faults in their places."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from providers.adapters.table import TableAdapter
from providers.errors import DocumentError
from providers.formats.cells import MissingPackageError, number_text
from providers.formats.choose import read_cells
from providers.formats.xlsx_file import MOST_BYTES
from providers.formats.yaml_file import read_yaml
from providers.offers import Rejected
from providers.price_table import OFFER_COLUMNS, read_offers

ROOT = Path(__file__).parents[2]
DAY = datetime(2026, 11, 22, tzinfo=UTC)
PACKAGES = {
    "day": {"increment": "day", "tenor": "P1D", "price": "1440"},
    "week": {"increment": "week", "tenor": "P7D", "price": "9072.50"},
    "month": {"increment": "month", "tenor": "P1M", "price": "34560"},
}
COMMON = {
    "provider": "northgpu",
    "instance_type": "8x A800",
    "region": "cn-north",
    "gpu": "A800",
    "gpu_count": "8",
    "purchase_model": "prepaid",
    "currency": "CNY",
    "tax_included": "yes",
    "observed_at": "2026-11-01",
    "source": "offer of 1 November",
}
ROWS = [
    {**COMMON, "valid_until": "2026-12-31" if name == "month" else "", **terms}
    for name, terms in PACKAGES.items()
]
COLUMNS = list(ROWS[0])


def as_csv(rows, columns=COLUMNS):
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    return "".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines).encode()


def as_yaml(rows, columns=COLUMNS):
    """Plain values, as people write them."""
    items = [[f"{c}: {row[c]}" for c in columns if row.get(c)] for row in rows]
    return "".join("- " + "\n  ".join(item) + "\n" for item in items).encode()


def as_json(rows, columns=COLUMNS):
    return json.dumps([{c: row.get(c) for c in columns} for row in rows], indent=1).encode()


def as_xlsx(rows, columns=COLUMNS, sheet="Sheet1", change=None):
    """Numbers as numbers, days as days: what a spreadsheet program makes of what is typed in."""
    book = openpyxl.Workbook()
    book.active.title = sheet
    book.active.append(columns)
    for row in rows:
        book.active.append([typed(row.get(column, "")) for column in columns])
    if change:
        change(book)
    return saved(book)


def saved(book):
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def typed(text):
    for kind in (int, float, datetime.fromisoformat):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None


def as_parquet(rows, columns=COLUMNS, **types):
    texts = {c: [row.get(c) or None for row in rows] for c in columns}
    arrays = {c: pa.array(v).cast(types.get(c, pa.string())) for c, v in texts.items()}
    file = io.BytesIO()
    pq.write_table(pa.table(arrays), file)
    return file.getvalue()


FORMATS = {
    "quotes.csv": as_csv,
    "quotes.yaml": as_yaml,
    "quotes.json": as_json,
    "quotes.xlsx": as_xlsx,
    "quotes.parquet": as_parquet,
}


def faults_of(data, name):
    with pytest.raises(DocumentError) as raised:
        read_offers(data, name)
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_offers(name):
    expected, _ = read_offers(as_csv(ROWS), "quotes.csv")
    assert len(expected) == 3
    found, rejected = read_offers(FORMATS[name](ROWS), name)
    assert (found, rejected) == (expected, [])
    assert [offer.price.amount for offer in found] == [1440, Decimal("9072.5"), 34560]


@pytest.mark.parametrize("name", FORMATS)
def test_an_offer_past_its_day_is_rejected_in_every_format(name):
    _, rejected = read_offers(FORMATS[name](ROWS), name, as_of=date(2027, 1, 1))
    assert [row.reason for row in rejected] == ["valid until 2026-12-31, not on 2027-01-01"]


FAULTY = [ROWS[0], {**ROWS[1], "price": "0", "currency": "RMB"}, {**ROWS[2], "gpu": "A8OO"}]
PLACES = {
    "quotes.csv": ["quotes.csv:3:7: currency", "quotes.csv:3:14: price", "quotes.csv:4:4: gpu"],
    "quotes.yaml": [
        "quotes.yaml:20:13: currency",
        "quotes.yaml:26:10: price",
        "quotes.yaml:30:8: gpu",
    ],
    "quotes.json": [
        "quotes.json:25:15: currency",
        "quotes.json:32:12: price",
        "quotes.json:38:10: gpu",
    ],
    "quotes.xlsx": [
        "quotes.xlsx:Sheet1!G3: currency",
        "quotes.xlsx:Sheet1!N3: price",
        "quotes.xlsx:Sheet1!D4: gpu",
    ],
    "quotes.parquet": [
        "quotes.parquet: row 2, column currency",
        "quotes.parquet: row 2, column price",
        "quotes.parquet: row 3, column gpu",
    ],
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_fault_says_file_and_place(name):
    faults = faults_of(FORMATS[name](FAULTY), name)
    said = [f"{place}: {text}" for place, text in zip(PLACES[name], (
        "'RMB' is not a known currency; hint: did you mean CNY?",
        "price is 0; a price that is not known is left out, never 0",
        "'A8OO' is no GPU in the hardware table",
    ), strict=True)]  # fmt: skip
    assert all(fault.startswith(text) for fault, text in zip(faults, said, strict=True)), faults


@pytest.mark.parametrize(
    ("name", "place"),
    {
        "quotes.csv": "quotes.csv:1:15: ",
        "quotes.yaml": "quotes.yaml:15:3: pricee: ",
        "quotes.json": "quotes.json:17:3: pricee: ",
        "quotes.xlsx": "quotes.xlsx:Sheet1!O1: ",
        "quotes.parquet": "quotes.parquet: column pricee: ",
    }.items(),
)
def test_an_unknown_column_is_refused_in_its_place(name, place):
    rows = [{**row, "pricee": "7"} for row in ROWS]
    rows[0]["valid_until"] = "2026-12-31"
    [fault] = faults_of(FORMATS[name](rows, [*COLUMNS, "pricee"]), name)
    assert fault == f"{place}'pricee' is not a column of this table; hint: did you mean price?"


@pytest.mark.parametrize("name", FORMATS)
def test_a_column_that_no_row_has_is_missing(name):
    [fault] = faults_of(FORMATS[name](ROWS, [c for c in COLUMNS if c != "gpu"]), name)
    assert fault.endswith("column 'gpu' is missing")
    assert fault.startswith(name)


@pytest.mark.parametrize("name", FORMATS)
def test_a_sku_that_comes_twice_names_the_first_row(name):
    rows = [{**row, "sku": "same"} for row in ROWS[:2]]
    [fault] = faults_of(FORMATS[name](rows, [*COLUMNS, "sku"]), name)
    assert "sku 'same' is on line" in fault or "sku 'same' is on row" in fault


AMOUNTS = st.decimals("0.0001", "9999999", places=4)


@settings(deadline=None, max_examples=60)
@given(st.lists(AMOUNTS, min_size=1, max_size=6))
def test_prices_are_exact_in_every_format(amounts):
    """Also where a spreadsheet or a float column holds the nearest double."""
    rows = [{**COMMON, **PACKAGES["day"], "price": f"{amount}"} for amount in amounts]
    for name, write in FORMATS.items():
        read, _ = read_offers(write(rows), name)
        assert [offer.price.amount for offer in read] == amounts, name
    for kind in (pa.decimal128(12, 4), pa.float64()):
        read, _ = read_offers(as_parquet(rows, price=kind), "quotes.parquet")
        assert [offer.price.amount for offer in read] == amounts, kind


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_becomes_its_shortest_decimal(value):
    text = number_text(value)
    assert float(text) == value
    assert "e" not in text.lower()


def test_numbers_in_yaml_are_read_as_written():
    text = b"- {price: 71.040, sku: 007, note: 1_000, source: 1e3, vcpu: .5}\n"
    [line] = read_yaml(text, "q.yaml").lines
    assert line.cells == {
        "price": "71.040",
        "sku": "007",
        "note": "1_000",
        "source": "1e3",
        "vcpu": ".5",
    }


def test_offers_in_yaml_may_share_columns_by_an_alias():
    text = b"""
- &a800
  provider: northgpu
  instance_type: 8x A800
  gpu: A800
  gpu_count: 8
  purchase_model: prepaid
  increment: day
  tenor: P1D
  price: 1440
  currency: CNY
  observed_at: 2026-11-01
  source: offer of 1 November
- <<: *a800
  increment: week
  tenor: P7D
  price: 9072.50
"""
    offers, _ = read_offers(text, "quotes.yaml")
    assert [(o.increment.value, str(o.price.amount)) for o in offers] == [
        ("day", "1440"),
        ("week", "9072.50"),
    ]


BAD_YAML = {
    "a mapping": (b"offers:\n  - price: 1\n", "q.yaml:1:1: expected a list of offers"),
    "an empty list": (b"[]", "q.yaml:1:1: the list is empty"),
    "nothing": (b"", "q.yaml: the file is empty"),
    "a number among offers": (as_yaml(ROWS) + b"- 7\n", "an offer is a mapping of columns"),
    "a list as a price": (
        as_yaml(ROWS).replace(b"price: 1440", b"price: [1440]"),
        "q.yaml:13:10: price: expected a single value, found a list",
    ),
    "a key twice": (b"- gpu: A800\n  gpu: H800\n", "q.yaml:2:3: 0.gpu: the key 'gpu' is given"),
    "code": (b"- !!python/object:os.system x\n", "is not allowed"),
    "tabs": (b"-\tgpu: A800\n\tgpu_count: 8\n", "tab"),
    "two documents": (as_yaml(ROWS) + b"---\n[]\n", "keep one table in one file"),
}


@pytest.mark.parametrize(("data", "message"), BAD_YAML.values(), ids=BAD_YAML)
def test_a_faulty_yaml_file_is_refused_with_its_place(data, message):
    assert any(message in fault for fault in faults_of(data, "q.yaml"))


def test_a_formula_gives_the_value_it_had_last_and_is_a_fault_without_one():
    def formula(book):
        book.active["N2"] = "=60*24"

    data = as_xlsx(ROWS, change=formula)
    assert faults_of(data, "q.xlsx") == [
        "q.xlsx:Sheet1!N2: price: the value of this formula was not saved; hint: open and save the "
        "file in a spreadsheet program, or write the value"
    ]
    with_value = rezipped(data, b"<v></v>", b"<v>1440</v>", b"<v />", b"<v>1440</v>")
    offers, _ = read_offers(with_value, "q.xlsx")
    assert offers[0].price.amount == 1440


def rezipped(data, *changes):
    """The workbook with other XML in its first sheet, as another program would have saved it."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.namelist():
            body = old.read(part)
            if part == "xl/worksheets/sheet1.xml":
                for before, after in zip(changes[::2], changes[1::2], strict=True):
                    body = body.replace(before, after)
            new.writestr(part, body)
    return file.getvalue()


def put(cell, value):
    def change(book):
        book.active[cell] = value

    return change


def second_sheet(book):
    book.create_sheet("Other")["A1"] = "x"


BAD_XLSX = {
    "text in the price": (as_xlsx(ROWS, change=put("N2", "1440 CNY")), "Sheet1!N2: price: '1440"),
    "a day as the price": (
        as_xlsx(ROWS, change=put("N2", date(2026, 1, 1))),
        "'2026-01-01' is not",
    ),
    "an hour in a day": (
        as_xlsx(ROWS, change=put("I2", datetime(2026, 11, 1, 8))),
        "Sheet1!I2: observed_at: '2026-11-01 08:00:00' is not a day written",
    ),
    "an error": (
        as_xlsx(ROWS, change=put("N2", "#DIV/0!")),
        "Sheet1!N2: price: the cell holds #DIV",
    ),
    "a cell without a column": (
        as_xlsx(ROWS, change=put("Q3", 5)),
        "Sheet1!Q3: the cell has no col",
    ),
    "half a GPU": (as_xlsx(ROWS, change=put("E2", 0.5)), "Sheet1!E2: gpu_count: '0.5' is not a"),
    "two sheets": (
        as_xlsx(ROWS, change=second_sheet),
        "2 sheets: Sheet1, Other; hint: call the one",
    ),
    "an empty workbook": (saved(openpyxl.Workbook()), "q.xlsx: the workbook is empty"),
    "a cell far away": (as_xlsx(ROWS, change=put("XFD90000", 5)), "reaches to XFD90000"),
    "a sheet with a blank": (
        as_xlsx(FAULTY, sheet="My offers"),
        "q.xlsx:'My offers'!G3: currency: 'RMB'",
    ),
    "text": (b"provider,sku\n", "the file is no XLSX workbook that can be read"),
    "another archive": (rezipped(as_xlsx(ROWS), b"<worksheet", b"<"), "no XLSX workbook that can"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(99), "an old or encrypted workbook"),
}


@pytest.mark.parametrize(("data", "message"), BAD_XLSX.values(), ids=BAD_XLSX)
def test_a_faulty_workbook_is_refused_with_the_cell(data, message):
    faults = faults_of(data, "q.xlsx")
    assert any(message in fault for fault in faults), faults


def test_a_workbook_that_unpacks_to_gigabytes_is_not_opened():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(MOST_BYTES + 1))
    assert len(file.getvalue()) < 10**6
    assert "unpacks to 200,000,001 bytes" in faults_of(file.getvalue(), "q.xlsx")[0]


def test_the_sheet_called_quotes_is_read_among_others_and_hidden_ones_never():
    def beside(book):
        book.active["A1"].font = Font(bold=True)
        second_sheet(book)
        book.create_sheet("secret").sheet_state = "hidden"
        book["secret"]["A1"] = "x"

    assert len(read_offers(as_xlsx(ROWS, sheet="Quotes", change=beside), "q.xlsx")[0]) == 3


def test_blank_rows_and_columns_of_a_workbook_are_passed_over():
    rows = [*ROWS[:1], {}, *ROWS[1:]]
    assert len(read_offers(as_xlsx(rows, [*COLUMNS, ""]), "q.xlsx")[0]) == 3


def test_a_single_precision_price_is_the_decimal_it_stands_for():
    data = as_parquet([{**COMMON, **PACKAGES["day"], "price": "2.96"}], price=pa.float32())
    assert read_offers(data, "q.parquet")[0][0].price.amount == Decimal("2.96")


def test_days_counts_and_truths_of_parquet_are_read():
    data = as_parquet(
        ROWS,
        observed_at=pa.timestamp("ns"),
        valid_until=pa.date32(),
        gpu_count=pa.float64(),
        tax_included=pa.string(),
    )
    assert read_offers(data, "q.parquet") == read_offers(as_csv(ROWS), "q.csv")


def test_a_column_of_lists_and_a_file_that_is_none_are_refused():
    file = io.BytesIO()
    pq.write_table(pa.table({"provider": [["a"]]}), file)
    [fault] = faults_of(file.getvalue(), "q.parquet")
    assert fault.startswith("q.parquet: column provider: a column of list<")
    assert "no Parquet that can be read" in faults_of(b"PAR1 and no more", "q.parquet")[0]
    half = as_parquet(ROWS)[:-30]
    assert "no Parquet that can be read" in faults_of(half, "q.parquet")[0]


@pytest.mark.parametrize(("name", "package"), [("q.xlsx", "openpyxl"), ("q.parquet", "pyarrow")])
def test_a_package_that_is_not_installed_is_named_with_the_command(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError) as raised:
        read_offers(b"PK", name)
    assert str(raised.value) == f"{name} needs {package}: pip install 'rentopt[tables]'"
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("name", ["quotes", "https://cloud.example/export?format=x", "a.b/quotes"])
@pytest.mark.parametrize("write", [as_csv, as_xlsx, as_parquet])
def test_a_name_without_an_ending_is_read_by_its_bytes(name, write):
    assert len(read_cells(write(ROWS), name).lines) == 3


def test_the_bundled_table_reads_the_same_from_every_format(tmp_path):
    """A whole real table: 25 columns, quotes with commas, three currencies."""
    path = ROOT / "data" / "prices" / "bundled.csv"
    expected = read_offers(path)
    lines = read_cells(path.read_bytes(), "bundled.csv").lines
    rows = [line.cells for line in lines]
    for name, write in FORMATS.items():
        if name not in ("quotes.csv", "quotes.yaml"):  # those two writers do not quote
            (tmp_path / name).write_bytes(write(rows, list(OFFER_COLUMNS)))
            [snapshot] = TableAdapter([tmp_path / name], DAY).fetch()
            found = list(TableAdapter([], DAY).parse(snapshot))
            offers = [fate for fate in found if not isinstance(fate, Rejected)]
            assert offers == expected[0], name


def test_the_example_of_the_manual_is_sound():
    text = (ROOT / "docs" / "prices.md").read_text(encoding="utf-8")
    offers, rejected = read_offers(text.split("```yaml\n")[1].split("```")[0].encode(), "q.yaml")
    assert rejected == []
    assert [(o.gpu, o.increment.value, str(o.tenor), str(o.price.amount)) for o in offers] == [
        ("A800-80GB", "day", "P1D", "1420.80"),
        ("A800-80GB", "week", "P7D", "8950"),
        ("A800-80GB", "month", "P1M", "34100"),
        ("H800-SXM5-80GB", "day", "P1D", "2380"),
        ("H800-SXM5-80GB", "week", "P7D", "14990.50"),
        ("H800-SXM5-80GB", "month", "P1M", "57100"),
    ]
    assert all(offer.prepaid and offer.tax_included for offer in offers)
