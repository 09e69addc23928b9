"""The difference of two plans as a table, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from optimizer.diff.results import Amount, Difference, Item, Part
from optimizer.report.money_text import footed, money
from optimizer.report.plan_json import decimal_text, tool_version
from optimizer.report.plan_md import md_text, section_md
from optimizer.report.plan_table import section_text
from optimizer.report.section import Section
from optimizer.report.tables import Column
from optimizer.report.texts import plain

SCHEMA_VERSION = 1
MARKER = "<!-- rentopt diff -->"
"""Hidden in Markdown, so that a comment can be found again and replaced."""


def diff_text(found: Difference, *, width: int | None, color: bool) -> str:
    head = "".join(f"{line}\n" for line in headline(found))
    return head + "".join("\n" + section_text(part, width, color) for part in sections(found))


def diff_md(found: Difference) -> str:
    first, *rest = (md_text(line) for line in headline(found))
    lines = "".join(f"{line}  \n" for line in rest)
    return "\n".join([f"{MARKER}\n## {first}\n", lines, *map(section_md, sections(found))])


def diff_json(found: Difference) -> str:
    body = {
        "schema_version": SCHEMA_VERSION,
        "tool": f"rentopt {tool_version()}",
        "currency": found.currency,
        **{
            name: {"name": made.name, "file": made.file, "as_of": made.as_of, **_both(made.amount)}
            for name, made in (("before", found.before), ("after", found.after))
        },
        "change": _both(found.amount),
        "parts": [
            {
                "cause": str(part.cause),
                **_both(part.amount),
                "unsure": decimal_text(part.unsure),
                "items": [
                    {
                        "name": item.name,
                        "before": item.before,
                        "after": item.after,
                        "total": decimal_text(item.total),
                        "present_value": None
                        if item.present_value is None
                        else decimal_text(item.present_value),
                    }
                    for item in part.items
                ],
                "notes": list(part.notes),
            }
            for part in found.parts
        ],
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def _both(amount: Amount) -> dict[str, str]:
    return {
        "total": decimal_text(amount.total),
        "present_value": decimal_text(amount.present_value),
    }


def _cents(found: Difference) -> Amount:
    """The change as the two costs differ where they are printed, to the cent."""
    now, before = found.after.amount, found.before.amount
    total, value = (
        footed([later])[0] - footed([earlier])[0]
        for later, earlier in (
            (now.total, before.total), (now.present_value, before.present_value),
        )
    )  # fmt: skip
    return Amount(total, value)


def headline(found: Difference) -> Iterator[str]:
    change = _cents(found).present_value
    now, before = found.after.amount.present_value, found.before.amount.present_value
    share = f" ({float(change / before):+.1%})" if before else ""
    verb = "more" if change > 0 else "less"
    same = f"costs the same: {money(now)} {found.currency} in present value"
    differs = (
        f"costs {money(abs(change))} {found.currency} {verb}{share}: "
        f"{money(now)} instead of {money(before)} in present value"
    )
    yield plain(f"{found.after.name} {differs if change else same}")
    for made in (found.before, found.after):
        yield plain(f"{made.file}: {made.name}, prices of {made.as_of}")


def sections(found: Difference) -> Iterator[Section]:
    yield _summary(found)
    for part in found.parts:
        if part.items or part.notes:
            yield _part(part, found.currency)


def _summary(found: Difference) -> Section:
    whole = _cents(found)
    totals = footed([part.amount.total for part in found.parts], total=whole.total)
    values = footed([part.amount.present_value for part in found.parts], total=whole.present_value)
    rows = [
        [str(part.cause), _signed(total), _signed(value), _unsure(part)]
        for part, total, value in zip(found.parts, totals, values, strict=True)
    ]
    rows.append(["in all", _signed(whole.total), _signed(whole.present_value), ""])
    columns = (
        "cause", Column(f"{found.currency}, undiscounted", right=True),
        Column("present value", right=True), Column("sure to within", right=True),
    )  # fmt: skip
    notes = ["each cause is put in after those above it, so the order matters for what they share"]
    return Section("By cause", columns, rows, notes=notes)


def _unsure(part: Part) -> str:
    return money(part.unsure) if part.unsure and part.amount else ""


def _part(part: Part, currency: str) -> Section:
    columns = (
        _TITLES[str(part.cause)], "before", "after",
        Column(f"{currency}, undiscounted", right=True), Column("present value", right=True),
    )  # fmt: skip
    rows = [_item(item) for item in part.items]
    notes = [plain(note) for note in part.notes]
    return Section(str(part.cause).capitalize() if str(part.cause) != "FX" else "Exchange rates",
                   columns, rows, notes=notes)  # fmt: skip


_TITLES = {
    "FX": "rate", "price": "price of", "assumption": "assumption", "optimiser": "line of the bill",
    "schedule": "workload",
}  # fmt: skip


def _item(item: Item) -> list[str]:
    value = "" if item.present_value is None else _signed(item.present_value)
    texts = (plain(item.name), plain(item.before), plain(item.after))
    return [*texts, _signed(item.total), value]


def _signed(amount: Decimal) -> str:
    text = money(amount)
    return f"+{text}" if amount > 0 and text != "0.00" else text
