"""What all kinds of units say alike: when, as whom, with which keys, within which limits."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from datetime import time
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from providers.errors import RentoptError

TIMEOUT_MINUTES = 45
"""A refresh ends by itself after 30; this is for one that hangs."""
BUSY_EXIT = 6
"""Another refresh is at work: nothing to worry about."""
NAME = "rentopt-prices"
CATCH_UP_HOURS = 12
"""A night missed by less than this is made up for, where the scheduler can."""
_VARIABLE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshJob:
    """One nightly ``rentopt prices refresh``."""

    at: time
    zone: str
    """IANA name."""
    command: str
    """Where `rentopt` is on the machine that runs the job."""
    data: str
    """Folder of the store, where no other is named."""
    data_home: str = ""
    """XDG_DATA_HOME, where it is set and `data` lies in it."""
    store: str = ""
    """Path of a SQLite file or PostgreSQL URL; empty: what the keys or the settings say."""
    keys: str = ""
    """File of NAME=value lines, on the machine that runs the job."""
    keys_must_exist: bool = False
    key_names: tuple[str, ...] = ()
    """The names in that file, where they are known. Never the values."""
    metrics: str = ""
    """Prometheus text file; empty: beside the store."""
    user: str = ""
    """Whose job it is; empty or root: a user of its own, made for each run (systemd)."""
    image: str = "rentopt"
    """For Kubernetes."""

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, str) and not value.isprintable():
                raise RentoptError(f"{entry.name}: {value!r} has a line break or the like in it")
        if self.user and not _USER.fullmatch(self.user):
            raise RentoptError(f"'{self.user}' is no name of a user")
        if _password(self.store):
            raise RentoptError(
                "the store's URL has a password, which everyone could read in the unit; "
                "put RENTOPT_STORE=URL into the file of keys, and leave --store out"
            )

    @property
    def cron(self) -> str:
        return f"{self.at.minute} {self.at.hour} * * *"

    @property
    def said(self) -> str:
        """When, in words."""
        return f"every night at {self.at:%H:%M} {self.zone}"

    @property
    def on_server(self) -> bool:
        """Whether the store is a server's, by the URL or by the names of the keys."""
        return "://" in self.store or (not self.store and "RENTOPT_STORE" in self.key_names)

    @property
    def folder(self) -> str:
        """Where the store, the lock and the last log are."""
        return str(PurePosixPath(self.store).parent) if self._is_file else self.data

    @property
    def _is_file(self) -> bool:
        return bool(self.store) and "://" not in self.store

    @property
    def umask(self) -> str:
        """A metrics file put somewhere is there to be read by others."""
        return "022" if self.metrics else "077"

    def arguments(self, folder: str = "") -> list[str]:
        """What follows the command; metrics go to `folder` where no file is named."""
        metrics = self.metrics or f"{folder or self.folder}/rentopt.prom"
        store = ["--store", self.store] if self.store else []
        return ["prices", "refresh", "--metrics-file", metrics, *store]


def whole_paths(kind: str, **paths: str) -> None:
    """Schedulers start jobs in a folder of their own. Options by name, `_` for each dash.

    Raises:
        RentoptError: a path is relative.
    """
    for option, path in paths.items():
        if path and "://" not in path and not PurePosixPath(path).is_absolute():
            raise RentoptError(f"{kind} needs the whole path: --{option.replace('_', '-')} {path}")


def night_time(who: str) -> time:
    """A minute between 04:00 and 05:59 that is `who`'s own, and none of the round ones.

    Providers are asked by many machines at minute 0 and every fifth minute. Clocks are put forward
    and back between 00:00 and 04:00, so that times before come never, or twice.
    """
    number = int.from_bytes(hashlib.sha256(who.encode()).digest()[:8])
    minutes = [minute for minute in range(60) if minute % 5]
    return time(4 + number % 2, minutes[number // 2 % len(minutes)])


def key_names(path: Path) -> tuple[str, ...]:
    """The variables that a file of keys sets, in its order.

    Raises:
        RentoptError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise RentoptError(f"{path} cannot be read: {reason}") from None
    found = (_VARIABLE.match(line) for line in text.splitlines())
    return tuple(dict.fromkeys(name[1] for name in found if name))


def _password(store: str) -> bool:
    if "://" not in store:
        return False
    try:
        parts = urlsplit(store)
        return bool(parts.password) or "password=" in parts.query
    except ValueError:
        raise RentoptError("the store's URL is none") from None
