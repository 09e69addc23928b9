"""One refresh at a time. The lock is the operating system's: it ends with its owner, however."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from providers.config import default_store
from providers.errors import RentoptError, needing

A_MOMENT_S = 0.5


class LockHeldError(RentoptError):
    """Another refresh is at work on the same store."""

    exit_code = 6


@contextmanager
def refresh_lock(store_url: str) -> Iterator[Path]:
    """Holds the lock of a store on this machine for the time of the block.

    Raises:
        LockHeldError: another process holds it; says which.
        RentoptError: there is no place for its file.
    """
    with needing("live"):
        from filelock import FileLock, Timeout

    path = lock_path(store_url)
    lock = FileLock(path)
    owner = path.with_suffix(".owner")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever only asks if it is held (`lock_owner`) holds it for a moment.
        lock.acquire(timeout=A_MOMENT_S, poll_interval=A_MOMENT_S / 10)
    except Timeout:
        raise LockHeldError(f"another refresh is at work ({_said(owner)}); wait for it") from None
    except OSError as error:
        raise RentoptError(f"{path} cannot be made: {error.strerror}") from None
    try:
        who = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        owner.write_text(json.dumps(who), encoding="utf-8")
        yield path
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def lock_path(store_url: str) -> Path:
    """Beside a SQLite file; for a server, in the data folder, named after the address."""
    if "://" in store_url:
        name = hashlib.sha256(store_url.encode()).hexdigest()[:16]
        return default_store().parent / f"refresh-{name}.lock"
    return Path(store_url).absolute().with_name(Path(store_url).name + ".lock")


def lock_owner(store_url: str) -> str:
    """Who holds the lock of a store; empty when nobody does."""
    from filelock import FileLock, Timeout

    path = lock_path(store_url)
    if not path.exists():
        return ""
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return _said(path.with_suffix(".owner"))
    lock.release()
    return ""


def _said(owner: Path) -> str:
    try:
        who = json.loads(owner.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its owner did not say who it is"
