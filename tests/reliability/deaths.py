"""Refreshes that die: at a chosen statement or commit, or at any moment; and what they leave."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from desk import Desk
from faults import prices
from loopback import Reply
from rig import digest

from providers.lock import lock_owner, refresh_lock
from providers.store import open_store

HERE = Path(__file__).parent
SOURCES_ASKED = ("cloudrift", "digitalocean", "lambda", "vultr")
REGIONS = 60
"""In which Lambda has each of its machines here, so that writing the table takes a while."""
DEARER = prices(lambda number: number * 1.2, re.compile("price_|cost"))


def large(good: Reply, number: int) -> Reply:
    """Lambda's answer with every machine in many regions."""
    body = json.loads(good.body)
    for row in body["data"].values():
        row["regions_with_capacity_available"] = [
            {"name": f"region-{each}", "description": "somewhere"} for each in range(number)
        ]
    return Reply(body)


@contextmanager
def python(*arguments: str):
    """A child process with our folders on its path; ended at the end, if it has not."""
    code = f"import sys, runpy; sys.path[:0] = {[str(HERE), *sys.path]!r}; sys.argv[1:] = "
    code += f"{list(arguments[1:])!r}; runpy.run_path({str(HERE / arguments[0])!r}, "
    process = subprocess.Popen(
        [sys.executable, "-c", code + "run_name='__main__')"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class Death:
    """How a process is to end."""

    said: str
    end: dict
    """Number of a statement or commit with a signal, or seconds from the start."""


class Ward(Desk):
    """An operator whose refreshes are killed. The sources answer one of two tables each."""

    def __init__(self, folder: Path, stack: ExitStack, regions: int = REGIONS) -> None:
        super().__init__(folder, stack)
        self.regions = regions
        self.serve(*SOURCES_ASKED)
        self.rates()
        self.dearer = False
        for name in SOURCES_ASKED:
            server = self.servers[name]
            server.route = self._either(name, server.route)
        self.nursery = stack.enter_context(python("nursery.py"))
        self.tables_of: dict[bool, dict[str, str]] = {}
        self.counts: Counter[str] = Counter()

    def _either(self, name, route):
        def answer(request, base):
            dear = self.dearer

            def good():
                found = route(request, base)
                return large(found, self.regions + 3 * dear) if name == "lambda" else found

            return DEARER(request, good) if dear else good()

        return answer

    def learn(self) -> None:
        """Both tables of every source, published once."""
        for dear in (True, False):
            self.dearer = dear
            done = self.prices("refresh", *SOURCES_ASKED, "fx")
            assert done.exit_code == 0, done.output
            self.tables_of[dear] = self.tables()
        shared = [n for n in SOURCES_ASKED if self.tables_of[True][n] == self.tables_of[False][n]]
        assert not shared, f"the two tables of {shared} are one"

    def offers(self):
        with open_store(self.store, create=False, read_only=True) as store:
            return store.offers(as_of=datetime.now(UTC), adapters=SOURCES_ASKED)

    def tables(self) -> dict[str, str]:
        return {name: digest(table) for name, table in self.offers().items()}

    def start(self, *arguments: str, end: dict | None = None) -> int:
        """A process of `rentopt`; its id."""
        order = {
            "arguments": [*arguments, "--store", str(self.store)],
            "folder": str(self.folder),
            "environment": dict(os.environ),
            "end": end or {},
        }
        self.nursery.stdin.write(json.dumps(order) + "\n")
        self.nursery.stdin.flush()
        return json.loads(self.nursery.stdout.readline())["child"]

    def ended(self) -> int:
        return json.loads(self.nursery.stdout.readline())["code"]

    def kill(self, death: Death, *command: str) -> int:
        """Run a command to its death; the code it ended with."""
        self.start(*command, end=death.end)
        return self.ended()

    def statements(self, *command: str) -> dict[str, int]:
        """How many statements and commits a command makes when it is let live."""
        self.start(*command)
        code = self.ended()
        assert code == 0, (self.folder / "err").read_text()
        return json.loads((self.folder / "counted.json").read_text())

    def after(self, death: Death, code: int) -> list[str]:
        """What is wrong with the store now; then the refresh that comes next must succeed."""
        new = self.tables_of[self.dearer]
        wrong = self.unsound()
        wrong += [f"{name} is neither the old table nor the new one" for name in self.half_tables()]
        published = [name for name, found in self.tables().items() if found == new[name]]
        self.counts[f"{death.said}: {'ended by it' if code else 'was done before'}"] += 1
        self.counts["tables new"] += len(published)
        self.counts["tables old"] += len(new) - len(published)
        done = self.prices("refresh", *SOURCES_ASKED, "fx")
        if done.exit_code or self.tables() != new:
            wrong.append(f"the next refresh ended with {done.exit_code}: {done.output}")
        return [f"{death.said}, {death.end}: {each}" for each in wrong]

    def all_wrong(self, deaths, *command: str) -> list[str]:
        """Each death in turn, the sources' prices moving every time."""
        wrong = []
        for death in deaths:
            self.dearer = not self.dearer
            wrong += self.after(death, self.kill(death, *command))
        return wrong

    def other_commands(self) -> list[tuple[str, ...]]:
        """What else writes to the store, or copies it."""
        table = str(HERE.parent / "adapters/golden/hyperstack.csv")
        return [
            ("prices", "vacuum", "--keep-days", "1"),
            ("prices", "backup", str(self.folder / "copy.db")),
            ("prices", "import", table, "--as", "quotes"),
        ]

    def new_store(self) -> Path:
        """Where no store is yet; the ward's own from now on."""
        self.counts["stores made"] += 1
        self.store = self.folder / f"prices-{self.counts['stores made']}.db"
        return self.store

    def killed_at_birth(self, death: Death, *command: str) -> list[str]:
        """The same for a refresh that finds no store."""
        self.new_store()
        code = self.kill(death, *command)
        new = self.tables_of[self.dearer]
        with open_store(self.store) as store:
            wrong = store.check()
        found = self.tables()
        wrong += [f"{name} is no whole table" for name in found if found[name] != new[name]]
        return wrong + self.after(death, code)

    @contextmanager
    def stopped(self, end: dict, *command: str):
        """A command that stands still before a statement or commit; killed at the end."""
        mark = self.folder / "stopped"
        process = self.start(*command, end={**end, "signal": "SIGSTOP", "mark": str(mark)})
        while not mark.exists():
            time.sleep(0.01)
        try:
            yield
        finally:
            os.kill(process, signal.SIGKILL)  # it stands, so nobody has waited for it yet
            assert self.ended() == -signal.SIGKILL
            mark.unlink()

    def half_tables(self) -> list[str]:
        found = self.tables()
        return self.unknown_tables({name: [table] for name, table in found.items()})

    def unknown_tables(self, seen) -> list[str]:
        """Names of tables that no source ever had."""
        known = {name: {both[name] for both in self.tables_of.values()} for name in SOURCES_ASKED}
        return [name for name, tables in seen.items() if not known[name].issuperset(tables)]

    @contextmanager
    def reading(self):
        """A process that reads all the time; at the end, what it saw."""
        seen: dict = {}
        with python("reader.py", str(self.store), *SOURCES_ASKED) as reader:
            assert reader.stdout.readline() == "reading\n"
            yield seen
            said, _ = reader.communicate("stop\n", timeout=600)
            seen |= json.loads(said)

    def unsound(self) -> list[str]:
        """Of the store and its lock."""
        with open_store(self.store, create=False) as store:
            wrong = store.check()
        if owner := lock_owner(str(self.store)):
            wrong.append(f"the lock is still held by {owner}")
        with refresh_lock(str(self.store)):
            pass
        return wrong


def at_statements(counted: dict[str, int], number: int, sign: str, dice: random.Random):
    """Deaths at so many statements of all, spread evenly, and at some commits."""
    every = range(1, counted["statement"] + 1)
    chosen = dice.sample(every, min(number, len(every)))
    yield from (
        Death(f"{sign} before a statement", {"statement": n, "signal": sign})
        for n in sorted(chosen)
    )


def at_commits(counted: dict[str, int], sign: str):
    for number in range(1, counted["commit"] + 1):
        yield Death(f"{sign} just before a commit", {"commit": number, "signal": sign})


def at_random(number: int, seconds: float, dice: random.Random):
    for _ in range(number):
        yield Death("SIGKILL at any moment", {"after_s": dice.uniform(0, seconds)})
