"""Errors of planning, each with its exit code."""

from __future__ import annotations

from providers.errors import RentoptError


class NoPlanError(RentoptError):
    """No plan exists, or none was found; the message says why and what to relax."""

    exit_code = 3


class VerifyError(RentoptError):
    """A plan does not hold against its schedule and prices."""

    exit_code = 7
