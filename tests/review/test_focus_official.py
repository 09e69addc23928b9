"""FOCUS rows before the validator of the FinOps Foundation; left out where it is not installed.

The package ``focus-validator`` 2.2.1 needs Python 3.12 and an environment of its own (numpy below
2, so ``pyarrow<22``); RENTOPT_TEST_FOCUS_VALIDATOR names its program.
"""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import lint_tools
import pytest
from focus_plans import PLANS

from optimizer.review.focus import focus_csv
from optimizer.review.focus_columns import CRITERIA

DEFECTS = {
    # The condition of C-004 is the wrong way round: it asks for a status where there is no
    # commitment. The two rows above it are made of it.
    "CommitmentDiscountStatus-C-000-C",
    "CommitmentDiscountStatus-C-002-C",
    "CommitmentDiscountStatus-C-004-C",
    # "No invoice: null" and "an invoice: not null" are both asked of every row.
    "InvoiceId-C-004-C",
    "InvoiceId-C-005-C",
}
"""Rules of the model 1.2.0.1 that no file can keep."""


@pytest.mark.parametrize("name", sorted(PLANS))
def test_the_official_validator_finds_nothing_but_its_own_defects(name, tmp_path):
    """It looks for a file beside its rules, and ends with 0 whatever it finds."""
    file, report = tmp_path / "plan.csv", tmp_path / "report.xml"
    file.write_text(focus_csv(PLANS[name]()), encoding="utf-8")
    program = Path(lint_tools.FOCUS_VALIDATOR)
    (folder,) = program.parent.parent.glob("lib/python3*/site-packages")
    subprocess.run(
        [
            program, "--data-file", file, "--validate-version", "1.2", "--block-download",
            "--applicability-criteria", ",".join(CRITERIA),
            "--output-type", "unittest", "--output-destination", report,
        ],
        cwd=folder, capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    checks = list(ElementTree.parse(report).getroot().iter("testcase"))
    failed = {
        check.get("name").split(" ")[0] for check in checks if check.find("failure") is not None
    }
    assert len(checks) > 500
    assert failed <= DEFECTS
