"""The bulk price files: all of EC2 in one region, hundreds of megabytes of CSV, no credential.

A file is read as it comes in and only the lines of GPU machines under Linux on shared hosts are
kept, as they are, behind the file's own head. From those lines come entries of the shape that
`GetProducts` answers, so both roads give the same offers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterator
from typing import Any
from urllib.parse import urljoin

from providers.adapter import Snapshot
from providers.http import Dialect, FetchError, Http, excerpt
from providers.live import same_host

HEADER = b'"SKU"'
LONGEST_HEAD = 2**16
LONGEST_LINE = 2**20
_GPU_MACHINE = re.compile(rb'","(?:g[4-6]|p[3-6])[-a-z0-9]*\.')
"""How a column with the instance type begins: `","p5e.`. Letter and generation are found twice as
fast as eleven families; the exact family is checked when the line is parsed."""
_KEPT = (b',"Linux",', b',"Shared",')
_ATTRIBUTES = {
    "Instance Type": "instanceType",
    "Region Code": "regionCode",
    "vCPU": "vcpu",
    "Memory": "memory",
    "GPU": "gpu",
    "Operating System": "operatingSystem",
    "Tenancy": "tenancy",
    "CapacityStatus": "capacitystatus",
    "Pre Installed S/W": "preInstalledSw",
    "License Model": "licenseModel",
    "MarketOption": "marketoption",
    "Location Type": "locationType",
}
"""Column → attribute of the same meaning in an answer of `GetProducts`."""
_COLUMNS = (
    "SKU", "OfferTermCode", "RateCode", "TermType", "Unit", "PricePerUnit", "Currency",
    "LeaseContractLength", "PurchaseOption", "OfferingClass",
    *(column for column in _ATTRIBUTES if column != "Location Type"),
)  # fmt: skip


def region_urls(http: Http, index_url: str, read: Any) -> dict[str, str]:
    """Region → address of its CSV file, by way of the two indexes.

    Args:
        read: the document below a path in a snapshot, or a FetchError.
    """
    index = http.get(index_url).snapshot
    path = read(index, "offers", "AmazonEC2", "currentRegionIndexUrl")
    listing = http.get(_link(index_url, path, index)).snapshot
    regions = read(listing, "regions")
    if not isinstance(regions, dict):
        raise FetchError(f"{listing.address}: regions is no object")
    found = {}
    for name, entry in regions.items():
        url = entry.get("currentVersionUrl") if isinstance(entry, dict) else None
        found[name] = _link(index_url, url, listing).removesuffix(".json") + ".csv"
    return found


def _link(base: str, path: object, snapshot: Snapshot) -> str:
    url = urljoin(base, path) if isinstance(path, str) else ""
    if not (url.endswith(".json") and same_host(url, base)):
        raise FetchError(f"{snapshot.address}: {path!r:.80} is no link to a file there")
    return url


def region_file(http: Http, url: str) -> Snapshot:
    """The head and the GPU lines of one region's file, in memory that does not depend on its size.

    Raises:
        FetchError: it does not answer, or is no price file.
    """
    dialect = Dialect(keep=lambda pieces: gpu_lines(pieces, url))
    headers = {"Accept": "text/csv", "Accept-Encoding": "gzip"}
    return http.get(url, headers=headers, dialect=dialect).snapshot


def gpu_lines(pieces: Iterator[bytes], url: str) -> Iterator[bytes]:
    """The lines up to the header, then those of GPU machines.

    Whole blocks are searched for a GPU machine's name, not line after line: nearly all lines are
    of other machines. A field of these files never holds a line break.
    """
    rest = yield from _head(pieces, url)
    for piece in pieces:
        block, _, rest = (rest + piece).rpartition(b"\n")
        if len(rest) > LONGEST_LINE:
            raise FetchError(f"{url}: a line of more than {LONGEST_LINE} bytes")
        yield from _matching(block)
    yield from _matching(rest)


def _head(pieces: Iterator[bytes], url: str) -> Generator[bytes, None, bytes]:
    """Gives the lines up to the header; returns what came in after it."""
    head = b""
    for piece in pieces:
        head += piece
        start = 0 if head.startswith(HEADER) else head.find(b"\n" + HEADER) + 1
        end = head.find(b"\n", start) + 1
        if end and (start or head.startswith(HEADER)):
            yield head[:end]
            return head[end:]
        if len(head) > LONGEST_HEAD:
            break
    raise FetchError(f"{url}: no price file{excerpt(head)}")


def _matching(block: bytes) -> Iterator[bytes]:
    at = 0
    while found := _GPU_MACHINE.search(block, at):
        start = block.rfind(b"\n", 0, found.start()) + 1
        at = block.find(b"\n", found.end()) + 1 or len(block)
        line = block[start:at]
        if all(words in line for words in _KEPT):
            yield line if line.endswith(b"\n") else line + b"\n"


def is_file(body: bytes) -> bool:
    return body.startswith((b'"FormatVersion"', HEADER))


def region_of(snapshot: Snapshot) -> str:
    """The region a file is of, by its address: `…/us-east-1/index.csv`.

    Raises:
        FetchError: the address names none.
    """
    found = re.search(r"/([a-z]+(?:-[a-z]+)+-\d+)/index\.csv$", snapshot.address)
    if found is None:
        raise FetchError(f"{snapshot.address}: no region in the address")
    return found[1]


def entries(snapshot: Snapshot) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Entries as `GetProducts` answers them; and lines that are none, with the reason.

    Raises:
        FetchError: there is no header, or a column is missing.
    """
    text = snapshot.body.decode(errors="replace")
    lines = csv.reader(io.StringIO(text, newline=""))
    header = next((row for row in lines if row[:1] == ["SKU"]), None)
    if header is None:
        raise FetchError(f"{snapshot.address}: no header in it")
    missing = [column for column in _COLUMNS if column not in header]
    if missing:
        raise FetchError(f"{snapshot.address}: no column '{missing[0]}'")
    found: dict[str, dict[str, Any]] = {}
    odd = []
    for values in lines:
        if len(values) != len(header):
            reason = f"{len(values)} columns, the header has {len(header)}"
            odd.append((f"line {lines.line_num}", reason))
            continue
        row = dict(zip(header, values, strict=True))
        attributes = {name: row[column] for column, name in _ATTRIBUTES.items() if column in row}
        entry = found.setdefault(
            row["SKU"], {"product": {"sku": row["SKU"], "attributes": attributes}, "terms": {}}
        )
        _add(entry["terms"], row)
    return list(found.values()), odd


def _add(terms: dict[str, Any], row: dict[str, str]) -> None:
    """Put the rate of one line where `GetProducts` has it."""
    group = terms.setdefault(row["TermType"], {})
    term = group.setdefault(
        row["OfferTermCode"],
        {
            "offerTermCode": row["OfferTermCode"],
            "termAttributes": {
                name: row[name]
                for name in ("LeaseContractLength", "PurchaseOption", "OfferingClass")
            },
            "priceDimensions": {},
        },
    )
    term["priceDimensions"][row["RateCode"]] = {
        "unit": row["Unit"],
        "pricePerUnit": {row["Currency"]: row["PricePerUnit"]},
    }
