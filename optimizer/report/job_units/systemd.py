"""A service that may do little, and the timer that starts it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from optimizer.report.job_units.job import BUSY_EXIT, NAME, TIMEOUT_MINUTES, RefreshJob, whole_paths
from providers.errors import RentoptError

_STATE = "/var/lib/rentopt"
_FENCE = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
PrivateTmp=yes
PrivateMounts=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
PrivateUsers=yes
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""


def units(job: RefreshJob) -> dict[str, str]:
    """The service and its timer, for /etc/systemd/system.

    Raises:
        RentoptError: a path is relative, or nobody is named who may write the store.
    """
    whole_paths(
        "systemd",
        command=job.command,
        store=job.store,
        env_file=job.keys,
        metrics_file=job.metrics,
    )
    own_user = job.user in ("", "root")
    places = [] if job.on_server or not job.store else [job.folder]
    places += [str(PurePosixPath(job.metrics).parent)] if job.metrics else []
    for place in places if own_user else []:
        if place != _STATE:
            raise RentoptError(f"name with --user who may write in {place}")
    who, folders = _of_its_own() if own_user else _as_user(job)
    arguments = job.arguments(_STATE if own_user else "")
    mark = "" if job.keys_must_exist else "-"
    keys = f"EnvironmentFile={mark}{_path(job.keys)}\n" if job.keys else ""
    service = f"""\
# rentopt: renew the prices {job.said} (see the timer).
# Install:   cp {NAME}.service {NAME}.timer /etc/systemd/system/
#{_prepare(job, own_user)}
#            systemctl daemon-reload
#            systemctl enable --now {NAME}.timer
# Try it:    systemctl start {NAME}.service; journalctl -u {NAME}.service
[Unit]
Description=Renew the GPU rental prices of rentopt
Wants=network-online.target
After=network-online.target nss-lookup.target

[Service]
Type=oneshot
ExecStart={_line([job.command, *arguments])}
# {BUSY_EXIT}: another refresh is at work. A service that is still running is not started again.
SuccessExitStatus={BUSY_EXIT}
TimeoutStartSec={TIMEOUT_MINUTES}min
TimeoutStopSec=60
{who}
{keys}{folders}
MemoryHigh=768M
MemoryMax=1G
TasksMax=128
Nice=10
IOSchedulingClass=idle
UMask=0{job.umask}

{_FENCE}"""
    timer = f"""\
# rentopt: renew the prices {job.said}.
[Unit]
Description=Renew the GPU rental prices of rentopt every night

[Timer]
OnCalendar=*-*-* {job.at:%H:%M}:00 {job.zone}
# A night in which the machine was off is made up for when it is on again.
Persistent=true

[Install]
WantedBy=timers.target
"""
    return {f"{NAME}.service": service, f"{NAME}.timer": timer}


def _prepare(job: RefreshJob, own_user: bool) -> str:
    if own_user:
        return "            (keys: root's, mode 0600; the service itself cannot read the file)"
    return f"            install -d -m 0700 -o {job.user} {job.folder}"


def _of_its_own() -> tuple[str, str]:
    """A user that exists while the service runs; it has /var/lib/rentopt and nothing else."""
    return (
        "DynamicUser=yes\nEnvironment=XDG_DATA_HOME=/var/lib XDG_CONFIG_HOME=/etc",
        f"""\
StateDirectory=rentopt
StateDirectoryMode=0700
WorkingDirectory={_STATE}
# So rentopt itself must lie outside of home folders, such as in /opt.
ProtectHome=yes""",
    )


def _as_user(job: RefreshJob) -> tuple[str, str]:
    who = f"User={job.user}"
    if job.data_home:
        who += f"\nEnvironment={_quoted(f'XDG_DATA_HOME={job.data_home}')}"
    writable = dict.fromkeys([_path(job.folder), *([_parent(job.metrics)] * bool(job.metrics))])
    return (
        who,
        f"""\
WorkingDirectory={_path(job.folder)}
ProtectHome=read-only
ReadWritePaths={" ".join(writable)}""",
    )


def _parent(path: str) -> str:
    return _path(str(PurePosixPath(path).parent))


def _path(path: str) -> str:
    """A path as a setting takes it, where spaces part the entries of a list."""
    if set(path) & set("\"'\\ "):
        raise RentoptError(f"systemd takes no spaces and quotes in a path: {path}")
    return path.replace("%", "%%")


def _line(words: Sequence[str]) -> str:
    return " ".join(_quoted(word).replace("$", "$$") for word in words)


def _quoted(word: str) -> str:
    word = word.replace("%", "%%")
    if word and not set(word) & set("\"'\\ ;"):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
