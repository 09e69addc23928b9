"""A small HTTP client for price sources: time-outs, retries, and errors a user can act on.

`requests` is imported only when something is fetched, so that planning needs no network package.
Secrets are taken out of every answer and every message.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, auto
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from providers.adapter import Snapshot
from providers.errors import RentoptError
from providers.redaction import forms, redacted, without

USER_AGENT = "rentopt/0.1 (GPU rental price reader)"
LONGEST_RETRY_AFTER_S = 120.0
TRIES_WHEN_LIMITED = 5
TRIES_WHEN_BROKEN = 3
DAILY_QUOTA = b"search_quota_exceeded"
"""In a 429's body: nothing more today, so asking again only makes it worse."""


class FetchError(RentoptError):
    """A source did not answer, or answered something that is no price list."""

    exit_code = 4


class CredentialError(FetchError):
    """A credential is missing or was refused; the message names the environment variable."""


class MissingCredentialError(CredentialError):
    """No credential is set: the source was not asked."""


class TurnedOffError(FetchError):
    """The source is only asked after the user turned it on; it was not asked."""


class QuotaError(FetchError):
    """The source allows no more requests today."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One good answer. `snapshot` is what is kept of it."""

    snapshot: Snapshot
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds, and how much to read."""

    connect_s: float = 5.0
    read_s: float = 30.0
    """Between two pieces of an answer."""
    answer_s: float = 90.0
    """For one whole answer: a slow drip passes `read_s` for ever."""
    deadline_s: float = 300.0
    """For a request with all its retries and pauses."""
    file_s: float = 1800.0
    """For one file of any size, of which only a part is kept."""
    max_bytes: int = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a signature covers it, made anew for each try: a nonce must not come twice."""

    method: str
    url: str
    body: bytes
    moment: datetime
    nonce: str


class Verdict(Enum):
    """What an answer is where its status alone does not tell."""

    AS_ITS_STATUS = auto()
    ANSWER = auto()
    """To be read, whatever its status."""
    BUSY = auto()
    """Too many requests, whatever its status: try again later."""
    REFUSED = auto()
    """The credential was refused, whatever its status."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a source differs from plain HTTP."""

    sign: Callable[[Call], tuple[str, Mapping[str, str]]] | None = None
    """→ the URL to ask and the headers to add. What it adds to the URL is kept nowhere."""
    judge: Callable[[int, bytes], Verdict] | None = None
    """Status and body → what the answer is."""
    keep: Callable[[Iterator[bytes]], Iterator[bytes]] | None = None
    """Pieces of a good answer → what to keep of it, while it comes in: a file of gigabytes is read
    in little memory. `max_bytes` then counts what is kept, and `file_s` is how long it may take."""


PLAIN = Dialect()


class _TryAgainError(Exception):
    """This try failed in a way that another may not. Never leaves this module."""

    def __init__(self, problem: str, tries: int, wait_s: float | None = None) -> None:
        super().__init__(problem)
        self.tries, self.wait_s = tries, wait_s


