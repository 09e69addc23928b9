"""The report of the campaign: `report.md` with what was counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

ENDS = ("failed", "quarantined", "published")
MEANWHILE = {
    "idle": "nobody writes",
    "written": "refreshes one after another",
    "killed": "refreshes that are killed",
}


def written(kinds, tally, looked, killed, figures, **values) -> str:
    kills = {key: number for key, number in killed.items() if key[0]}
    return (
        Path(__file__)
        .with_suffix(".md")
        .read_text(encoding="utf-8")
        .format(
            faults=tally.faults,
            sources=len(tally.sources),
            fault_table=table(("fault", *ENDS), fault_rows(kinds, tally)),
            kill_table=table(("command", "end", "times"), ((*k, n) for k, n in kills.items())),
            kills=sum(kills.values()),
            sigkills=sum(n for (_, how), n in kills.items() if how.startswith("SIGKILL")),
            old=killed["", "old"],
            new=killed["", "new"],
            offers=f"{figures['offers']:,}",
            reader_table=table(("meanwhile", "reads", "median", "longest"), reader_rows(figures)),
            secret_table=table(("", ""), looked.items()),
            **values,
        )
    )


def fault_rows(kinds, tally):
    for said in dict.fromkeys(kind.said for kind in kinds.values()):
        yield said, *(tally.ends[said, end] or "" for end in ENDS)


def reader_rows(figures):
    unit = figures["idle median"]
    for name, said in MEANWHILE.items():
        times = (figures[f"{name} {which}"] / unit for which in ("median", "longest"))
        yield said, figures[f"{name} reads"], *(f"{time:.1f}" for time in times)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, *rows)]
    lines.insert(1, "|" + "---|" * len(head))
    return "\n".join(lines)
