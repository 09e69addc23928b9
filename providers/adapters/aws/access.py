"""Asking AWS by boto3: it builds, signs and reads; `Http` sends, waits and tries again.

boto3 gets its keys from the settings alone. It would look for them in the process environment, in
the home folder and at the metadata address of a virtual machine, and would send by itself with
retries of its own; a `before-send` handler answers in place of its transport.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any

from providers.adapter import Snapshot
from providers.http import (
    USER_AGENT,
    Answer,
    CredentialError,
    Dialect,
    FetchError,
    Http,
    QuotaError,
    Verdict,
)

BUSY = frozenset(
    (
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException",
        "PriorRequestNotComplete", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling",
        "ThrottlingException", "TooManyRequestsException", "TransactionInProgressException",
    )
)  # fmt: skip
"""Errors that botocore's own retry handler takes for throttling; AWS sends most with status 400."""
REFUSED = frozenset(
    (
        "AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken",
        "ExpiredTokenException", "IncompleteSignature", "InvalidClientTokenId",
        "InvalidSignatureException", "MissingAuthenticationToken", "NotAuthorized", "OptInRequired",
        "RequestExpired", "SignatureDoesNotMatch", "UnauthorizedOperation",
        "UnrecognizedClientException",
    )
)  # fmt: skip
_CODE = re.compile(rb'<Code>([\w.]+)</Code>|"(?:__type|code|Code)"\s*:\s*"(?:[\w.]+#)?(\w+)"')
_NOWHERE = (None, None, None, None)
"""A botocore setting read from no file and no process environment."""


class NoAnswerError(FetchError):
    """The service did not answer this request, or answered an error."""


class DeclinedError(NoAnswerError):
    """It answered that it will not answer this one: no such machine here, no such duration."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials, and where they come from."""

    access: str
    secret: str
    token: str
    variables: tuple[str, ...]

    @property
    def secrets(self) -> list[str]:
        return [text for text in (self.access, self.secret, self.token) if text]


def keys_of_profile(name: str, variable: str, environment: Mapping[str, str]) -> Keys:
    """The credentials of a profile in the user's AWS files.

    Args:
        environment: may name other files: AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE.

    Raises:
        CredentialError: there is no such profile, or it has none.
    """
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    config = environment.get("AWS_CONFIG_FILE", "~/.aws/config")
    shared = environment.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    files = {
        "config_file": (None, None, config, None),
        "credentials_file": (None, None, shared, None),
    }
    session = Session(session_vars=files, profile=name)
    try:
        resolver = session.get_component("credential_provider")
        for elsewhere in ("env", "container-role", "iam-role"):
            resolver.remove(elsewhere)
        found = session.get_credentials()
        frozen = None if found is None else found.get_frozen_credentials()
    except BotoCoreError as error:
        raise CredentialError(f"{variable}: {error}"[:300]) from None
    if frozen is None or not frozen.access_key:
        raise CredentialError(f"{variable} names profile '{name}', which has no credentials")
    return Keys(frozen.access_key, frozen.secret_key, frozen.token or "", (variable,))


