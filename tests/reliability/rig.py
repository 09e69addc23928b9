"""Every source at its loopback server, spoilt as told; and what must be true after any refresh."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import socket
import sqlite3
import ssl
import threading
import zlib
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from desk import Desk
from faults import KINDS, WELL, Kind, speaks_http
from loopback import Reply, serving
from sources import SECRET, SOURCES

from providers import refresh as refreshing
from providers.adapter import Snapshot
from providers.config import load_config
from providers.fx import bundled_fx
from providers.http import Http
from providers.lock import lock_owner
from providers.offers import Offer, Rejected
from providers.registry import load_adapter
from providers.store import open_store

ALL = (*sorted(SOURCES), "fx")
PEM = Path(__file__).with_name("nobodys.pem")
"""A certificate for 127.0.0.1 that nobody signed, with its key; good for nothing else."""
TIMES = """[refresh]
workers = 40
connect_timeout_s = 10
read_timeout_s = {read}
answer_timeout_s = {answer}
"""
QUICK = TIMES.format(read=1.2, answer=2)
"""Where some source says nothing; elsewhere a machine with much to do gets time to answer."""
PATIENT = TIMES.format(read=20, answer=40)
MOST_BYTES = 2**22


def planted() -> dict[str, str]:
    """A secret for every variable that any source takes one from."""
    found: dict[str, str] = {}
    for source in SOURCES.values():
        found |= source.environment()
    return found


def quick_http(limits, pause_s):
    """Limits as the settings say, less to read, and no waiting between tries."""
    return Http(
        replace(limits, max_bytes=MOST_BYTES, deadline_s=60), sleep=lambda s: None, pause_s=pause_s
    )


@contextmanager
def in_a_hurry():
    with mock.patch.object(refreshing, "Http", quick_http):
        yield


def digest(table: list[Offer]) -> str:
    return hashlib.sha256("\n".join(map(repr, table)).encode()).hexdigest()


class BrokenError(Exception):
    """What a fault of an adapter raises; repeats what it should not."""


@dataclass
class Tally:
    """What was injected, and what came of it."""

    ends: Counter = field(default_factory=Counter)
    """(kind, what the refresh said) → times."""
    sources: Counter = field(default_factory=Counter)
    without_place: Counter = field(default_factory=Counter)
    """Those for which the source's answers have no place: nothing was spoilt, so not counted."""

    @property
    def faults(self) -> int:
        return sum(self.ends.values())


