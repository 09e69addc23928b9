"""Telling a person: a webhook, a command, or both."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from providers.config import NotifyConfig
from providers.http import FetchError, Http

COMMAND_TIMEOUT_S = 60


def notify(
    event: str, body: Mapping[str, Any], how: NotifyConfig, http: Http | None = None
) -> list[str]:
    """Send an event to whoever wants it; returns what went wrong, a sentence each.

    A message that cannot be delivered changes nothing about the job it tells of.

    Args:
        event: failure, quarantine or decision.
        body: plain data, sent as JSON with the event's name and a sentence for chat tools (text).
    """
    if event not in how.on:
        return []
    message = {"event": event, **body}
    problems = []
    if how.webhook:
        problems += _post(how.webhook, message, http or Http())
    if how.command:
        problems += _run(how.command, json.dumps(message, ensure_ascii=False))
    return problems


def _post(url: str, message: Mapping[str, Any], http: Http) -> list[str]:
    """A webhook's path is its password, so it is never repeated."""
    parts = urlsplit(url)
    try:
        http.post(url, message, secrets=[f"{parts.path}?{parts.query}", parts.path, parts.query])
    except FetchError as error:
        return [f"the webhook was not told: {error}"]
    return []


def _run(command: tuple[str, ...], text: str) -> list[str]:
    try:
        done = subprocess.run(
            command, input=text, text=True, timeout=COMMAND_TIMEOUT_S, capture_output=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = "took too long" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        return [f"the command {command[0]} was not told: {why}"]
    if done.returncode:
        return [f"the command {command[0]} ended with {done.returncode}: {done.stderr[:200]}"]
    return []