class Api:
    """Clients of AWS services that send through one `Http`."""

    def __init__(
        self,
        http: Http,
        keys: Keys,
        endpoint: str,
        must_hold: Callable[[Snapshot, str], object],
    ) -> None:
        """
        Args:
            endpoint: where every service is asked; empty for AWS's own.
            must_hold: raises a FetchError where a JSON answer has no such field.
        """
        self._http, self._keys, self._endpoint = http, keys, endpoint
        self._must_hold = must_hold
        self._clients: dict[tuple[str, str], Any] = {}
        self._session: Any = None
        self._field, self._status, self._text = "", 0, ""

    def ask(
        self, service: str, region: str, operation: str, field: str, arguments: Mapping[str, Any]
    ) -> Snapshot:
        """One answer, as boto3 reads it, in JSON; times in ISO 8601.

        Args:
            field: what every good answer holds.

        Raises:
            NoAnswerError: there is none, or it is an error.
            DeclinedError: the error is about what was asked.
            CredentialError: the credential was refused.
            FetchError: it has another shape.
        """
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        client = self.client(service, region)
        address = f"{client.meta.endpoint_url.rstrip('/')}/?Action={operation}"
        self._field = field
        try:
            parsed = getattr(client, xform_name(operation))(**arguments)
        except ClientError as error:
            said = error.response.get("Error", {})
            text = f"{said.get('Code')}: {said.get('Message')}"
            raise DeclinedError(f"{address}: {self._clean(text)[:200]}") from None
        except (ResponseParserError, AttributeError, TypeError, ValueError):
            # botocore takes the shape of an answer for granted, and that counts are counts
            raise FetchError(f"{address}: it cannot be read: {self._text[:120]}") from None
        except BotoCoreError as error:
            raise FetchError(f"{address}: {self._clean(str(error))[:200]}") from None
        if field not in parsed:
            raise FetchError(f"{address}: no {field} in it: {self._text[:120]}")
        parsed.pop("ResponseMetadata", None)
        body = json.dumps(parsed, default=_iso).encode()
        return Snapshot(address, self._http.now(), body)

    def client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = self._new_client(service, region)
        return self._clients[service, region]

    def _new_client(self, service: str, region: str) -> Any:
        import boto3
        from botocore.config import Config
        from botocore.session import Session

        if self._session is None:
            isolated = {
                "profile": _NOWHERE,
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
            bare = Session(session_vars=isolated)
            bare.register_component("data_loader", _descriptions())
            self._session = boto3.Session(botocore_session=bare)
        client = self._session.client(
            service,
            region_name=region,
            endpoint_url=self._endpoint or None,
            aws_access_key_id=self._keys.access,
            aws_secret_access_key=self._keys.secret,
            aws_session_token=self._keys.token or None,
            config=Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                ignore_configured_endpoint_urls=True,
            ),
        )
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: Any, **_: Any) -> Any:
        """What boto3 takes for the service's reply."""
        from botocore.awsrequest import AWSResponse

        names = {name: _text(value) for name, value in request.headers.items()}
        names.pop("User-Agent", None)
        body = request.body or b""
        try:
            answer = self._http.post(
                request.url,
                body if isinstance(body, bytes) else str(body).encode(),
                headers=names | {"User-Agent": USER_AGENT, "Accept": "*/*"},
                secrets=self._keys.secrets,
                variables=self._keys.variables,
                dialect=Dialect(judge=self._judge),
            )
        except (CredentialError, QuotaError):
            raise
        except FetchError as failure:
            raise NoAnswerError(str(failure)) from None
        content = answer.snapshot.body
        self._text = " ".join(content[:500].decode(errors="replace").split())
        if self._status == HTTPStatus.OK and not _is_xml(answer):
            self._must_hold(answer.snapshot, self._field)
        return AWSResponse(request.url, self._status, dict(answer.headers), _Body(content))

    def _judge(self, status: int, content: bytes) -> Verdict:
        """What an error is by its code: AWS sends throttling with 400, and refusals too."""
        self._status = status
        found = _CODE.search(content) if status >= HTTPStatus.BAD_REQUEST else None
        if found is None:
            return Verdict.AS_ITS_STATUS
        code = (found[1] or found[2]).decode()
        if code.removeprefix("Client.") in BUSY:
            return Verdict.BUSY
        if code.removeprefix("Client.") in REFUSED:
            return Verdict.REFUSED
        usual = status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        usual |= status == HTTPStatus.TOO_MANY_REQUESTS
        usual |= status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return Verdict.AS_ITS_STATUS if usual else Verdict.ANSWER

    def _clean(self, text: str) -> str:
        for secret in self._keys.secrets:
            text = text.replace(secret, "[hidden]")
        return text


@dataclass(frozen=True, slots=True)
class _Body:
    """An answer already read, as botocore wants to read it."""

    content: bytes

    def stream(self, *_: object, **__: object) -> list[bytes]:
        return [self.content]


@cache
def _descriptions() -> Any:
    """The descriptions of the services, megabytes of JSON: read once a process."""
    from botocore.loaders import Loader

    return Loader()


def _is_xml(answer: Answer) -> bool:
    return answer.snapshot.body.lstrip().startswith(b"<") and "xml" in answer.headers.get(
        "content-type", ""
    )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _iso(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"boto3 gave a {type(value).__name__}")
    return value.isoformat()
