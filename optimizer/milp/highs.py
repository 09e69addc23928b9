"""What HiGHS reads and writes beside its answer: a plan to start from, plans on the way, its log.

MathOpt hands HiGHS no starting solution and no callback, but passes its options on; among them are
a file to start from, a file for each better solution, and the log goes to a callback.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ortools.math_opt.solvers.highs_pb2 import HighsOptionsProto

INF = float("inf")
HEAD = "Objective"
NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
LOG_PRECISION = 1e-9
"""The log prints ten digits; a bound read from it is lowered by their rounding."""


def column_name(column: int) -> str:
    """A start file names its columns, so the model must name them alike."""
    return f"x{column}"


@dataclass(frozen=True, slots=True)
class HighsFiles:
    """The files of one run, in a folder of its own."""

    folder: Path

    @property
    def start(self) -> Path:
        return self.folder / "start.sol"

    @property
    def better(self) -> Path:
        return self.folder / "better.sol"

    def write_start(self, options: HighsOptionsProto, values: Sequence[float]) -> None:
        """A value for each column; HiGHS checks them and completes what is not whole."""
        head = "Model status\nUnknown\n\n# Primal solution values\nFeasible\nObjective 0\n"
        lines = [f"{column_name(i)} {value!r}" for i, value in enumerate(values)]
        text = f"{head}# Columns {len(lines)}\n" + "\n".join(lines) + "\n# Rows 0\n"
        self.start.write_text(text, encoding="ascii")
        options.string_options["read_solution_file"] = str(self.start)

    def keep_better(self, options: HighsOptionsProto) -> None:
        """Ask for every solution that is better than the last, so that `best` can read it."""
        options.string_options["mip_improving_solution_file"] = str(self.better)
        options.bool_options["mip_improving_solution_report_sparse"] = True

    def best(self, n_columns: int) -> tuple[float, list[float]] | None:
        """Objective and values of the last solution that was written whole.

        The file is read once, while HiGHS may still be writing it: what is not well-formed down to
        the end of its last line is passed over for the solution before.
        """
        if not self.better.exists():
            return None
        text = self.better.read_text(encoding="ascii", errors="replace")
        for part in reversed(text.split(HEAD)[1:]):
            found = _solution(part, n_columns)
            if found is not None:
                return found
        return None


def _solution(text: str, n_columns: int) -> tuple[float, list[float]] | None:
    """What stands after `HEAD`: objective, number of entries, then "value column" in each line."""
    head = re.match(rf" ({NUMBER})\n# Columns -(\d+)\n", text)
    if head is None:
        return None
    lines = text[head.end() :].split("\n")
    listed = int(head[2])
    if len(lines) <= listed:  # whole lines end, so that something, if nothing, is after the last
        return None
    values = [0.0] * n_columns
    before = -1
    for line in lines[:listed]:
        entry = re.fullmatch(rf" *({NUMBER}) +(\d+) *", line)
        if entry is None or not before < int(entry[2]) < n_columns:
            return None
        before = int(entry[2])
        values[before] = float(entry[1])
    return float(head[1]), values


def figures(line: str) -> tuple[float, float] | None:
    """(best objective, proven bound) of a line of the log that has them.

    Such a line has nodes processed, in queue, leaves, share explored, bound, best, gap, …, perhaps
    after a letter for what found the solution.
    """
    words = line.split()
    if words and len(words[0]) == 1 and words[0].isalpha():
        del words[0]
    if len(words) < 7 or not words[3].endswith("%"):
        return None
    try:
        bound, best = float(words[4]), float(words[5])
    except ValueError:
        return None
    return best, bound - abs(bound) * LOG_PRECISION if bound > -INF else bound
