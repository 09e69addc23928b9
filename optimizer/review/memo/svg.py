"""A small writer of inline SVG: everything from outside is escaped, no style attributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from markupsafe import Markup, escape

from optimizer.review.workbook.texts import inert

STEPS = 5
"""Of a vertical axis; fixed, so that the page's script only writes other labels."""
_NICE = tuple(Decimal(n) / 10 for n in (10, 20, 25, 30, 40, 50, 60, 80, 100))


def tag(name: str, *inside: object, **attributes: object) -> Markup:
    """An element. `class_` and names with underscores become ``class`` and hyphens."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    body = Markup("").join(
        part if isinstance(part, Markup) else escape(inert(part)) for part in inside
    )
    return Markup(f"<{name}{written}>{body}</{name}>")


def _plain(value: object) -> object:
    """Coordinates to the tenth of a pixel."""
    if isinstance(value, float | Decimal):
        text = f"{value:.1f}"
        return text.removesuffix(".0")
    return value


def path(points: Iterable[tuple[float, float]]) -> str:
    """Straight lines from point to point; empty without any."""
    return "".join(
        f"{'L' if number else 'M'}{x:.1f} {y:.1f}" for number, (x, y) in enumerate(points)
    )


@dataclass(frozen=True, slots=True)
class Axis:
    """Evenly spaced round values that cover what is shown."""

    low: Decimal
    step: Decimal
    steps: int = STEPS

    @property
    def high(self) -> Decimal:
        return self.low + self.steps * self.step

    @property
    def values(self) -> list[Decimal]:
        return [self.low + number * self.step for number in range(self.steps + 1)]

    def share(self, value: Decimal) -> float:
        """0 at the low end, 1 at the high one."""
        return float((value - self.low) / (self.high - self.low))


def axis(values: Sequence[Decimal], steps: int = STEPS) -> Axis:
    """The narrowest round axis of so many steps that covers all values.

    >>> axis([Decimal(-3), Decimal(36)]).values
    [Decimal('-10'), Decimal('0'), Decimal('10'), Decimal('20'), Decimal('30'), Decimal('40')]
    """
    low, high = min(values), max(values)
    spread = max(high - low, abs(high) / 1000, Decimal("1e-9"))
    power = Decimal(1).scaleb((spread / steps).adjusted())
    while True:
        for nice in _NICE:
            step = nice * power
            start = (low / step).to_integral_value(ROUND_FLOOR) * step
            if start + steps * step >= high:
                return Axis(start, step, steps)
        power *= 10


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a drawing in which the data are, in pixels of its view box."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float

    def x(self, share: float) -> float:
        return self.left + share * (self.width - self.left - self.right)

    def y(self, share: float) -> float:
        """Upwards."""
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)

    @property
    def view_box(self) -> str:
        return f"0 0 {self.width:g} {self.height:g}"


def drawing(name: str, frame: Frame, title: str, told: str, *inside: object) -> Markup:
    """A named picture with what it shows in words."""
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", told, id=f"{name}-told"),
        *inside,
        id=name, class_="chart", viewBox=frame.view_box, role="img",
        aria_labelledby=f"{name}-title", aria_describedby=f"{name}-told",
    )  # fmt: skip
