"""What can go wrong at a source: each kind spoils what its server would have answered."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from loopback import Reply, cut_off, drip, hang, hang_up, recorded
from sources import SOURCES

NEVER = frozenset({"failed"})
HELD = frozenset({"failed", "quarantined"})
ANY = frozenset({"published", "quarantined", "failed"})
"""A published table must then be what the answer says, and within what the checks allow."""
WELL = frozenset({"published"})


@dataclass(frozen=True)
class Kind:
    """`answer` gets the request and a function that gives the good reply."""

    said: str
    """In the report."""
    ends: frozenset[str]
    """What the refresh may say of it."""
    answer: Callable = lambda request, good: good()
    only: Callable[[str], bool] | None = None
    """Which sources can have it; those that speak HTTP when left out."""
    last: bool = False
    """Only the last request of a visit is spoilt: what came before was good."""
    once: bool = False
    """Only the first two requests are."""
    slow: bool = False
    """Ends with a time-out."""
    special: str = ""
    """Not done by a reply: no server, another certificate, a fault of ours, a status of gRPC."""

    def fits(self, name: str) -> bool:
        return (self.only or speaks_http)(name)


def always(reply: Reply) -> Callable:
    return lambda request, good: reply


def echo(status: int) -> Callable:
    """Everything that came in, the credential too, in plain and decoded."""

    def answer(request, good):
        heard = [*request.headers.values(), *request.query.values(), request.body.decode()]
        return Reply({"error": {"message": " ".join(heard)}, "heard": heard}, status)

    return answer


def echo_beside(request, good):
    """A good answer with the credential in a field of every object."""
    heard = " ".join(
        [request.headers.get(name, "") for name in ("authorization", "x-api-key", "x-auth-token")]
        + [*request.query.values()]
    )
    return rewritten(good(), lambda found: told(found, heard))


def told(value, heard):
    if isinstance(value, dict):
        return {**{k: told(v, heard) for k, v in value.items()}, "you_sent": heard}
    return [told(each, heard) for each in value] if isinstance(value, list) else value


def rewritten(reply: Reply, change: Callable, markup: Callable = lambda body: body) -> Reply:
    """The document changed, and those inside its texts; `markup` is for web pages and XML."""
    if reply.body.lstrip().startswith(b"<"):
        return Reply(markup(reply.body), reply.status, reply.headers)
    document = json.loads(reply.body, object_hook=unpacked)
    return Reply(json.dumps(repacked(change(document))).encode(), reply.status, reply.headers)


class Packed(dict):
    """A document that was written as a text inside another."""


def unpacked(row: dict) -> dict:
    """AWS writes its price list as texts of JSON."""

    def each(value):
        packed = isinstance(value, str) and value.startswith("{")
        return Packed(inside=json.loads(value)) if packed else value

    return {k: [each(x) for x in v] if isinstance(v, list) else v for k, v in row.items()}


def repacked(value):
    if isinstance(value, dict):
        if set(value) == {"inside"}:
            return json.dumps(repacked(value["inside"]))
        return {name: repacked(each) for name, each in value.items()}
    return [repacked(each) for each in value] if isinstance(value, list) else value


def of_json(change: Callable, markup: Callable = lambda body: body) -> Callable:
    return lambda request, good: rewritten(good(), change, markup)


TABLE_ROW = re.compile(rb"<tr\b.*?</tr>", re.DOTALL)
FIGURE = re.compile(rb"((?i:price|fee)>)(\d+(?:\.\d+)?)(?=<)")
"""In the XML of EC2."""
IN_TABLE = re.compile(rb"(>\s*[^\s<\d]{0,4}\s*|\s)(\d+(?:\.\d+)?)(?=\s*[^\s<\d*]*<)")


def without_rows(body: bytes, kept: int = 0) -> bytes:
    """Table rows after the first of each page, every `kept`-th left."""
    seen = iter(range(10_000))

    def row(found):
        number = next(seen)
        return found[0] if number == 0 or (kept and number % kept == 0) else b""

    return TABLE_ROW.sub(row, body)


def of_text(pattern: str, by: str) -> Callable:
    def answer(request, good):
        reply = good()
        body = re.sub(pattern.encode(), by.encode(), reply.body)
        return Reply(body, reply.status, reply.headers)

    return answer


def is_row(value: object) -> bool:
    return isinstance(value, dict | list)


def emptied(value):
    """Every list of rows without its rows, every map of rows too."""
    if isinstance(value, list):
        return [] if any(map(is_row, value)) else value
    if isinstance(value, dict):
        if len(value) > 1 and all(isinstance(each, dict) for each in value.values()):
            return {}
        return {key: emptied(each) for key, each in value.items()}
    return value


def halved(value):
    """Every second row of each list and map of rows."""
    if isinstance(value, list):
        kept = value[::2] if len(value) > 1 and all(map(is_row, value)) else value
        return [halved(each) for each in kept]
    if isinstance(value, dict):
        rows = list(value.items())
        if len(rows) > 3 and all(isinstance(each, dict) for each in value.values()):
            rows = rows[::2]
        return {key: halved(each) for key, each in rows}
    return value


PRICE = re.compile(
    r"(?i)price|cost|hourly|fee|(?<!gpu)amount|cents|usd|cny|eur|nanos|^units$|^value$|dph|monthly|"
    r"per_?hour|^ppu$|minute|_discount|payg"
)
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def prices(change: Callable, fields: re.Pattern = PRICE) -> Callable:
    """Every number in a field that is called after money, through `change`."""

    def walk(value, priced=False):
        if isinstance(value, dict):
            return {k: walk(v, priced or bool(fields.search(k))) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(each, priced) for each in value]
        if not priced or isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | float):
            return change(value)
        if isinstance(value, str) and NUMBER.fullmatch(value):
            return str(change(float(value)))
        return value

    def markup(body):
        figure = FIGURE if b"xmlns=" in body else IN_TABLE
        return figure.sub(
            lambda found: found[1] + str(change(float(found[2])) or "").encode(), body
        )

    return of_json(walk, markup)


def rows_as_text(value, deep=0):
    """Each row became a text: another version of the API."""
    if isinstance(value, list):
        return [f"row {n}" for n, _ in enumerate(value)] if any(map(is_row, value)) else value
    if isinstance(value, dict):
        return {key: rows_as_text(each, deep + 1) for key, each in value.items()}
    return value


def texts(change: Callable[[str], str]) -> Callable:
    def walk(value):
        if isinstance(value, dict):
            return {key: walk(each) for key, each in value.items()}
        if isinstance(value, list):
            return [walk(each) for each in value]
        return change(value) if isinstance(value, str) and value.isprintable() else value

    return of_json(walk)


OTHER_MONEY = {"USD": "CNY", "CNY": "USD", "EUR": "CNY", "usd": "cny"}


def in_money(names) -> Callable:
    """Another currency in every field and under every key that names one."""

    def walk(value):
        if isinstance(value, dict):
            return {names(key): walk(each) for key, each in value.items()}
        if isinstance(value, list):
            return [walk(each) for each in value]
        return names(value) if isinstance(value, str) else value

    return of_json(walk)


CARDS = r"(?i)([abhv]|gb|mi|rtx[ _a]*)\d{2,4}[a-z]?|l40s?|rtx[ _-]?[a-z ]*\d{4}|[45]090|a10g?|[tl]4"
"""What GPUs are called, and some more."""


@cache
def bomb() -> bytes:
    return gzip.compress(bytes(2**25), 9)


def gzipped(body: Callable[[], bytes]) -> Callable:
    return lambda request, good: Reply(body(), headers={"Content-Encoding": "gzip"})


def repeated(request, good):
    """The page after which another comes, for ever; other requests are answered well."""
    name = request.source
    return Reply(recorded(SOURCES[name].repeats, request.base), headers=SOURCES[name].headers)


def speaks_http(name: str) -> bool:
    return name not in SOURCES or SOURCES[name].server is None


def keyed(name: str) -> bool:
    return is_priced(name) and bool(SOURCES[name].variables)


def is_priced(name: str) -> bool:
    return name in SOURCES and speaks_http(name)


def is_adapter(name: str) -> bool:
    return name in SOURCES


def of_grpc(name: str) -> bool:
    return not speaks_http(name)


def status(code: str, ends: frozenset[str] = NEVER) -> Kind:
    said = " ".join(SOURCES["nebius"].environment().values())
    return Kind(
        f"gRPC: {code}, repeating the key", ends, always((code, said)), of_grpc, special="grpc"
    )


HTML = b"<!doctype html><title>Sign in</title>" + b"<p>" * 1000

KINDS = {
    "refused": Kind("connection refused", NEVER, special="nobody"),
    "hang-up": Kind("the connection is closed without a word", NEVER, always(Reply(act=hang_up))),
    "401": Kind("401, repeating the key", NEVER, echo(401), only=keyed),
    "403": Kind("403, repeating the key", NEVER, echo(403), only=keyed),
    "429": Kind("429 without Retry-After, for ever", NEVER, always(Reply(status=429))),
    "429-told": Kind(
        "429 with Retry-After, for ever",
        NEVER,
        always(Reply(status=429, headers={"Retry-After": "3"})),
    ),
    "429-once": Kind("429 twice, then a good answer", WELL, always(Reply(status=429)), once=True),
    "quota": Kind(
        "429 with a daily quota", NEVER, always(Reply({"error": "search_quota_exceeded"}, 429))
    ),
    "500": Kind("500, repeating the key", NEVER, echo(500)),
    "503-once": Kind("503 twice, then a good answer", WELL, always(Reply(b"", 503)), once=True),
    "503-last": Kind("503 at the last request of a visit", ANY, always(Reply(b"", 503)), last=True),
    "404": Kind("404", NEVER, always(Reply({"error": "gone"}, 404))),
    "hang": Kind("nothing is said (hang)", NEVER, always(Reply(act=hang)), slow=True),
    "hang-last": Kind(
        "a hang at the last request", ANY, always(Reply(act=hang)), last=True, slow=True
    ),
    "drip": Kind("a byte at a time (slow drip)", NEVER, always(Reply(act=drip)), slow=True),
    "cut-off": Kind("the body is cut off", NEVER, always(Reply(act=cut_off))),
    "cut-last": Kind(
        "the body is cut off at the last request", ANY, always(Reply(act=cut_off)), last=True
    ),
    "html": Kind("a page of HTML", NEVER, always(Reply(HTML))),
    "half": Kind("half a JSON document", NEVER, always(Reply(b'{"data": {"a": [1, 2'))),
    "nothing": Kind("an empty body", NEVER, always(Reply(b""))),
    "null": Kind("null", NEVER, always(Reply(b"null"))),
    "no-utf8": Kind("bytes that are no text", NEVER, always(Reply(b'{"data": "\xff\xfe\xff"}'))),
    "deep": Kind(
        "100,000 brackets deep", NEVER, always(Reply(b'{"data":' + b"[" * 100_000)), only=is_priced
    ),
    "error-in-200": Kind(
        "an error with status 200", NEVER, always(Reply({"error": {"message": "out of order"}}))
    ),
    "echo-in-200": Kind("a good answer that repeats the key", ANY, echo_beside, only=keyed),
    "redirect": Kind("a redirect to another host", NEVER, special="redirect"),
    "bomb": Kind("a gzip bomb", NEVER, gzipped(bomb)),
    "no-gzip": Kind("gzip that is none", NEVER, gzipped(lambda: b"\x1f\x8b this is not")),
    "certificate": Kind("a certificate nobody signed", NEVER, special="certificate"),
    "empty": Kind("lists without rows", ANY, of_json(emptied, without_rows), only=is_priced),
    "half-rows": Kind(
        "half the rows gone",
        ANY,
        of_json(halved, lambda body: without_rows(body, 2)),
        only=is_priced,
    ),
    "rows-as-text": Kind("rows of another shape", ANY, of_json(rows_as_text), only=is_priced),
    "x100": Kind("prices x100", HELD, prices(lambda n: n * 100), only=is_priced),
    "zero": Kind("prices of 0", ANY, prices(lambda n: n * 0), only=is_priced),
    "negative": Kind("prices below 0", ANY, prices(lambda n: -n), only=is_priced),
    "no-price": Kind("prices of null", ANY, prices(lambda n: None), only=is_priced),
    "huge": Kind("prices of 400 digits", ANY, prices(lambda n: 10**400), only=is_priced),
    "currency": Kind(
        "another currency with the same figures",
        ANY,
        in_money(lambda text: OTHER_MONEY.get(text, text)),
        only=is_priced,
    ),
    "no-currency": Kind(
        "a currency that is none",
        ANY,
        in_money(lambda text: "XXX" if text in OTHER_MONEY else text),
        only=is_priced,
    ),
    "unknown-gpus": Kind("GPUs nobody knows", ANY, of_text(CARDS, "Q7777"), only=is_priced),
    "surrogates": Kind(
        "texts with half a character", ANY, texts(lambda text: text + "\ud800"), only=is_priced
    ),
    "escapes": Kind(
        "texts that command a terminal", ANY, texts(lambda t: t + "\x1b[2J"), only=is_priced
    ),
    "repeated": Kind(
        "one page again and again",
        HELD,
        repeated,
        only=lambda name: name in SOURCES and bool(SOURCES[name].repeats),
    ),
    **{
        f"grpc-{code.lower()}": status(code)
        for code in (
            "UNAVAILABLE",
            "UNAUTHENTICATED",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "INTERNAL",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DATA_LOSS",
        )
    },
    "grpc-hang": Kind(
        "gRPC: nothing is said (hang)", NEVER, always("hang"), of_grpc, slow=True, special="grpc"
    ),
    "grpc-refused": Kind(
        "gRPC: connection refused", NEVER, only=of_grpc, slow=True, special="nobody"
    ),
    "grpc-certificate": Kind(
        "gRPC: a certificate nobody signed", NEVER, only=of_grpc, slow=True, special="certificate"
    ),
    "bug": Kind("a fault of the adapter itself", NEVER, special="bug", only=is_adapter),
    "bug-exit": Kind("an adapter that ends the program", NEVER, special="exit", only=is_adapter),
}
