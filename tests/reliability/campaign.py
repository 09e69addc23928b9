"""The whole campaign: every kind of fault at every source, kills, readers; writes the report.

make campaign, or: python tests/reliability/campaign.py [--output docs/reliability.md]
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / name) for name in ("reliability", "prices", "adapters")]

from deaths import (  # noqa: E402
    SOURCES_ASKED,
    Death,
    Ward,
    at_commits,
    at_random,
    at_statements,
)
from faults import KINDS  # noqa: E402
from loopback import Reply  # noqa: E402
from report import written  # noqa: E402
from rig import Market, Tally, leaks, needles, planted, rounds  # noqa: E402

REFRESH = ("prices", "refresh", *SOURCES_ASKED, "fx")
BOMB_BYTES = 2**31
"""What the gzip bomb would be, unpacked."""


@contextmanager
def folder():
    """Where the operator of this part works; no settings of whoever runs this."""
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = f"{name}/none"
        os.environ.update(planted())
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(home)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def faults() -> tuple[Tally, list[str], dict[str, int]]:
    """Every kind at every source that can have it, once; and where secrets were looked for."""
    tally, wrong = Tally(), []
    with folder() as where, ExitStack() as stack:
        market = Market(where, stack)
        market.learn()
        for number, kinds in enumerate(rounds(market.names)):
            wrong += market.inject(kinds, tally)
            say(f"refresh {number}: {tally.faults} faults, {len(wrong)} wrong")
        market.prices("refresh", "--metrics-file", str(where / "rentopt.prom"))
        market.prices("backup", str(where / "copy.db"))
        market.prices("export", "-o", str(where / "prices.csv"))
        printed = [market.prices(*words).output for words in (("status",), ("doctor",))]
        kept = [*market.everything_kept(), *(text.encode() for text in printed)]
        wrong += [f"a secret was kept: {found}" for found in leaks(kept)]
        looked = {
            "files, stored answers and messages searched": len(kept),
            "MB searched": sum(map(len, kept)) // 10**6,
            "secrets planted": len(planted()),
            "forms looked for": len(needles()),
            "messages to the webhook": len(market.hook_server.requests),
        }
    return tally, wrong, looked


def deaths() -> tuple[Counter, list[str]]:
    dice, wrong, counts = random.Random(11), [], Counter()
    with folder() as where, ExitStack() as stack:
        ward = Ward(where, stack)
        ward.learn()

        def die(what: str, those, *command: str) -> None:
            found = []
            for death in those:
                found += ward.all_wrong([death], *command)
                counts[what, death.said] += 1
            wrong.extend(found)
            say(f"{what}: {sum(counts.values())} kills, {len(wrong)} wrong")

        ward.dearer = True
        counted, took = timed(ward, REFRESH)
        every = range(1, counted["statement"] + 1)
        at_each = [Death("SIGKILL before each statement", {"statement": n, "signal": "SIGKILL"})
                   for n in every]  # fmt: skip
        die("refresh", at_each, *REFRESH)
        die("refresh", at_commits(counted, "SIGKILL"), *REFRESH)
        die("refresh", at_random(80, took, dice), *REFRESH)
        for sign in ("SIGTERM", "SIGINT"):
            die("refresh", at_statements(counted, 15, sign, dice), *REFRESH)
        for command in ward.other_commands():
            counted, took = timed(ward, command)
            die(command[1], at_statements(counted, 30, "SIGKILL", dice), *command)
            die(command[1], at_random(15, took, dice), *command)
        ward.new_store()
        counted, _ = timed(ward, REFRESH)
        for death in at_statements(counted, 30, "SIGKILL", dice):
            wrong += ward.killed_at_birth(death, *REFRESH)
            counts["the first refresh", death.said] += 1
        say(f"first refresh: {sum(counts.values())} kills, {len(wrong)} wrong")
        counts["", "old"], counts["", "new"] = ward.counts["tables old"], ward.counts["tables new"]
    return counts, wrong


def timed(ward: Ward, command) -> tuple[dict[str, int], float]:
    began = time.monotonic()
    counted = ward.statements(*command)
    return counted, time.monotonic() - began


def readers() -> tuple[dict[str, float], list[str]]:
    """A process that reads all the time: alone, beside a writer, and beside writers that die."""
    figures, wrong = {}, []
    with folder() as where, ExitStack() as stack:
        ward = Ward(where, stack, regions=700)
        ward.learn()
        dice = random.Random(5)
        _, took = timed(ward, REFRESH)

        def write() -> None:
            for _ in range(10):
                ward.dearer = not ward.dearer
                ward.statements(*REFRESH)

        def idle() -> None:
            time.sleep(10 * took)

        def die() -> None:
            wrong.extend(ward.all_wrong(at_random(12, took, dice), *REFRESH))

        for name, work in (("idle", idle), ("written", write), ("killed", die)):
            with ward.reading() as seen:
                work()
            seconds = seen["seconds"]
            wrong += [f"{name}: {fault}" for fault in seen["faults"]]
            half = ward.unknown_tables(seen["tables"])
            wrong += [f"{name}: read a half table of {table}" for table in half]
            figures |= {f"{name} reads": len(seconds), f"{name} longest": max(seconds),
                        f"{name} median": median(seconds)}  # fmt: skip
            say(f"readers, {name}: {len(seconds)} reads")
        figures["offers"] = sum(len(t) for t in ward.offers().values())
    return figures, wrong


def bomb() -> tuple[float, list[str]]:
    """Megabytes a refresh takes for an answer that is small only while it is packed."""
    import gzip
    import io

    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(BOMB_BYTES // 2**24):
            file.write(bytes(2**24))
    reply = Reply(packed.getvalue(), headers={"Content-Encoding": "gzip"})
    with folder() as where, ExitStack() as stack:
        ward = Ward(where, stack)
        ward.servers["cloudrift"].always = reply
        ward.start("prices", "refresh", "cloudrift")
        code = ward.ended()
        said = (where / "out").read_text()
    wrong = [] if code == 4 and "more than" in said else [f"the bomb: {code}, {said}"]
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=TESTS.parent / "docs/reliability.md")
    output = parser.parse_args().output.resolve()
    began = time.monotonic()
    most_mib, swollen = bomb()
    tally, wrong, looked = faults()
    killed, dead = deaths()
    figures, blocked = readers()
    secret = [fault for fault in wrong if "a secret was" in fault]
    ended = [f for f in wrong if f.startswith(("the refresh ended", "unexpected", "taken for"))]
    halved = [fault for fault in wrong if fault not in secret + ended]
    text = written(
        KINDS,
        tally,
        looked | {"found": len(secret)},
        killed,
        figures,
        wrong_tables=len(halved + dead),
        wrong_refreshes=len(ended + swollen),
        wrong_readers=len(blocked),
        wrong_secrets=len(secret),
        most_mib=round(most_mib),
        bomb_gib=BOMB_BYTES // 2**30,
        machine=f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        minutes=round((time.monotonic() - began) / 60),
    )
    output.write_text(text, encoding="utf-8")
    for fault in [*swollen, *wrong, *dead, *blocked]:
        say(fault)
    say(f"wrote {output}")
    return bool(swollen or wrong or dead or blocked)


if __name__ == "__main__":
    raise SystemExit(main())
