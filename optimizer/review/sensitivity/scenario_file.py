"""One's own scenarios: a CSV with a name, a probability and a column for each assumption."""

from __future__ import annotations

import csv
import io
from decimal import Decimal, InvalidOperation
from pathlib import Path

from optimizer.review.sensitivity.drivers import ALL
from providers.errors import DocumentError, Fault

Case = tuple[str, Decimal, tuple[tuple[str, Decimal], ...]]
_KNOWN = ("name", "probability")


def read_scenarios(path: Path) -> list[Case]:
    """
    Raises:
        DocumentError: with every fault of the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise DocumentError([Fault(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    rows = csv.DictReader(io.StringIO(text))
    head, faults = list(rows.fieldnames or []), list[Fault]()
    for column in _KNOWN:
        if column not in head:
            faults.append(Fault(str(path), 1, 1, "", f"the column '{column}' is missing"))
    for place, column in enumerate(head, 1):
        if column not in _KNOWN and column not in ALL:
            hint = f"there are {', '.join(ALL)}"
            faults.append(
                Fault(str(path), 1, place, "", f"'{column}' is no assumption", hint)
            )  # fmt: skip
    if faults:
        raise DocumentError(faults)
    cases = [_case(path, rows.line_num, row, faults) for row in rows]
    total = sum((probability for _, probability, _ in cases), Decimal(0))
    if not faults and abs(total - 1) > Decimal("1e-9"):
        words = f"the probabilities add up to {total}, not to 1"
        faults.append(Fault(str(path), 0, 0, "probability", words))
    if faults:
        raise DocumentError(faults)
    return cases


def _case(path: Path, line: int, row: dict[str, str | None], faults: list[Fault]) -> Case:
    def number(column: str) -> Decimal:
        text = (row[column] or "").strip()
        share = text.endswith("%")
        try:
            found = Decimal(text.removesuffix("%").strip())
        except InvalidOperation:
            words = f"'{text}' is no number"
            faults.append(Fault(str(path), line, 0, column, words))
            return Decimal(0)
        return found / 100 if share else found

    named = [column for column in row if column in ALL and (row[column] or "").strip()]
    values = tuple((column, number(column)) for column in named)
    return row["name"] or f"line {line}", number("probability"), values
