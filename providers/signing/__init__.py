"""Signatures of the Chinese clouds' APIs, by their documented algorithms: hashes of the standard
library and nothing else. The vendors' SDKs bring their own HTTP clients and every service.

Each function takes keys and gives what `providers.http.Dialect.sign` wants: a signed call for each
try, since a nonce must not come twice and a time stamp ages.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from providers.http import Call

Signer = Callable[[Call], tuple[str, Mapping[str, str]]]
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key. Its id travels with each request, the secret never does."""

    id: str = field(repr=False)
    secret: str = field(repr=False)


def alibaba(keys: Keys) -> Signer:
    """RPC style, signature version 1: HMAC-SHA1 over the sorted query, appended to it."""

    def sign(call: Call) -> tuple[str, Mapping[str, str]]:
        parts = urlsplit(call.url)
        query = _canonical(
            [
                *parse_qsl(parts.query, keep_blank_values=True),
                ("AccessKeyId", keys.id),
                ("SignatureMethod", "HMAC-SHA1"),
                ("SignatureVersion", "1.0"),
                ("SignatureNonce", call.nonce),
                ("Timestamp", f"{call.moment:%Y-%m-%dT%H:%M:%SZ}"),
            ]
        )
        text = f"{call.method}&{_escaped('/')}&{_escaped(query)}"
        key = f"{keys.secret}&".encode()
        digest = hmac.new(key, text.encode(), hashlib.sha1).digest()
        signature = _escaped(base64.b64encode(digest).decode())
        return urlunsplit(parts._replace(query=f"{query}&Signature={signature}")), {}

    return sign


def tencent(keys: Keys, service: str) -> Signer:
    """TC3-HMAC-SHA256 over content type, host and body of a POST."""

    def sign(call: Call) -> tuple[str, Mapping[str, str]]:
        content_type = f"{JSON}; charset=utf-8"
        parts = urlsplit(call.url)
        headers = {"content-type": content_type, "host": parts.netloc}
        request = _request(call, parts.path or "/", headers, _sha256(call.body))
        stamp = str(int(call.moment.timestamp()))
        scope = f"{call.moment:%Y-%m-%d}/{service}/tc3_request"
        text = "\n".join(["TC3-HMAC-SHA256", stamp, scope, _sha256(request.encode())])
        signature = _chained(f"TC3{keys.secret}", scope.split("/"), text)
        return call.url, {
            "Content-Type": content_type,
            "X-TC-Timestamp": stamp,
            "Authorization": f"TC3-HMAC-SHA256 Credential={keys.id}/{scope}, "
            f"SignedHeaders={';'.join(headers)}, Signature={signature}",
        }

    return sign


def huawei(keys: Keys) -> Signer:
    """SDK-HMAC-SHA256 over host, date, path, query and body; the secret itself is the key."""

    def sign(call: Call) -> tuple[str, Mapping[str, str]]:
        parts = urlsplit(call.url)
        stamp = f"{call.moment:%Y%m%dT%H%M%SZ}"
        headers = {"host": parts.netloc, "x-sdk-date": stamp}
        path = "/".join(_escaped(unquote(step)) for step in parts.path.split("/"))
        path = path if path.endswith("/") else f"{path}/"
        request = _request(call, path, headers, _sha256(call.body))
        text = "\n".join(["SDK-HMAC-SHA256", stamp, _sha256(request.encode())])
        signature = _hmac(keys.secret.encode(), text).hex()
        return call.url, {
            "X-Sdk-Date": stamp,
            "Authorization": f"SDK-HMAC-SHA256 Access={keys.id}, "
            f"SignedHeaders={';'.join(headers)}, Signature={signature}",
        }

    return sign


def volcengine(keys: Keys, service: str, region: str) -> Signer:
    """HMAC-SHA256 over content type, host, date, query and body; keys are chained by scope."""

    def sign(call: Call) -> tuple[str, Mapping[str, str]]:
        parts = urlsplit(call.url)
        stamp = f"{call.moment:%Y%m%dT%H%M%SZ}"
        body = _sha256(call.body)
        headers = {
            "content-type": JSON,
            "host": parts.netloc,
            "x-content-sha256": body,
            "x-date": stamp,
        }
        request = _request(call, parts.path or "/", headers, body)
        scope = f"{call.moment:%Y%m%d}/{region}/{service}/request"
        text = "\n".join(["HMAC-SHA256", stamp, scope, _sha256(request.encode())])
        signature = _chained(keys.secret, scope.split("/"), text)
        return call.url, {
            "Content-Type": JSON,
            "X-Content-Sha256": body,
            "X-Date": stamp,
            "Authorization": f"HMAC-SHA256 Credential={keys.id}/{scope}, "
            f"SignedHeaders={';'.join(headers)}, Signature={signature}",
        }

    return sign


def _request(call: Call, path: str, headers: Mapping[str, str], body_hash: str) -> str:
    """The canonical request that three of the four hash, `headers` sorted and in lower case."""
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    query = _canonical(parse_qsl(urlsplit(call.url).query, keep_blank_values=True))
    return "\n".join([call.method, path, query, lines, ";".join(headers), body_hash])


def _canonical(pairs: list[tuple[str, str]]) -> str:
    escaped = sorted((_escaped(name), _escaped(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in escaped)


def _escaped(text: str) -> str:
    """RFC 3986: letters, digits and ``-_.~`` stay."""
    return quote(text, safe="~")


def _chained(secret: str, scope: list[str], text: str) -> str:
    """HMAC of the text under a key made of the secret, step by step along the scope."""
    key = secret.encode()
    for step in scope:
        key = _hmac(key, step)
    return _hmac(key, text).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
