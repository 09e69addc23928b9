"""Write the golden reports anew; the difference belongs in the review."""

import json
from datetime import date
from pathlib import Path

from sample_plan import sample

from optimizer import load_schedule, plan
from optimizer.api import prices_for
from optimizer.milp.solve import SolveOptions
from optimizer.plans import Plan
from optimizer.report.plan_csv import TABLES, plan_csv
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.plan_md import plan_md
from optimizer.report.plan_table import plan_text

GOLDEN = Path(__file__).parent / "golden"
TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"


def tiny() -> Plan:
    schedule = load_schedule(TINY)
    book = prices_for(schedule, date(2026, 11, 22))
    return plan(schedule, book, SolveOptions(gap=0.0), breakeven_s=None)


def stable_json(document: dict) -> str:
    """Without what depends on the release, on the solver's last digits and on unused prices."""
    kept = {k: v for k, v in document.items() if k not in ("tool", "bound", "gap")}
    kept["answers"] = [
        {k: v for k, v in answer.items() if k not in ("bound", "gap")}
        for answer in document["answers"]
    ]
    kept["price_sources"] = [{**s, "sha256": "..."} for s in document["price_sources"]]
    return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


def reports() -> dict[str, str]:
    all_sorts, week = sample(), tiny()
    return {
        "all-sorts.txt": plan_text(all_sorts, why=True),
        "all-sorts.md": plan_md(all_sorts, why=True, details=True),
        **{f"all-sorts-{table}.csv": plan_csv(all_sorts, table) for table in TABLES},
        "tiny.txt": plan_text(week),
        "tiny.md": plan_md(week),
        "tiny.csv": plan_csv(week),
        "tiny.json": stable_json(plan_to_dict(week)),
    }


if __name__ == "__main__":
    for name, text in reports().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")
