"""The memo's pictures. Each is drawn here; the page's script moves two of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from markupsafe import Markup

from optimizer.costs import MEAN_DAYS_IN_MONTH
from optimizer.plans import Plan
from optimizer.report.gantt import rows, unit_of
from optimizer.review.memo.runs import runs
from optimizer.review.memo.studied import FORMS
from optimizer.review.memo.svg import Axis, Frame, axis, drawing, path, tag
from optimizer.review.memo.what_if import ONE, ZERO, Answered
from optimizer.review.memo.words import Words
from optimizer.review.sensitivity.results import Bar, MonteCarlo

LINES = Frame(width=640, height=300, left=84, right=14, top=12, bottom=40)
WIDEST_RENT = Decimal("2.2")
"""The break-even curve is shown up to so many times today's rental price."""
CURVE_POINTS = 40


def crossover(answered: Answered, words: Words) -> Markup:
    """What both have cost so far, and buying if all were sold at that moment."""
    reached = answered.crossover()
    shown = [value for at in reached for value in (at.rent, at.buy, at.if_sold)]
    scale, last = axis([ZERO, *shown]), answered.question.days
    frame = LINES

    def line(name: str, values: Sequence[Decimal]) -> Markup:
        points = [
            (frame.x(float(at.days) / last), frame.y(scale.share(value)))
            for at, value in zip(reached, values, strict=True)
        ]
        return tag("path", class_=f"line {name}", d=path(points), data_line=name)

    told = words("crossover_told", days=words.number(Decimal(last)))
    return drawing(
        "crossover-chart", frame, words("crossover_title"), told,
        *_grid(frame, scale, [words.number(value) for value in scale.values]),
        *_month_ticks(frame, last, words),
        line("rent", [at.rent for at in reached]),
        line("sold", [at.if_sold for at in reached]),
        line("buy", [at.buy for at in reached]),
        _cursor(frame),
    )  # fmt: skip


def even_curve_factors(answered: Answered) -> list[Decimal]:
    """Factors of the rental price at which the curve is drawn: from where all hours are needed."""
    buy, busy = (answered.worth(f) for f in (answered.flows.buying, answered.flows.busy))
    rent, use = answered.worth(answered.flows.rent), answered.known("utilisation")
    if not rent or not use:
        return []
    first = max(ZERO, ((buy - busy) * use + busy) / rent)
    if first >= WIDEST_RENT:
        return []
    return [
        first + (WIDEST_RENT - first) * number / CURVE_POINTS for number in range(CURVE_POINTS + 1)
    ]


def even_curve(answered: Answered, words: Words) -> Markup:
    """The utilisation at which buying breaks even, over the rental price; the plan as a point."""
    frame = LINES
    widest = answered.mean_rent * WIDEST_RENT
    points = [
        (frame.x(float(point.rent / widest)), frame.y(float(min(ONE, max(ZERO, point.use)))))
        for point in answered.even_use(even_curve_factors(answered))
        if point.use is not None
    ]
    edge = [(frame.x(1), frame.y(1)), (points[0][0], frame.y(1))] if points else []
    use, at = answered.known("utilisation"), frame.x(float(answered.mean_rent / widest))
    scale = Axis(ZERO, Decimal("0.2"))
    across = [widest * number / 4 for number in range(5)]
    return drawing(
        "even-chart", frame, words("even_title"),
        words("even_told", use=words.percent(use), rent=words.of("rent", answered.mean_rent)),
        tag("path", class_="area", d=path([*points, *edge])),
        *_grid(frame, scale, [words.percent(value, 0) for value in scale.values]),
        *(
            tag("text", words.price(value), class_="tick x", x=frame.x(number / 4),
                y=frame.y(0) + 18)
            for number, value in enumerate(across)
        ),
        tag("text", words("across_rent", currency=words.unit), class_="tick x",
            x=frame.x(0.5), y=frame.y(0) + 34),
        tag("path", class_="line even", d=path(points), data_line="even"),
        tag("text", words("buy_wins"), class_="zone", x=frame.x(1) - 8, y=frame.y(1) + 20),
        tag("text", words("rent_wins"), class_="zone start", x=frame.x(0) + 8, y=frame.y(0) - 10),
        _cursor(frame),
        tag("circle", class_="plan", cx=at, cy=frame.y(float(min(ONE, use))), r=6),
    )  # fmt: skip


def _cursor(frame: Frame) -> Markup:
    """Where the reader points at."""
    return tag("line", class_="cursor", y1=frame.y(1), y2=frame.y(0), x1=0, x2=0)