class Market(Desk):
    """All sources, each with a fault of its own or none."""

    def __init__(self, folder: Path, stack: ExitStack, names=ALL) -> None:
        super().__init__(folder, stack)
        self.names = names
        self.kinds: dict[str, Kind] = {}
        self.asked: dict[str, int] = {}
        """Requests of a good visit."""
        self.count: Counter[str] = Counter()
        self.own_faults: list[str] = []
        self.altered: set[str] = set()
        """Whose answers were really spoilt: not every document has a currency, say."""
        self.first: dict[str, str] = {}
        self.visitors = 0
        self._homes: dict[str, str] = {}
        self.settings(PATIENT)
        self.hook_server = self.hook()
        self.settings(f'[notify]\nwebhook = "{self.hook_server.base}/hooks/{SECRET}-path"\n')
        self.serve(*(name for name in names if name != "fx"))
        if "fx" in names:
            self.rates()
        for name, server in self.servers.items():
            self._homes[name] = server.base
            if speaks_http(name):
                server.route = self._spoilt(name, server.route)
        self.other_host = self._stack.enter_context(serving(self._visited))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
        self.https = f"https://127.0.0.1:{tls_front(self._stack, context)}"
        # Held, so that nobody else gets the port; it does not listen.
        nobody = self._stack.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))
        self.closed = f"http://127.0.0.1:{nobody.getsockname()[1]}"

    def _visited(self, request, base):
        self.visitors += 1
        return Reply({"data": {}})

    def _spoilt(self, name, route):
        def answer(request, base):
            self.count[name] += 1
            kind = self.kinds.get(name)
            request.source, request.base = name, base

            def good():
                try:
                    found = route(request, base)
                except FileNotFoundError:  # asked for what only a spoilt answer named
                    found = None
                return found or Reply({"error": "no such"}, 404)

            if kind is None or kind.special in ("nobody", "certificate", "bug", "exit"):
                return good()
            if kind.special == "redirect":
                where = self.other_host.base + request.path
                return Reply(status=307, headers={"Location": where})
            number, whole = self.count[name], self.asked.get(name, 1)
            if (kind.last and number < whole) or (kind.once and number > 2):
                return good()
            try:
                spoilt = kind.answer(request, good)
            except BaseException as error:
                self.own_faults.append(f"{kind.said} cannot be injected: {error!r}")
                raise
            if spoilt.act or spoilt.status != 200 or spoilt.body != good().body:
                self.altered.add(name)
            return spoilt

        return answer

    def spoil(self, kinds: dict[str, Kind]) -> None:
        """From now on these sources are at fault, and the others well."""
        self.kinds = kinds
        self._head[0] = QUICK if any(kind.slow for kind in kinds.values()) else PATIENT
        self.count.clear()
        self.altered = {name for name, kind in kinds.items() if kind.special}
        for name, home in self._homes.items():
            special = kinds[name].special if name in kinds else ""
            base = {"nobody": self.closed, "certificate": self.https}.get(special, home)
            if not speaks_http(name):
                grpc = name in kinds and kinds[name].special == "grpc"
                self.servers[name].always = kinds[name].answer(None, None) if grpc else None
            rest = [line for line in self._lines[name] if "_url" not in line]
            other = [f'options = {{ frankfurter_url = "{base}" }}'] if name == "fx" else []
            self._lines[name] = [f'base_url = "{base}"', *rest, *other]
        self.write()

    def refresh(self, *names: str, **how):
        """The command, as a user runs it; returns its result and its rows by source."""
        done = self.prices(
            "refresh", *(names or self.names), "--format", "json", *how.get("flags", ())
        )
        rows = (
            {row["adapter"]: row for row in json.loads(done.stdout)["sources"]}
            if done.stdout
            else {}
        )
        return done, rows

    def faulty_refresh(self, *flags: str):
        broken = [name for name, kind in self.kinds.items() if kind.special in ("bug", "exit")]
        with ExitStack() as stack:
            stack.enter_context(in_a_hurry())
            for name in broken:
                end = self.kinds[name].special == "exit"
                stack.enter_context(broken_adapter(name, SystemExit if end else BrokenError))
            return self.refresh(flags=flags)

    def learn(self) -> None:
        """A first good visit to every source: its table, and how many requests it takes."""
        with in_a_hurry():
            done, rows = self.refresh()
        bad = [row for row in rows.values() if row["status"] != "published"]
        assert not bad, bad
        assert done.exit_code == 0, repr(done.exception)
        self.asked = dict(self.count)
        self.first = {name: digest(table) for name, table in self.tables().items()}

    def tables(self) -> dict[str, list[Offer]]:
        with open_store(self.store, create=False, read_only=True) as store:
            return store.offers(as_of=datetime.now(UTC))

    def restore(self) -> None:
        """The tables of the first visit again, where a fault was let through."""
        now = self.tables()
        other = [name for name in self.first if digest(now[name]) != self.first[name]]
        if other:
            self.spoil({})
            with in_a_hurry():
                done, _ = self.refresh(*other, flags=["--no-checks"])
            assert done.exit_code == 0, done.output

    def inject(self, kinds: dict[str, Kind], tally: Tally) -> list[str]:
        """One refresh with these faults; what is wrong after it, a sentence each."""
        self.restore()
        before = self.tables()
        self.spoil(kinds)
        self.own_faults.clear()
        done, rows = self.faulty_refresh()
        wrong = [] if rows else [f"the refresh ended with {done.exit_code}: {done.exception!r}"]
        after = self.tables()
        for name in rows:
            kind = kinds.get(name)
            end = rows[name]["status"]
            said = f"{name}, {kind.said if kind else 'well'}: {end}: {rows[name]['error'][:200]}"
            if end not in (kind.ends if kind else WELL) and not self.harmless(rows[name]):
                wrong.append(f"unexpected end: {said}")
            if kind and name in self.altered:
                tally.ends[kind.said, end] += 1
                tally.sources[name] += 1
            elif kind:
                tally.without_place[kind.said] += 1
            if kind and kind.special not in ("bug", "exit") and "a fault of rentopt" in said:
                wrong.append(f"taken for a bug: {said}")
            if name == "fx":
                continue
            if end != "published" and digest(after[name]) != digest(before[name]):
                wrong.append(f"not published, but another table: {said}")
            if end == "published":
                wrong += self.unsound(name, rows[name], before[name], after[name])
        wrong += self.kept_badly() + self.own_faults
        if told := leaks([done.output, repr(done.exception)]):
            wrong.append(f"a secret was printed: {told}")
        return wrong

    @staticmethod
    def harmless(row) -> bool:
        """Published, and nothing is another: what was spoilt is not read."""
        keys = ("added", "changed", "vanished", "held_back")
        return row["status"] == "published" and not any(row[key] for key in keys)

    def unsound(self, name, row, before, after) -> list[str]:
        """A published table that is not what was answered, or that the checks should have held."""
        wrong = []
        with open_store(self.store, create=False, read_only=True) as store:
            adapter = load_adapter(name)(refreshing.Settings(base_url=self._homes[name]))
            fates = [f for s in store.snapshots(row["run_id"]) for f in parsed(adapter, s)]
            held = {r.row for r in store.rejected(row["run_id"]) if "held back" in r.reason}
        first: dict[str, Offer] = {}
        for fate in fates:
            if isinstance(fate, Offer) and fate.sku not in held:
                first.setdefault(fate.sku, fate)
        if sorted(map(repr, first.values())) != sorted(map(repr, after)):
            wrong.append(f"{name}: the table is not what was answered")
        gates = load_config(store=None).gates
        if len(after) + len(held) < gates.least_rows_share * len(before):
            wrong.append(f"{name}: {len(before)} offers became {len(after)}")
        fx, day, old = bundled_fx(), datetime.now(UTC).date(), {o.sku: o for o in before}
        for offer in after:
            was = old.get(offer.sku)
            if was is None:
                continue
            moved = float(
                fx.convert(offer.per_gpu_hour, "USD", day).amount
                / fx.convert(was.per_gpu_hour, "USD", day).amount
            )
            if not 1 / gates.biggest_move <= moved <= gates.biggest_move:
                wrong.append(f"{offer.sku}: {was.price} became {offer.price}, x{moved:.2f}")
        return wrong

    def everything_kept(self) -> list[bytes]:
        """Every file of the folder but the settings, each stored body, and what a webhook heard."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        found = [path.read_bytes() for path in files if path.name != "rentopt.toml"]
        with closing(sqlite3.connect(self.store)) as connection:
            bodies = connection.execute("SELECT body FROM blob WHERE body IS NOT NULL")
            found += [zlib.decompress(body) for (body,) in bodies]
        return found + [request.body for request in self.hook_server.requests]

    def kept_badly(self) -> list[str]:
        wrong = []
        with open_store(self.store, create=False, read_only=True) as store:
            wrong += store.check()
        if owner := lock_owner(str(self.store)):
            wrong.append(f"the lock is held by {owner}")
        if self.visitors:
            wrong.append("a redirect was followed")
        return wrong


def needles() -> list[bytes]:
    """What every planted secret holds, in plain and in base64, wherever it begins."""
    plain = SECRET.encode()
    coded = [base64.b64encode(b" " * shift + plain)[4 * bool(shift) : -4] for shift in range(3)]
    return [plain, *coded]


def leaks(texts) -> list[str]:
    """Where a secret is, with some of what stands around it."""
    contents = [t if isinstance(t, bytes) else t.encode(errors="replace") for t in texts]
    return [
        repr(content[max(0, at - 80) : at + 60])
        for content in contents
        for needle in needles()
        if (at := content.find(needle)) >= 0
    ]


def parsed(adapter, snapshot: Snapshot):
    yield from (fate for fate in adapter.parse(snapshot) if isinstance(fate, Offer | Rejected))


@contextmanager
def broken_adapter(name: str, error: type[BaseException]):
    """Its parser fails, with a message that repeats the source's secrets."""

    def parse(self, snapshot):
        secrets = [self.settings.environment.get(name, "") for name in self.variables]
        raise error(f"no way out of {' '.join(secrets)}")

    with mock.patch.object(load_adapter(name), "parse", parse):
        yield


def tls_front(stack: ExitStack, context: ssl.SSLContext) -> int:
    """A port that shows a certificate, and then has nothing to say."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
                with context.wrap_socket(plain, server_side=True):
                    pass
            except ssl.SSLError:
                continue  # a client that refuses the certificate, as it should
            except OSError:
                if listener.fileno() < 0:
                    return

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def rounds(names, kinds=KINDS, seed=3):
    """Every fault at every source once, mixed: one dict a refresh, at most one fault a source;
    in each refresh some sources are well. The slow kinds come together, first."""
    dice = random.Random(seed)
    for slow in (True, False):
        left = {
            name: [k for k, kind in kinds.items() if kind.slow is slow and kind.fits(name)] + [""]
            for name in names
        }
        for pending in left.values():
            dice.shuffle(pending)
        while any(left.values()):
            chosen = {name: pending.pop() for name, pending in left.items() if pending}
            yield {name: kinds[key] for name, key in chosen.items() if key}
