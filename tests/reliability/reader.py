"""A process that reads every table again and again, as a plan does, until it is told to stop."""

from __future__ import annotations

import json
import select
import sys
import time
from datetime import UTC, datetime

from rig import digest

from providers.store import StoreError, open_store


def main() -> None:
    """One line when the first is read; at the end one with what was seen."""
    path, adapters = sys.argv[1], sys.argv[2:]
    seconds, seen, faults = [], {}, []
    while not select.select([sys.stdin], [], [], 0)[0]:
        began = time.monotonic()
        try:
            with open_store(path, create=False, read_only=True) as store:
                tables = store.offers(as_of=datetime.now(UTC), adapters=adapters)
        except StoreError as error:
            faults.append(str(error))
            continue
        seconds.append(time.monotonic() - began)
        for name, table in tables.items():
            seen.setdefault(name, set()).add(digest(table))
        if len(seconds) == 1:
            print("reading", flush=True)
    tables = {name: sorted(found) for name, found in seen.items()}
    print(json.dumps({"seconds": seconds, "tables": tables, "faults": faults}), flush=True)


if __name__ == "__main__":
    main()
