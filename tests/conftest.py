"""No test sees a store or settings of whoever runs it, nor leaves any; none is timed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import lint_tools
import postgres_server
from hypothesis import HealthCheck, settings

# No test is judged by a clock: the machine may have much else to do.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_NOWHERE = Path(tempfile.gettempdir()) / "rentopt-tests-have-no-home"

for variable in [name for name in os.environ if name.startswith("RENTOPT_")]:
    if not variable.startswith(("RENTOPT_TEST_", "RENTOPT_LIVE")):
        del os.environ[variable]
os.environ["XDG_CONFIG_HOME"] = str(_NOWHERE / "config")
os.environ["XDG_DATA_HOME"] = str(_NOWHERE / "data")


def pytest_report_header() -> list[str]:
    return [*lint_tools.left_out(), *postgres_server.left_out()]
