"""The batching curve of one replica: bars in a terminal, or an image."""

from __future__ import annotations

import io
from collections.abc import Sequence

from optimizer.report.size.answers import Paces
from optimizer.sizing.results import SpeedAt
from providers.errors import needing

WIDTH = 46
FORMATS = ("svg", "png", "pdf")


def bars(curve: Sequence[SpeedAt], floor_tokens_per_s: float) -> str:
    """Tokens per second of all users together as bars, and of each as a number."""
    most = max(pace.output_tokens_per_s for pace in curve)
    lines = [f"{'users':>5}  {'tokens/s, all together':<{WIDTH + 9}}  each"]
    for pace in curve:
        bar = "█" * max(round(WIDTH * pace.output_tokens_per_s / most), 1)
        total = f"{bar} {pace.output_tokens_per_s:.0f}"
        kept = "" if pace.tokens_per_s_per_user >= floor_tokens_per_s else "  below the floor"
        lines.append(
            f"{pace.users:>5}  {total:<{WIDTH + 9}}  {pace.tokens_per_s_per_user:.1f}{kept}"
        )
    return "\n".join(lines) + "\n"


def image(paces: Paces, floor_tokens_per_s: float, title: str, format: str) -> bytes:
    """The same as SVG, PNG or PDF; the same bytes for the same numbers.

    Raises:
        RentoptError: matplotlib is not installed.
    """
    with needing("charts"):
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    users = [pace.users for pace in paces.curve]
    with mpl.rc_context({"svg.hashsalt": "rentopt", "svg.fonttype": "path"}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.plot(users, [pace.output_tokens_per_s for pace in paces.curve], "o-", color="C0")
        axes.set_xscale("log", base=2)
        axes.set_xticks(users, [str(count) for count in users])
        axes.set_xlabel("users at once")
        axes.set_ylabel("tokens/s, all together", color="C0")
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.3)
        each = axes.twinx()
        each.plot(users, [pace.tokens_per_s_per_user for pace in paces.curve], "s-", color="C1")
        each.axhline(floor_tokens_per_s, color="C1", linestyle=":", linewidth=1)
        each.set_ylabel("tokens/s of each user (dotted: the floor)", color="C1")
        each.set_ylim(bottom=0)
        axes.set_title(title)
        drawn = io.BytesIO()
        dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
        figure.savefig(drawn, format=format, metadata=dated, dpi=144)
    return drawn.getvalue()