def _grid(frame: Frame, scale: Axis, labels: list[str]) -> list[Markup]:
    """Lines across with a label each, and a stronger one at 0."""
    found = []
    for number, label in enumerate(labels):
        y = frame.y(number / scale.steps)
        found.append(tag("line", class_="grid", x1=frame.x(0), x2=frame.x(1), y1=y, y2=y))
        found.append(tag("text", label, class_="tick y", x=frame.left - 8, y=y + 4))
    return found


def _month_ticks(frame: Frame, days: int, words: Words) -> list[Markup]:
    months = days / float(MEAN_DAYS_IN_MONTH)
    if months < 2:
        at = [days * number // 4 for number in range(5)]
        labels = [(day / days, words.number(Decimal(day))) for day in at]
        unit = words("days")
    else:
        step = next(s for s in (1, 2, 3, 6, 12, 24, 60) if months / s <= 8)
        labels = [(m / months, f"{m}") for m in range(0, int(months) + 1, step)]
        unit = words("months")
    found = [
        tag(
            "text",
            label,
            class_="tick x",
            x=frame.x(share),
            y=frame.y(0) + 18,
            data_share=f"{share:.6f}",
        )
        for share, label in labels
    ]
    middle = tag("text", unit, class_="tick x", x=frame.x(0.5), y=frame.y(0) + 34)
    return [*found, middle]


_ROW = 40


def tornado_chart(bars: Sequence[Bar], npv: Decimal, words: Words) -> Markup:
    """Bars from the NPV of the memo to that at either end of each range."""
    frame = Frame(width=640, height=34 + _ROW * len(bars), left=178, right=28, top=4, bottom=30)
    ends = [value for bar in bars for value in (bar.npv_low, bar.npv_high)]
    scale = axis([ZERO, npv, *ends], 6)
    base, zero = frame.x(scale.share(npv)), frame.x(scale.share(ZERO))
    inside = []
    for number, value in enumerate(scale.values):
        x = frame.x(number / scale.steps)
        inside.append(tag("line", class_="grid", x1=x, x2=x, y1=frame.top, y2=frame.y(0)))
        inside.append(tag("text", _short(value, scale, words), class_="tick x", x=x,
                          y=frame.y(0) + 18))  # fmt: skip
    for number, bar in enumerate(bars):
        y = frame.top + _ROW * number + 6
        span, form = bar.span, FORMS[bar.span.driver]
        name = words(f"swing_{span.driver}")
        low, high = (words.of(form, value) for value in (span.low, span.high))
        # One with a unit is enough.
        lower = words.of(form, span.low, unit=False)
        inside.append(tag("text", name, class_="name", x=frame.left - 12, y=y + 12))
        inside.append(tag("text", f"{lower} – {high}", class_="range", x=frame.left - 12, y=y + 26))
        for end, value, label in (
            ("low", bar.npv_low, low), ("high", bar.npv_high, high),
        ):  # fmt: skip
            x = frame.x(scale.share(value))
            told = f"{name}: {label} → {words.money(value, sign=True)}"
            inside.append(
                tag("rect", tag("title", told), class_=f"bar {end}", x=min(x, base), y=y,
                    width=max(abs(x - base), 0.5), height=_ROW - 14)
            )  # fmt: skip
    inside.append(tag("line", class_="zero", x1=zero, x2=zero, y1=frame.top, y2=frame.y(0)))
    inside.append(tag("line", class_="base", x1=base, x2=base, y1=frame.top, y2=frame.y(0)))
    title = words("tornado_title")
    return drawing("tornado-chart", frame, title, words("tornado_told"), *inside)


def _short(value: Decimal, scale: Axis, words: Words) -> str:
    """All labels of an axis in the same unit: thousands where all are round thousands."""
    if all(v % 1000 == 0 for v in scale.values) and max(abs(v) for v in scale.values) >= 10_000:
        return f"{words.number(value / 1000)}k" if value else "0"
    return words.number(value, 0 if scale.step % 1 == 0 else 2)


def spread(found: MonteCarlo, words: Words) -> Markup:
    """How often the draws came to which NPV; classes above 0 are where buying wins."""
    frame = Frame(width=640, height=220, left=14, right=14, top=10, bottom=30)
    low, high = found.edges[0], found.edges[-1]
    most = max(found.counts)

    def x(npv: float) -> float:
        return frame.x((npv - low) / (high - low))

    inside = []
    for number, count in enumerate(found.counts):
        left, right = x(found.edges[number]), x(found.edges[number + 1])
        tall = (frame.y(0) - frame.top) * count / most
        begins = found.edges[number]
        told = f"{words.money(Decimal(round(begins)), sign=True)} …: {count}"
        kind = "wins" if begins >= 0 else "loses"
        inside.append(
            tag("rect", tag("title", told), class_=f"class {kind}", x=left + 0.5, width=max(
                right - left - 1, 0.5), y=frame.y(0) - tall, height=tall)
        )  # fmt: skip
    scale = axis([Decimal(round(low)), Decimal(round(high))], 6)
    inside += [
        tag("text", _short(value, scale, words), class_="tick x", x=x(float(value)),
            y=frame.y(0) + 18)
        for value in scale.values if low <= value <= high
    ]  # fmt: skip
    if low < 0 < high:
        inside.append(tag("line", class_="base", x1=x(0), x2=x(0), y1=frame.top, y2=frame.y(0)))
    return drawing("spread-chart", frame, words("spread_title"), words("spread_told"), *inside)


_LANE = 24


def calendar(plan: Plan, words: Words) -> Markup:
    """Which workload runs on what, by week: as many replicas or nodes as at most at once."""
    lanes = rows(plan)
    frame = Frame(width=640, height=40 + _LANE * len(lanes), left=222, right=6, top=26, bottom=14)
    inside: list[Markup] = []

    def x(day: date) -> float:
        return frame.x((day - plan.first_day).days / plan.n_days)

    for day, label in _months_of(plan, words):
        inside.append(
            tag("line", class_="grid", x1=x(day), x2=x(day), y1=frame.top - 6,
                y2=frame.height - 8)
        )  # fmt: skip
        inside.append(tag("text", label, class_="tick start", x=x(day) + 3, y=frame.top - 10))
    before = ""
    for number, lane in enumerate(lanes):
        y = frame.top + _LANE * number + 11
        if lane.workload != before:
            name = _cut(lane.workload, 18)
            inside.append(tag("text", tag("title", lane.workload), name, class_="lane", x=0, y=y))
        before = lane.workload
        inside.append(tag("text", tag("title", lane.node), _cut(lane.node, 12), class_="on",
                          x=frame.left - 8, y=y))  # fmt: skip
    for run in runs(plan):
        y, wide = frame.top + _LANE * run.lane, x(run.end) - x(run.start)
        told = f"{run.workload}, {run.node}: {run.cell}"
        inside.append(tag("rect", tag("title", told), class_="run", x=x(run.start), y=y,
                          width=wide, height=_LANE - 8, rx=2))  # fmt: skip
        if wide > 9 * len(run.cell):
            inside.append(tag("text", run.cell, class_="held", x=x(run.start) + wide / 2,
                              y=y + 12))  # fmt: skip
    unit = words(f"calendar_{unit_of(plan.n_days)}")
    return drawing("calendar-chart", frame, words("calendar_title"), unit, *inside)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _months_of(plan: Plan, words: Words) -> list[tuple[date, str]]:
    """First days of months (or of the horizon) with room for their names."""
    last = plan.first_day + timedelta(plan.n_days - 1)
    found: list[tuple[date, str]] = []
    day = plan.first_day
    total = (last.year - day.year) * 12 + last.month - day.month + 1
    every = max(1, -(-total // 8))
    number = 0
    while day <= last:
        # A name needs a twelfth of the width, so the last days may go without.
        if number % every == 0 and (not found or (last - day).days * 12 >= plan.n_days):
            found.append((day, words.month(day)))
        number += 1
        day = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1, day=1)
    return found


def bullet(use: Decimal, even: Decimal | None, words: Words) -> Markup:
    """Planned utilisation as a bar, the break-even as a mark across it."""
    frame = Frame(width=240, height=26, left=1, right=1, top=4, bottom=4)
    told = words.percent(use) if even is None else (
        f"{words.percent(use)}; {words('kpi_even')} {words.percent(even)}"
    )  # fmt: skip
    inside = [
        tag("rect", class_="track", x=frame.x(0), y=6, width=frame.x(1) - frame.x(0), height=14),
        tag("rect", class_="done", x=frame.x(0), y=6,
            width=(frame.x(1) - frame.x(0)) * float(min(ONE, use)), height=14),
    ]  # fmt: skip
    if even is not None:
        at = frame.x(float(even))
        inside.append(tag("line", class_="mark", x1=at, x2=at, y1=2, y2=24))
    return drawing("bullet", frame, words("kpi_use"), told, *inside)
