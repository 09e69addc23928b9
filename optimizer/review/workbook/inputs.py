"""The sheets Inputs and Prices: what is assumed, and what was quoted."""

from __future__ import annotations

from optimizer.plans import Plan, Rental
from optimizer.review.workbook.formula import Expr, Named, Value, column_name
from optimizer.review.workbook.model import Input, Model
from optimizer.review.workbook.sheet import Sheet
from optimizer.review.workbook.styles import INPUT, QUIET, REMARK, STRONG

VALUE, EXPORTED, CHANGED = 2, 3, 4
"""Columns of the Inputs sheet."""

_LIMITS: dict[str, tuple[float, float]] = {
    "share": (0, 1),
    "rate": (0, 10),
    "change": (-0.99, 10),
    "count": (0, 100_000),
    "amount": (0, 1e12),
    "price": (0, 1e9),
    "factor": (0, 1000),
    "years": (0.01, 100),
    "date": (1, 100_000),
}
"""What may be typed into an input of a form."""


class Place(Expr):
    """A cell by its address, with its value."""

    def __init__(self, address: str, content: Value) -> None:
        self.address, self.content = address, content

    def text(self, sheet: str, column: int) -> str:
        return self.address

    def value(self, column: int) -> Value:
        return self.content


def write_inputs(sheet: Sheet, model: Model) -> Named:
    """All assumptions; gives back the count of those that were changed since."""
    sheet.title("Inputs", "change what is blue on yellow; everything else follows")
    sheet.heading("assumption", "unit", "value", "as exported", "changed", "from", right=2, until=4)
    sheet.page.freeze_panes(sheet.line, 1)
    first = sheet.line
    for heading, cells in model.inputs.items():
        sheet.text(0, heading, **STRONG)
        sheet.line += 1
        for cell in cells:
            write_input(sheet, cell)
    sheet.text(0, "Inputs changed since the export", **STRONG)
    span = f"{column_name(CHANGED)}{first + 1}:{column_name(CHANGED)}{sheet.line}"
    sheet.cached(CHANGED, f"=SUM({span})", 0.0, "count", **STRONG)
    sheet.name_cell("inputs_changed", CHANGED)
    for column, width in enumerate((36, 26, 15, 15, 9, 90)):
        sheet.page.set_column(column, column, width)
    return model.named("inputs_changed", 0.0)


def write_input(sheet: Sheet, cell: Input) -> None:
    name, value = cell.cell.name, cell.cell.content
    sheet.text(0, cell.label)
    sheet.text(1, cell.unit, **QUIET)
    if cell.fixed:
        sheet.number(VALUE, value, cell.form)
    else:
        sheet.number(VALUE, value, cell.form, locked=False, **INPUT)
        low, high = _LIMITS[cell.form]
        sheet.page.data_validation(sheet.line, VALUE, sheet.line, VALUE, {
            "validate": "decimal", "criteria": "between", "minimum": low, "maximum": high,
            "error_title": cell.label[:30],
            "error_message": f"from {low:g} to {high:g}: {cell.unit}"[:250],
        })  # fmt: skip
        sheet.number(EXPORTED, value, cell.form, **QUIET)
        here = sheet.line + 1
        both = f"{column_name(VALUE)}{here}={column_name(EXPORTED)}{here}"
        sheet.cached(CHANGED, f"=IF({both},0,1)", 0.0, "count", **QUIET)
    sheet.name_cell(name, VALUE)
    sheet.text(5, cell.source, **REMARK)
    sheet.line += 1


def write_prices(sheet: Sheet, model: Model, plan: Plan) -> list[tuple[str, Expr, Named]]:
    """What was quoted, step by step to a GPU-hour, and all rentals of the plan.

    Gives back what each purchase's rental price must be while nobody changes it.
    """
    money = model.question.currency
    sheet.title("Prices", f"as of {plan.as_of}; {model.question.vat}; in {money} unless said")
    derived = _quotes(sheet, model)
    sheet.line += 1
    sheet.heading("purchases", "price of a node", "as quoted", "source")
    for rows in model.lots:
        sheet.text(0, rows.lot.option)
        sheet.number(1, float(rows.lot.price), "amount")
        sheet.text(2, rows.lot.price_quoted, indent=1)
        sheet.text(3, rows.lot.price_source)
        sheet.line += 1
    sheet.line += 1
    sheet.heading("rentals of the plan", "as quoted", "provider", "region", "deal", "node",
                  "paid in all", "seen on", "age, days", "grade", "source",
                  right=6, until=6)  # fmt: skip
    for words, paid in _rentals(plan):
        for column, word in enumerate(words):
            if column == 6:
                sheet.number(column, paid, "amount")
            else:
                sheet.text(column, word)
        sheet.line += 1
    sheet.page.set_column(0, 0, 44)
    sheet.page.set_column(1, 1 + len(model.lots), 30)
    sheet.page.set_column(2 + len(model.lots), 12, 16)
    sheet.page.print_area(0, 0, sheet.line, 10)
    return derived


