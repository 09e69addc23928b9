"""``rentopt prices schedule``: units that run the refresh every night."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Annotated

import typer

LOOSE = 0o077
"""Permissions of others, which a file of keys must not have."""


def clock(text: str) -> time:
    """``03:17``."""
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no time of day; write it like 03:17") from None


def zone(text: str) -> str:
    """A name of the IANA time zone database."""
    from zoneinfo import available_timezones

    if text not in available_timezones():
        raise typer.BadParameter(f"'{text}' is no time zone; they are called like Asia/Shanghai")
    return text


def schedule(
    cron: Annotated[bool, typer.Option("--cron", help="A line for your crontab.")] = False,
    systemd: Annotated[bool, typer.Option("--systemd", help="A service and its timer.")] = False,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="A CronJob, and the volume of its store.")
    ] = False,
    github: Annotated[bool, typer.Option("--github", help="A GitHub Actions workflow.")] = False,
    at: Annotated[
        time | None,
        typer.Option(
            parser=clock,
            metavar="HH:MM",
            help="When, each night.",
            show_default="between 4 and 6, a minute of this user's and machine's own",
        ),
    ] = None,
    tz: Annotated[
        str, typer.Option(parser=zone, metavar="ZONE", help="Time zone of --at.")
    ] = "UTC",
    command: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Where rentopt is there.", show_default="this one; or by name"
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="PATH|URL",
            help="SQLite file or PostgreSQL URL of the price store.",
            show_default="what the keys, the settings or the scheduler's own folder say",
        ),
    ] = None,
    env_file: Annotated[
        Path | None,
        typer.Option(
            help="Keys, a line NAME=value each. Only the names are ever read here.",
            show_default="keys.env beside the settings",
        ),
    ] = None,
    metrics_file: Annotated[
        Path | None,
        typer.Option(help="Prometheus text file to write.", show_default="beside the store"),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose service it is; root: a user of its own (systemd).",
            show_default="you",
        ),
    ] = None,
    image: Annotated[str, typer.Option(help="Container image for --kubernetes.")] = "rentopt",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write to; standard output if not."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Print units that run the refresh every night: no overlap, time limit, least rights."""
    import getpass

    from optimizer.report.job_units import UNITS, RefreshJob, night_time
    from providers.errors import RentoptError

    chosen = {"cron": cron, "systemd": systemd, "kubernetes": kubernetes, "github": github}
    kinds = [kind for kind, wanted in chosen.items() if wanted]
    if not kinds:
        raise RentoptError(f"say which: {', '.join(f'--{kind}' for kind in UNITS)}")
    who = user or getpass.getuser()
    files: dict[str, str] = {}
    for kind in kinds:
        inside = kind in ("kubernetes", "github")  # where this machine's paths mean nothing
        keys = env_file or _default_keys(kind, who)
        job = RefreshJob(
            at=at or night_time(_who()),
            zone=tz,
            command=command or ("rentopt" if inside else _this_command()),
            **_data(who),
            store=store or "",
            keys=str(keys),
            keys_must_exist=env_file is not None,
            key_names=_names(keys, needed=env_file is not None and kind == "github"),
            metrics=str(metrics_file or ""),
            user=who,
            image=image,
        )
        files |= UNITS[kind](job)
    _warn_of_readers(keys)
    if output is None:
        _print(files)
    else:
        _write(output, files, force=force)


def _who() -> str:
    import getpass
    import socket

    return f"{getpass.getuser()}@{socket.gethostname()}"


def _this_command() -> str:
    """The `rentopt` that runs now, else the one a shell would find."""
    import shutil
    import sys

    found = Path(sys.argv[0])
    if found.name == "rentopt" and found.is_file():
        return str(found.absolute())
    return shutil.which("rentopt") or "/usr/local/bin/rentopt"


def _data(user: str) -> dict[str, str]:
    """Where `user`'s own store is."""
    import getpass
    import os

    from providers.config import default_store

    if user != getpass.getuser():
        return {"data": str(_home(user) / ".local/share/rentopt")}
    return {
        "data": str(default_store().parent),
        "data_home": os.environ.get("XDG_DATA_HOME", ""),
    }


def _home(user: str) -> Path:
    import pwd

    try:
        return Path(pwd.getpwnam(user).pw_dir)
    except KeyError:  # of another machine
        return Path("/home", user)


def _default_keys(kind: str, user: str) -> Path:
    import getpass
    import os

    if kind == "systemd" and user == "root":
        return Path("/etc/rentopt/keys.env")
    own = os.environ.get("XDG_CONFIG_HOME", "") if user == getpass.getuser() else ""
    return (Path(own) if own else _home(user) / ".config") / "rentopt" / "keys.env"


def _names(path: Path, *, needed: bool) -> tuple[str, ...]:
    """The variables in the file; empty where it is not here, unless the names are `needed`."""
    from optimizer.report.job_units import key_names
    from providers.errors import RentoptError

    try:
        return key_names(path)
    except RentoptError:
        if needed:
            raise
        return ()


def _warn_of_readers(path: Path) -> None:
    import contextlib

    with contextlib.suppress(OSError):  # it may be of another machine
        if path.stat().st_mode & LOOSE:
            typer.echo(f"rentopt: warning: others may read {path}; run: chmod 600 {path}", err=True)


def _print(files: dict[str, str]) -> None:
    for name, text in files.items():
        if len(files) > 1:
            typer.echo(f"# ==> {name} <==")
        typer.echo(text)


def _write(folder: Path, files: dict[str, str], *, force: bool) -> None:
    from optimizer.report.files import write_atomically
    from providers.errors import RentoptError

    there = [str(folder / name) for name in files if (folder / name).exists()]
    if there and not force:
        hint = "--force overwrites, --output names another folder"
        raise RentoptError(f"{', '.join(there)} there already; {hint}")
    for name, text in files.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / name, text)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RentoptError(f"{folder / name} cannot be written: {reason}") from None
    wrote = ", ".join(str(folder / name) for name in files)
    typer.echo(f"wrote {wrote}; how to install each is at its top", err=True)