@dataclass(slots=True)
class Http:
    """Sends requests one at a time. Sleep, dice and clocks can be replaced in tests."""

    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], None] = time.sleep
    dice: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    nonce: Callable[[], str] = lambda: str(uuid4())
    pause_s: float = 0.0
    """Least time between two requests."""
    _last_s: float | None = field(default=None, init=False)

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: Collection[str] = (),
        variables: Sequence[str] = (),
        dialect: Dialect = PLAIN,
    ) -> Answer:
        """The answer to a GET; see `_ask` for what can go wrong."""
        return self._ask("GET", url, params, None, headers, secrets, variables, dialect)

    def post(
        self,
        url: str,
        body: Any,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Collection[str] = (),
        variables: Sequence[str] = (),
        dialect: Dialect = PLAIN,
    ) -> Answer:
        """The answer to a POST of `body`: bytes as they are, anything else as JSON."""
        return self._ask("POST", url, None, body, headers, secrets, variables, dialect)

    def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, str | int] | None,
        body: Any,
        headers: Mapping[str, str] | None,
        secrets: Collection[str],
        variables: Sequence[str],
        dialect: Dialect,
    ) -> Answer:
        """Ask until there is an answer, the tries are used up or the deadline is near.

        Args:
            secrets: texts that must not be kept nor printed.
            variables: environment variables the credentials come from.

        Raises:
            CredentialError: 401 or 403.
            QuotaError: 429 with a daily quota.
            FetchError: anything else that is no answer.
        """
        import requests

        hide = forms(secrets)
        asked = requests.Request(
            method,
            url,
            params=dict(params or {}),
            data=body if isinstance(body, bytes) else None,
            json=None if isinstance(body, bytes) else body,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **(headers or {})},
            auth=_as_given,
        )
        try:
            request = asked.prepare()
        except (requests.exceptions.RequestException, ValueError):
            raise FetchError(f"'{redacted(url)}' is no address to ask") from None
        address = without(redacted(request.url or url), hide)
        end = self.clock() + self.limits.deadline_s
        tried = 0
        while True:
            tried += 1
            try:
                return self._once(self._signed(request, dialect), address, hide, variables, dialect)
            except _TryAgainError as failure:
                problem = f"{address}: {without(str(failure), hide)}"
                if tried >= failure.tries:
                    raise FetchError(f"{problem}, {tried} times") from None
                pause = 2 ** (tried - 1) * self.dice() if failure.wait_s is None else failure.wait_s
                if self.clock() + pause >= end:
                    spent = f"no answer within {self.limits.deadline_s:g} s"
                    raise FetchError(f"{problem}; {spent}") from None
                self.sleep(pause)

    def _keep_pace(self) -> None:
        if self.pause_s and self._last_s is not None:
            self.sleep(max(0.0, self._last_s + self.pause_s - self.clock()))
        self._last_s = self.clock()

    def _signed(self, request: Any, dialect: Dialect) -> Any:
        if dialect.sign is None:
            return request
        signed = request.copy()
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        call = Call(request.method, request.url, body, self.now(), self.nonce())
        signed.url, headers = dialect.sign(call)
        signed.headers.update(headers)
        return signed

    def _once(
        self,
        request: Any,
        address: str,
        hide: Sequence[str],
        variables: Sequence[str],
        dialect: Dialect,
    ) -> Answer:
        import requests

        self._keep_pace()
        times = (self.limits.connect_s, self.limits.read_s)
        try:
            with requests.Session() as session:
                how = session.merge_environment_settings(request.url, {}, True, None, None)
                with session.send(request, timeout=times, allow_redirects=False, **how) as reply:
                    status, headers = reply.status_code, reply.headers
                    keep = dialect.keep if status == HTTPStatus.OK else None
                    content = self._read(reply, address, keep)
        except requests.exceptions.Timeout:
            raise _TryAgainError("timed out", TRIES_WHEN_BROKEN) from None
        except requests.exceptions.RequestException as error:
            raise _TryAgainError(_what(error), TRIES_WHEN_BROKEN) from None
        for secret in hide:
            content = content.replace(secret.encode(), b"[hidden]")
        verdict = Verdict.AS_ITS_STATUS
        if dialect.judge is not None:
            verdict = dialect.judge(status, content)
        _judge(verdict, status, headers, content, address, variables)
        return Answer(
            Snapshot(address, self.now(), content),
            {name.lower(): value for name, value in headers.items()},
        )

    def _read(
        self,
        reply: Any,
        address: str,
        keep: Callable[[Iterator[bytes]], Iterator[bytes]] | None,
    ) -> bytes:
        seconds = self.limits.file_s if keep else self.limits.answer_s
        pieces = _pieces(reply, self.clock, seconds)
        kept = bytearray()
        for piece in keep(pieces) if keep else pieces:
            kept += piece
            if len(kept) > self.limits.max_bytes:
                raise FetchError(f"{address}: more than {self.limits.max_bytes} bytes")
        return bytes(kept)


