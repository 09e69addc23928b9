"""The bare formulas against published measurements; docs/sizing.md prints the same numbers."""

import re
from pathlib import Path

import pytest
from scoring import score_inference, score_training, summary

SUMMARY = summary(score_inference() | score_training())

DOCS = Path(__file__).parents[2] / "docs" / "sizing.md"


@pytest.mark.parametrize(
    ("task", "middle", "worst"),
    [
        ("weights", 0.03, 0.12),
        ("memory with long prompts", 0.10, 0.70),
        ("training", 0.18, 0.70),
    ],
)
def test_predictions_stay_close_to_published_measurements(task, middle, worst):
    count, median, ninetieth = SUMMARY[task]
    assert count >= 15
    assert median < middle
    assert ninetieth < worst


def test_the_documentation_prints_the_errors_as_they_are():
    printed = {
        match[1]: (int(match[2]), match[3], match[4])
        for match in re.finditer(
            r"^\| ([^|]+?) \| (\d+) \| ([\d.]+ %) \| (\d+ %) \|$",
            DOCS.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }
    shown = {
        task: (count, f"{middle * 100:.1f} %", f"{worst * 100:.0f} %")
        for task, (count, middle, worst) in SUMMARY.items()
    }
    assert printed == shown
