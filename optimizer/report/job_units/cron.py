"""A line for the user's own crontab."""

from __future__ import annotations

from shlex import join, quote

from optimizer.report.job_units.job import BUSY_EXIT, TIMEOUT_MINUTES, RefreshJob, whole_paths

_ADDRESS_SPACE_KIB = 4 * 2**20
"""4 GiB. Threads reserve far more than they use; a refresh itself stays under 1 GiB."""


def crontab(job: RefreshJob) -> dict[str, str]:
    """The lines to put at the end of a crontab."""
    whole_paths(
        "cron",
        command=job.command,
        store=job.store,
        env_file=job.keys,
        metrics_file=job.metrics,
    )
    folder = job.folder
    log, lock = quote(f"{folder}/refresh.log"), quote(f"{folder}/refresh.cron.lock")
    steps = [f"umask {job.umask}", f"ulimit -v {_ADDRESS_SPACE_KIB}", f"mkdir -p {quote(folder)}"]
    if job.keys:
        keys = quote(job.keys)
        load = f"set -a; . {keys}; set +a"
        steps.append(load if job.keys_must_exist else f"if [ -r {keys} ]; then {load}; fi")
    if job.data_home:
        steps.append(f"export XDG_DATA_HOME={quote(job.data_home)}")
    refresh = join([job.command, *job.arguments()])
    steps += [
        f"exec 9>{lock}",
        "flock -n 9 || exit 0",
        f"timeout -k 60 {TIMEOUT_MINUTES}m nice {refresh} >{log} 2>&1"
        f" || [ $? -eq {BUSY_EXIT} ] || cat {log}",
    ]
    line = "; ".join(steps).replace("%", r"\%")  # cron takes a bare % for a line break
    text = f"""\
# rentopt: renew the prices {job.said}.
# Install:   (crontab -l; cat rentopt.crontab) | crontab -
# Keep it at the end of the crontab: CRON_TZ holds for all lines below it.
# Only cronie reads CRON_TZ; to Debian's cron and others {job.at:%H:%M} is the machine's own time.
# Cron does not make up for a night in which the machine was off; systemd's timer does.
# Keys are read by the shell: write NAME='value'.
# The last run's output is in refresh.log beside the store; cron mails it where the run failed.
CRON_TZ={job.zone}
SHELL=/bin/sh
{job.cron} {line}
"""
    return {"rentopt.crontab": text}