def _pieces(reply: Any, clock: Callable[[], float], seconds: float) -> Iterator[bytes]:
    """The body as it comes in: `read1` returns what is there, so a drip is noticed."""
    end, size = clock() + seconds, 0
    with _readable_errors():
        while piece := reply.raw.read1(2**16, decode_content=True):
            size += len(piece)
            if clock() > end:
                said = f"still sending after {seconds:g} s ({size} bytes)"
                raise _TryAgainError(said, TRIES_WHEN_BROKEN)
            yield piece


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Faults of a read below `requests`, as faults worth another try."""
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    try:
        yield
    except ReadTimeoutError:
        raise _TryAgainError("timed out", TRIES_WHEN_BROKEN) from None
    except (HTTPError, OSError) as error:
        raise _TryAgainError(_what(error), TRIES_WHEN_BROKEN) from None


def _judge(
    verdict: Verdict,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    address: str,
    variables: Sequence[str],
) -> None:
    usual = verdict is Verdict.AS_ITS_STATUS
    if verdict is Verdict.ANSWER or (usual and HTTPStatus.OK <= status <= HTTPStatus.NO_CONTENT):
        return
    says = excerpt(content)
    if verdict is Verdict.REFUSED or (
        usual and status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    ):
        names = " and ".join(variables)
        cause = f"check {names}" if variables else "it should need no credential"
        raise CredentialError(f"{address} answered {status}; {cause}{says}")
    if verdict is Verdict.BUSY or status == HTTPStatus.TOO_MANY_REQUESTS:
        if DAILY_QUOTA in content:
            raise QuotaError(f"{address}: the daily quota is used up until midnight UTC")
        wait = headers.get("Retry-After", "").strip()
        seconds = min(float(wait), LONGEST_RETRY_AFTER_S) if wait.isdecimal() else None
        raise _TryAgainError(f"too many requests ({status})", TRIES_WHEN_LIMITED, seconds)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _TryAgainError(f"answered {status}{says}", TRIES_WHEN_BROKEN)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        # Not followed: a credential must not travel to an address nobody chose.
        raise FetchError(f"{address} moved ({status}); set the base URL to where it is now")
    raise FetchError(f"{address} answered {status}{says}")


def _as_given(request: Any) -> Any:
    """Keeps `requests` from replacing the Authorization header by one from ~/.netrc."""
    return request


def _what(error: Exception) -> str:
    """The fault in short; the full text of `requests` repeats the address with its query."""
    text = str(error)
    for sign, meaning in (
        ("Name or service not known", "no such host"),
        ("Failed to resolve", "no such host"),
        ("Connection refused", "connection refused"),
        ("IncompleteRead", "the answer was cut off"),
        ("Connection aborted", "connection closed"),
        ("certificate", "its certificate was not accepted"),
        ("timed out", "timed out"),
    ):
        if sign in text:
            return meaning
    return f"cannot be reached ({type(error).__name__})"


def _whole(value: Any) -> Any:
    """Half a surrogate pair, which JSON can write, is in no request, file or terminal."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_whole(name): _whole(each) for name, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value


def excerpt(content: bytes, length: int = 120) -> str:
    """How an answer begins, to put behind an error; empty for an empty one."""
    text = " ".join(content[: 4 * length].decode(errors="replace").split())
    return f": {text[:length]}" if text else ""


def read_json(snapshot: Snapshot) -> Any:
    """The document, numbers with a point as exact Decimals, texts without halves of characters.

    Raises:
        FetchError: it is HTML, cut off, or otherwise no JSON.
    """
    try:
        found = json.loads(snapshot.body, parse_float=Decimal)
        return _whole(found) if b"\\ud" in snapshot.body.lower() else found
    except RecursionError:
        raise FetchError(f"{snapshot.address}: no JSON of any price list: too deep") from None
    except ValueError as error:
        place = f" at byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        said = excerpt(snapshot.body)
        raise FetchError(f"{snapshot.address}: no JSON{place}{said}") from None
