"""Read a bulk price file of AWS: our stream against `csv` and pandas, in the same run.

    python tests/benchmarks/bench_aws_bulk.py [--rows 2000000] [--runs 3] [--output FILE]

Writes a region's CSV file as AWS shapes it (91 columns, one machine in fifty with a GPU), then
reads it to offers in several ways, each in a process of its own, and checks that all find the same
offers. Prints a Markdown table; of our way it asserts only that memory stays bounded.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from providers.adapter import Snapshot
from providers.adapters.aws import bulk
from providers.adapters.aws.adapter import Aws
from providers.adapters.aws.machines import is_read
from providers.live import Settings
from providers.offers import Offer

ADDRESS = "https://pricing.example/us-east-1/index.csv"
MOST_MIB = 300
ADDRESS_SPACE = 14 * 2**30
"""No way of reading may take more; the machine has other work."""
HEAD = (
    ("FormatVersion", "v1.0"),
    ("Disclaimer", "generated"),
    ("Publication Date", "2026-11-02T17:20:32Z"),
    ("Version", "20261102172032"),
    ("OfferCode", "AmazonEC2"),
)
TERMS = ("SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate",
         "StartingRange", "EndingRange", "Unit", "PricePerUnit", "Currency",
         "LeaseContractLength", "PurchaseOption", "OfferingClass")  # fmt: skip
PRODUCT = ("Product Family", "serviceCode", "Location", "Location Type", "Instance Type",
           "Current Generation", "Instance Family", "vCPU", "Physical Processor", "Clock Speed",
           "Memory", "Storage", "Network Performance", "Processor Architecture", "Tenancy",
           "Operating System", "License Model", "GPU", "GPU Memory", "usageType", "operation",
           "CapacityStatus", "Dedicated EBS Throughput", "Pre Installed S/W", "MarketOption",
           "Region Code", "serviceName", "Normalization Size Factor")  # fmt: skip
OTHERS = tuple(f"Attribute {number}" for number in range(91 - len(TERMS) - len(PRODUCT)))
COLUMNS = TERMS + PRODUCT + OTHERS
GPU_TYPES = {"p5.48xlarge": (192, 2048, 8), "p4d.24xlarge": (96, 1152, 8), "g5.xlarge": (4, 16, 1),
             "g6.12xlarge": (48, 192, 4), "g6e.48xlarge": (192, 1536, 8)}  # fmt: skip
SYSTEMS = ("Linux", "Windows", "RHEL", "SUSE", "Ubuntu Pro")
SOFTWARE = ("NA", "SQL Web", "SQL Std", "SQL Ent")
RESERVED = [
    (length, option, offering)
    for length in ("1yr", "3yr")
    for option in ("No Upfront", "Partial Upfront", "All Upfront")
    for offering in ("standard", "convertible")
]


def machines() -> Iterator[tuple[str, int, int, int]]:
    """Name, vCPU, GiB and GPUs of every product, GPU machines rare."""
    dice = random.Random(0)
    sizes = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "24xlarge", "metal")
    plain = [f"{f}{g}{v}.{s}" for f in "mcrtx" for g in range(3, 9) for v in ("", "i", "a", "gn")
             for s in sizes]  # fmt: skip
    names = list(GPU_TYPES)
    while True:
        if dice.random() < 0.02:
            name = dice.choice(names)
            yield name, *GPU_TYPES[name]
        else:
            yield dice.choice(plain), 8, 32, 0


def write_file(path: Path, rows: int) -> None:
    """A region's price file: for each product on-demand and 12 reserved terms."""
    dice, written = random.Random(1), 0
    with path.open("w", newline="") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        out.writerows(HEAD)
        out.writerow(COLUMNS)
        for number, (name, vcpu, memory, gpus) in enumerate(machines()):
            product = _product(dice, name, vcpu, memory, gpus)
            sku = hashlib.md5(f"{number}".encode()).hexdigest()[:16].upper()
            price = (gpus or 0.1) * dice.uniform(0.9, 1.1)
            for line in _lines(sku, product, name, price):
                if written == rows:
                    return
                out.writerow(line)
                written += 1


def _product(dice: random.Random, name: str, vcpu: int, memory: int, gpus: int) -> list[str]:
    says = {
        "Product Family": "Compute Instance", "serviceCode": "AmazonEC2",
        "Location": "US East (N. Virginia)", "Location Type": "AWS Region", "Instance Type": name,
        "Current Generation": "Yes", "vCPU": f"{vcpu}", "Memory": f"{memory:,} GiB",
        "Instance Family": "GPU instance" if gpus else "General purpose",
        "Physical Processor": "Intel Xeon Platinum 8275CL", "Clock Speed": "3 GHz",
        "Storage": "EBS only", "Network Performance": "Up to 10 Gigabit",
        "Processor Architecture": "64-bit", "Tenancy": dice.choice(("Shared", "Dedicated", "Host")),
        "Operating System": dice.choice(SYSTEMS), "License Model": "No License required",
        "GPU": f"{gpus}" if gpus else "", "usageType": f"BoxUsage:{name}",
        "operation": "RunInstances", "CapacityStatus": dice.choice(("Used", "Used", "Unused")),
        "Pre Installed S/W": dice.choice(SOFTWARE), "MarketOption": "OnDemand",
        "Region Code": "us-east-1", "serviceName": "Amazon Elastic Compute Cloud",
    }  # fmt: skip
    return [says.get(column, "") for column in PRODUCT] + [""] * len(OTHERS)


