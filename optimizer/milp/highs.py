"""What HiGHS reads and writes beside its answer: a plan to start from, plans on the way, its log.

MathOpt hands HiGHS no starting solution and no callback, but passes its options on; among them are
a file to start from, a file for each better solution, and the log goes to a callback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ortools.math_opt.solvers.highs_pb2 import HighsOptionsProto

INF = float("inf")
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
        """Objective and values of the last solution that was written whole."""
        if not self.better.exists():
            return None
        lines = self.better.read_text(encoding="ascii", errors="replace").splitlines()
        heads = [i for i, line in enumerate(lines) if line.startswith("Objective")]
        for head in reversed(heads):
            if head + 1 == len(lines) or not lines[head + 1].startswith("# Columns -"):
                continue
            listed = int(lines[head + 1].split("-")[-1])
            entries = lines[head + 2 : head + 2 + listed]
            # The last line of the file may still be being written.
            if len(entries) == listed and (head != heads[-1] or _ended(self.better)):
                values = [0.0] * n_columns
                for entry in entries:
                    value, column = entry.split()
                    values[int(column)] = float(value)
                return float(lines[head].split()[-1]), values
        return None


def _ended(path: Path) -> bool:
    """Whether the file's last line is complete."""
    return path.read_bytes().endswith(b"\n")


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
