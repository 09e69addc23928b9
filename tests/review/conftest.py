"""Tests that need a program which is not installed are left out; the header of the run says so."""

from __future__ import annotations

import lint_tools

collect_ignore = []
if not lint_tools.usable(["soffice"]):
    collect_ignore.append("test_workbook_recalculated.py")
if lint_tools.usable(["chromium", "chromedriver"]) != ["chromium", "chromedriver"]:
    collect_ignore.append("test_memo_browser.py")
if not lint_tools.FOCUS_VALIDATOR:
    collect_ignore.append("test_focus_official.py")