def _lines(sku: str, product: list[str], name: str, price: float) -> Iterator[list[str]]:
    def line(code: str, rate: str, kind: str, unit: str, amount: float, *lease: str) -> list[str]:
        said = f"${amount:.10f} per {kind} {name} Instance Hour"
        start, end = ("0", "Inf") if unit == "Hrs" else ("", "")
        terms = [sku, code, f"{sku}.{code}.{rate}", kind, said, "2026-11-01", start, end, unit,
                 f"{amount:.10f}", "USD", *(lease or ("", "", ""))]  # fmt: skip
        return terms + product

    yield line("JRTCKXETXF", "6YS6EN2CT7", "OnDemand", "Hrs", price)
    for number, lease in enumerate(RESERVED):
        code, hours = f"TERM{number:06d}", 8760 * int(lease[0][0])
        share = {"No": 0.0, "Partial": 0.5, "All": 1.0}[lease[1].split()[0]]
        yield line(code, "6YS6EN2CT7", "Reserved", "Hrs", price * 0.6 * (1 - share), *lease)
        if share:
            fee = round(price * 0.6 * share * hours)
            yield line(code, "2TG2D8R56U", "Reserved", "Quantity", fee, *lease)


# -- ways of reading -----------------------------------------------------------------------------


def offers_in(body: bytes) -> list[Offer]:
    snapshot = Snapshot(ADDRESS, datetime(2026, 11, 20, tzinfo=UTC), body)
    return [fate for fate in Aws(Settings()).parse(snapshot) if isinstance(fate, Offer)]


def pieces(path: Path) -> Iterator[bytes]:
    """As they come from a socket."""
    with path.open("rb") as file:
        while piece := file.read(2**16):
            yield piece


def our_stream(path: Path) -> list[Offer]:
    return offers_in(b"".join(bulk.gpu_lines(pieces(path), ADDRESS)))


def _wanted(kind: str, system: str, tenancy: str) -> bool:
    return system == "Linux" and tenancy == "Shared" and is_read(kind)


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    out = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    out.writerow(header)
    out.writerows(rows)
    return text.getvalue().encode()


def with_csv(path: Path) -> list[Offer]:
    with path.open(newline="") as file:
        lines = csv.reader(file)
        header = next(row for row in lines if row[0] == "SKU")
        at = [header.index(name) for name in ("Instance Type", "Operating System", "Tenancy")]
        kept = [row for row in lines if _wanted(*(row[n] for n in at))]
    return offers_in(_table(header, kept))


def with_pandas(path: Path, chunk: int | None) -> list[Offer]:
    import pandas as pd

    read = pd.read_csv(path, skiprows=len(HEAD), dtype=str, keep_default_na=False, chunksize=chunk)
    frames = [read] if isinstance(read, pd.DataFrame) else read
    kept, header = [], None
    for frame in frames:
        header = list(frame.columns)
        of_linux = (frame["Operating System"] == "Linux") & (frame["Tenancy"] == "Shared")
        frame = frame[of_linux & frame["Instance Type"].map(is_read)]
        kept += frame.to_numpy().tolist()
    return offers_in(_table(header or (), kept))


WAYS: dict[str, tuple[str, Callable[[Path], list[Offer]]]] = {
    "ours": ("rentopt, as a stream", our_stream),
    "csv": ("`csv.reader`, every row, filtered", with_csv),
    "chunks": ("pandas, 100 000 rows at a time", lambda path: with_pandas(path, 100_000)),
    "whole": ("pandas, the whole file", lambda path: with_pandas(path, None)),
}


def one(way: str, path: Path) -> None:
    """In a process of its own: what was found, in short."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    found = sorted(
        (offer.sku, str(offer.price), str(offer.upfront)) for offer in WAYS[way][1](path)
    )
    print(len(found), hashlib.sha256(repr(found).encode()).hexdigest()[:16])


def run(way: str, path: Path) -> tuple[float, float, str]:
    """Seconds, MiB at most, and what was found; nothing where it did not fit."""
    began = time.monotonic()
    command = [sys.executable, __file__, "--one", way, "--file", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    said = process.stdout.read().decode().strip()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, usage.ru_maxrss / 1024, said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the file is written; a temporary one")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.file)
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        path = Path(folder) / "index.csv"
        write_file(path, asked.rows)
        text = measured(path, asked.rows, asked.runs)
    print(text)
    if asked.output:
        asked.output.write_text(text + "\n")


def measured(path: Path, rows: int, runs: int) -> str:
    """The table; `runs` rounds over all ways, so that a busy minute hits each of them."""
    results: dict[str, list[tuple[float, float, str]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            results[way].append(run(way, path))
    found = {said for way in WAYS for _, _, said in results[way] if said}
    if len(found) != 1 or not all(said for _, _, said in results["ours"]):
        raise SystemExit(f"the ways do not agree: {found}")
    ours = statistics.median(seconds for seconds, _, _ in results["ours"])
    held = max(mib for _, mib, _ in results["ours"])
    if held > MOST_MIB:
        raise SystemExit(f"our way held {held:.0f} MiB")
    size, columns = path.stat().st_size / 2**20, len(COLUMNS)
    lines = [
        f"{rows:,} rows of {columns} columns, {size:,.0f} MiB, {found.pop().split()[0]} offers; "
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"median of {runs}.",
        "",
        "| way | seconds | ratio | most memory | ratio |",
        "|---|---|---|---|---|",
    ]
    for way, (name, _) in WAYS.items():
        seconds = statistics.median(s for s, _, _ in results[way])
        most = max(mib for _, mib, _ in results[way])
        if all(said for _, _, said in results[way]):
            lines.append(
                f"| {name} | {seconds:.1f} | {seconds / ours:.1f} "
                f"| {most:,.0f} MiB | {most / held:.1f} |"
            )
        else:
            lines.append(f"| {name} | does not fit in {ADDRESS_SPACE // 2**30} GiB | | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
