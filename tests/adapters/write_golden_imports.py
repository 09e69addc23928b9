"""Write what importers make of recordings anew: ``python tests/adapters/write_golden_imports.py``.

Only after a wanted change; the diff is what the review reads.
"""

from pathlib import Path

from importing import LAYOUTS, report

for layout in LAYOUTS:
    (Path(__file__).parent / "golden" / f"{layout}.txt").write_text(report(layout))
