"""Only with RENTOPT_LIVE=1 are sources asked over the internet."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "adapters"))

collect_ignore = [] if os.environ.get("RENTOPT_LIVE") == "1" else ["test_live.py"]
