"""What the importers make of the recorded catalogues, line by line."""

from datetime import UTC, datetime

from loopback import RECORDINGS

from providers.adapter import read_table
from providers.registry import load_adapter

SEEN = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)
LAYOUTS = ("gpuhunt", "skypilot")


def read(layout, *sources, **more):
    return read_table(load_adapter(layout)(sources, SEEN, **more))


def report(layout):
    lines = []
    for path in sorted((RECORDINGS / layout).rglob("*.csv")):
        table = read(layout, path)
        lines.append(f"# {path.relative_to(RECORDINGS)}")
        for o in table.offers:
            price = f"{o.price.amount} {o.price.currency}"
            lines.append(f"{o.sku} = {o.gpu_count} {o.gpu}, {o.interconnect}: {price}")
        lines += [f"- {row.row}: {row.reason}" for row in table.rejected]
    return "\n".join(lines) + "\n"
