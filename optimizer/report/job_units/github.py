"""A GitHub Actions workflow."""

from __future__ import annotations

import json
from collections.abc import Collection
from shlex import join

from optimizer.report.job_units.job import NAME, TIMEOUT_MINUTES, RefreshJob

_CHECKOUT = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
_CACHE = "27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5"
_STORE = ".rentopt/prices.db"


def workflow(job: RefreshJob) -> dict[str, str]:
    """For .github/workflows of a repository that holds rentopt's source."""
    store = job.store or ("" if job.on_server else _STORE)
    options = ["--store", store] if store else []
    metrics = ["--metrics-file", job.metrics] if job.metrics else []
    refresh = join([job.command, "prices", "refresh", *options, *metrics])
    status = join([job.command, "prices", "status", "--format", "md", *options])
    keep, saved = ("", "") if job.on_server else _cached(store)
    text = f"""\
# rentopt: renew the prices {job.said}.
# Install:  commit as .github/workflows/{NAME}.yml on the default branch.
# Keys:     {_keys_said(job)}
# A missed night is not made up for; GitHub may start late, and stops the schedule of a public
# repository after 60 days without a commit.
name: rentopt prices

on:
  schedule:
    # Without timezone (GitHub Enterprise Server before 2026) the hour is taken as UTC.
    - cron: "{job.cron}"
      timezone: {json.dumps(job.zone)}
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: {NAME}
  cancel-in-progress: false

jobs:
  refresh:
    runs-on: ubuntu-24.04
    timeout-minutes: {TIMEOUT_MINUTES}
    steps:
      - uses: {_CHECKOUT}
        with:
          persist-credentials: false
      - name: Install
        run: |
          python3 -m venv "$RUNNER_TEMP/rentopt"
          "$RUNNER_TEMP/rentopt/bin/pip" install --quiet -c constraints.txt '.[live,postgres]'
          echo "$RUNNER_TEMP/rentopt/bin" >> "$GITHUB_PATH"
{keep}\
      - name: Refresh
{_secrets(job.key_names)}\
        run: |
          {refresh}
      - name: Status
        if: always()
{_secrets(set(job.key_names) & {"RENTOPT_STORE"})}\
        run: |
          {status} >> "$GITHUB_STEP_SUMMARY"
{saved}"""
    return {f"{NAME}.yml": text}


def _keys_said(job: RefreshJob) -> str:
    if job.key_names:
        return "gh secret set NAME, for each name under env below."
    return "none; with --env-file FILE this lists the names in FILE, and takes them as secrets."


def _secrets(names: Collection[str]) -> str:
    """Each by its name: a step sees only what it needs, and GitHub hides each in the log."""
    if not names:
        return ""
    rows = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in names)
    return f"        env:\n{rows}"


def _cached(store: str) -> tuple[str, str]:
    """Steps before and after. A cache is never changed, so each run saves one of its own."""
    folder = json.dumps(store.rpartition("/")[0] or ".")
    prefix = f"{NAME}-store-"
    key = f"{prefix}${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}"
    keep = f"""\
      # A cache not used for 7 days is dropped, and with it all prices of the past: for keeps, put
      # RENTOPT_STORE (a PostgreSQL URL) into the file of keys, and make this file again.
      - name: Fetch the store
        uses: actions/cache/restore@{_CACHE}
        with:
          path: {folder}
          key: {key}
          restore-keys: {prefix}
"""
    saved = f"""\
      - name: Keep the store
        if: always()
        uses: actions/cache/save@{_CACHE}
        with:
          path: {folder}
          key: {key}
"""
    return keep, saved
