"""Ready units for the nightly refresh: crontab, systemd, Kubernetes, GitHub Actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optimizer.report.job_units.cron import crontab
from optimizer.report.job_units.github import workflow
from optimizer.report.job_units.job import RefreshJob, key_names, night_time
from optimizer.report.job_units.kubernetes import manifests
from optimizer.report.job_units.systemd import units

__all__ = ["UNITS", "RefreshJob", "crontab", "key_names", "manifests", "night_time"]
__all__ += ["units", "workflow"]

UNITS: Mapping[str, Callable[[RefreshJob], dict[str, str]]] = {
    "cron": crontab,
    "systemd": units,
    "kubernetes": manifests,
    "github": workflow,
}
"""Kind → function that gives its files: name → text."""