_WORDS = (
    ("offer", "name"), ("provider", "provider"), ("region", "region"), ("tier", "tier"),
    ("as quoted", "quoted"), ("seen on", "observed_at"), ("age in days", "age_days"),
    ("grade", "confidence"), ("source", "source"), ("how the two are made equal", "how"),
)  # fmt: skip
_STEPS = (
    ("amount", "amount", "price"), ("x instances of a rented node", "instances", "count"),
    ("x exchange rate", "exchange", "factor"), ("x VAT factor", "vat", "factor"),
    ("x rented nodes that do the work of one owned", "ratio", "factor"),
    ("/ hours paid for", "hours", "number"),
)  # fmt: skip


def _quotes(sheet: Sheet, model: Model) -> list[tuple[str, Expr, Named]]:
    """A column for each purchase: who quoted what, and the steps to a GPU-hour."""
    numbers = range(1, len(model.lots) + 1)
    sheet.heading("what renting is priced with", *(f"purchase {n}" for n in numbers))
    quotes = [rows.lot.quote for rows in model.lots]
    for label, name in _WORDS:
        sheet.text(0, label)
        for column, quote in enumerate(quotes, start=1):
            sheet.text(column, getattr(quote, name) or "the same node")
        sheet.line += 1
    sheet.text(0, "currency of the amount")
    for column, quote in enumerate(quotes, start=1):
        sheet.text(column, quote.currency, align="right")
    sheet.line += 1
    top = sheet.line
    for label, name, form in _STEPS:
        sheet.text(0, label)
        for column, quote in enumerate(quotes, start=1):
            sheet.number(column, float(getattr(quote, name)), form)
        sheet.line += 1
    sheet.text(0, "/ GPUs of the owned node")
    for column, rows in enumerate(model.lots, start=1):
        sheet.formula(column, rows.cells["gpus"] * 1, "count")
    sheet.line += 1
    sheet.text(0, f"= a GPU-hour, in {model.question.currency}", **STRONG)
    derived: list[tuple[str, Expr, Named]] = []
    for column, rows in enumerate(model.lots, start=1):
        steps = [
            Place(f"{column_name(column)}{top + 1 + n}", float(getattr(rows.lot.quote, name)))
            for n, (_, name, _) in enumerate(_STEPS)
        ]
        product: Expr = steps[0]
        for step in steps[1:-1]:
            product = product * step
        value = sheet.formula(column, product / steps[-1] / rows.cells["gpus"], "price", **STRONG)
        place = Place(f"Prices!{column_name(column)}{sheet.line + 1}", value)
        derived.append((f"rental price of purchase {column} as quoted", place, rows.cells["rent"]))
    sheet.line += 1
    sheet.text(0, "as it stands on Inputs")
    for column, rows in enumerate(model.lots, start=1):
        sheet.formula(column, rows.cells["rent"] * 1, "price")
    sheet.line += 1
    return derived


def _rentals(plan: Plan) -> list[tuple[tuple[object, ...], float]]:
    """Offers the plan rents, with what it pays for each."""
    paid: dict[str, float] = {}
    first: dict[str, Rental] = {}
    for line in plan.rentals:
        paid[line.offer] = paid.get(line.offer, 0.0) + float(line.cost)
        first.setdefault(line.offer, line)
    return [
        (
            (
                offer, line.quoted, line.provider, line.region, line.purchase_model, line.node, "",
                line.observed_at, line.age_days, line.confidence, line.source,
            ),
            paid[offer],
        )
        for offer, line in sorted(first.items())
    ]  # fmt: skip
