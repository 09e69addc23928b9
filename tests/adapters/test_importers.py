"""Catalogues of SkyPilot and gpuhunt: what their rows say, and what they say wrongly.

The recordings have the rows that published catalogues have; their figures are partly illustrative.
"""

from __future__ import annotations

import csv
import io
import socket
import zipfile
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from gpuhunt._internal import storage
from gpuhunt._internal.models import AcceleratorVendor, CatalogItem
from importing import LAYOUTS, SEEN, read, report
from loopback import RECORDINGS, Reply, serving

from providers.adapter import Snapshot
from providers.adapters.gpuhunt_catalogue import MOST_BYTES
from providers.catalogues import documented_card
from providers.errors import DocumentError
from providers.live import RowError
from providers.offers import Offer, Rejected
from providers.price_table import read_offers, write_offers
from providers.registry import load_adapter

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path for layout in LAYOUTS for path in (RECORDINGS / layout).rglob("*.csv"))
NAMES = [str(path.relative_to(RECORDINGS)) for path in FILES]


def layout_of(path):
    return path.relative_to(RECORDINGS).parts[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_offers_and_reasons_are_the_golden_ones(layout):
    """After a wanted change: run write_golden_imports.py and read the diff."""
    assert report(layout) == (GOLDEN / f"{layout}.txt").read_text()


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_row_has_a_fate(path):
    """Each row is the source of an offer, of a reason, or of both."""
    head, *rows = list(csv.reader(path.read_text().splitlines()))
    for row in rows:
        text = io.StringIO()
        csv.writer(text).writerows([head, row])
        adapter = load_adapter(layout_of(path))([], SEEN)
        fates = list(adapter.parse(Snapshot(str(path), SEEN, text.getvalue().encode())))
        assert fates, row
        assert all(fate.reason for fate in fates if isinstance(fate, Rejected))


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_price_table_holds_what_was_imported_exactly(path):
    offers = list(read(layout_of(path), path).offers)
    assert read_offers(write_offers(offers)) == (offers, [])
    assert all(offer.confidence == "B" for offer in offers)
    assert all(offer.observed_at == SEEN.date() for offer in offers)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_parsing_needs_no_network_and_gives_the_same_again(path, monkeypatch):
    first = read(layout_of(path), path)
    monkeypatch.setattr(socket, "socket", None)
    assert read(layout_of(path), path) == first


def test_a_missing_spot_price_is_no_offer_and_0_is_no_price():
    table = read("skypilot", RECORDINGS / "skypilot" / "azure" / "vms.csv")
    spot = [offer.instance_type for offer in table.offers if offer.sku.endswith("/spot")]
    assert spot == ["Standard_NC96ads_A100_v4", "Standard_NC4as_T4_v3"]
    assert not any(offer.price.amount == 0 for offer in table.offers)


def test_a_wrong_count_is_refused_by_the_documented_one():
    table = read("skypilot", RECORDINGS / "skypilot" / "azure" / "vms.csv")
    assert not any("ND96isr_H100" in offer.instance_type for offer in table.offers)
    assert "12 GPUs; Standard_ND96isr_H100_v5 is documented with 8" in [
        row.reason for row in table.rejected
    ]


def test_another_card_than_the_documented_one_is_refused():
    with pytest.raises(RowError, match="documented with T4"):
        documented_card("azure", "Standard_NC4as_T4_v3", "K80", 1, None)
    with pytest.raises(RowError, match=r"memory of A100-80GB; p4d.24xlarge is documented with"):
        documented_card("aws", "p4d.24xlarge", "A100", 8, "A100-80GB")
    assert documented_card("aws", "p4d.24xlarge", "A100", 8, "A100-40GB") == "A100-SXM4-40GB"
    assert documented_card("aws", "unknown", "K80", 1, None) == ""


def test_memory_comes_from_the_gpu_info_and_never_from_the_name():
    row = "x,A100-80GB,1,{info},1.5,us-east-1\n"
    head = "InstanceType,AcceleratorName,AcceleratorCount,GpuInfo,Price,Region\n"
    told = "\"{'Gpus': [{'Name': 'A100-80GB', 'MemoryInfo': {'SizeInMiB': %d}}]}\""
    expected = {told % 81920: "A100-80GB", told % 40960: None, "": None, "A100-80GB": "A100-80GB"}
    for info, card in expected.items():
        body = (head + row.format(info=info)).encode()
        [fate] = load_adapter("skypilot")([], SEEN).parse(Snapshot("aws.csv", SEEN, body))
        assert getattr(fate, "gpu", None) == card, info


def test_a_machine_of_google_is_the_exact_sum_of_its_parts():
    """0.73948 + 2.93391 in us-central1-a; in us-east1 the GPU has no row, so there is no price."""
    table = read("skypilot", RECORDINGS / "skypilot" / "gcp" / "vms.csv")
    found = {offer.sku: offer.price.amount for offer in table.offers}
    assert found["gcp/a2-highgpu-1g/us-central1/on_demand"] == Decimal("3.67339")
    assert found["gcp/a2-highgpu-1g/us-central1-a/spot"] == Decimal("1.90348")
    assert not any("us-east1" in sku for sku in found)
    assert "gcp/a3-megagpu-8g/us-central1-a/spot" not in found  # only its GPUs have a spot price


SELLERS = {
    "catalogs/v8/aws/vms.csv": "aws",
    "C:\\catalogs\\azure\\vms.csv": "azure",
    "https://catalog.example/v8/do/vms.csv?token=[hidden]": "digitalocean",
    "lambda.csv": "lambda",
    "LAMBDA.CSV": "lambda",
    "2026-11-20-nebius.csv": "nebius",
    "vast/vms.csv": "vast",
}


@pytest.mark.parametrize(("name", "seller"), SELLERS.items())
def test_the_seller_is_told_by_the_name_of_the_file_or_its_folder(name, seller):
    assert load_adapter("skypilot")([], SEEN).seller_of(name).name == seller


def test_a_file_of_nobody_is_refused_unless_the_seller_is_told(tmp_path):
    path = tmp_path / "vms.csv"
    path.write_bytes((RECORDINGS / "skypilot" / "lambda" / "vms.csv").read_bytes())
    with pytest.raises(DocumentError, match=r"vms\.csv: neither the file nor its folder is named"):
        read("skypilot", path)
    assert len(read("skypilot", path, seller="lambda").offers) == 2
    assert {o.provider for o in read("skypilot", path, seller="northgpu").offers} == {"northgpu"}


@pytest.mark.parametrize("seller", ["scaleway", "ovhcloud"])
def test_a_price_whose_currency_is_not_known_is_no_price(seller, tmp_path):
    path = tmp_path / f"{seller}.csv"
    head = "InstanceType,AcceleratorName,AcceleratorCount,GpuInfo,Price,Region\n"
    path.write_text(f"{head}L4-1-24G,L4,1,L4,0.75,fr-par-2\n")
    [row] = read("skypilot", path).rejected
    assert row.reason == "priced in ''; known: CNY, EUR, USD"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_kind_of_file_is_refused_by_its_header(layout, tmp_path):
    path = tmp_path / "aws.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DocumentError, match=rf"aws\.csv:1: column '.*' is missing.*a {layout} cat"):
        read(layout, path)


def test_a_catalogue_is_read_from_an_address():
    body = (RECORDINGS / "skypilot" / "aws" / "vms.csv").read_bytes()
    with serving(lambda request, base: Reply(body)) as server:
        table = read("skypilot", f"{server.base}/catalogs/v8/aws/vms.csv")
    assert len(table.offers) == 6


def zipped(tmp_path, parts):
    path = tmp_path / "catalog.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return path


def test_a_zip_holds_a_file_for_each_provider(tmp_path):
    parts = {path.name: path.read_bytes() for path in (RECORDINGS / "gpuhunt").iterdir()}
    table = read("gpuhunt", zipped(tmp_path, parts))
    apart = [read("gpuhunt", path) for path in sorted((RECORDINGS / "gpuhunt").iterdir())]
    assert {o.sku for o in table.offers} == {o.sku for one in apart for o in one.offers}
    assert len(table.rejected) == sum(len(one.rejected) for one in apart)


def test_a_zip_that_cannot_be_read_is_refused(tmp_path):
    good = zipped(tmp_path, {"aws.csv": (RECORDINGS / "gpuhunt" / "aws.csv").read_bytes()})
    body = bytearray(good.read_bytes())
    cases = {"no CSV file": zipped(tmp_path, {"readme.txt": "x"}).read_bytes(),
             "unpacks to": zipped(tmp_path, {"aws.csv": bytes(MOST_BYTES + 1)}).read_bytes(),
             "cannot be read": bytes(body[:40]) + b"\xff" * 20 + bytes(body[60:])}  # fmt: skip
    for said, content in cases.items():
        with pytest.raises(DocumentError, match=said):
            list(load_adapter("gpuhunt")([], SEEN).parse(Snapshot("catalog.zip", SEEN, content)))


def test_what_gpuhunt_writes_is_what_is_read(tmp_path):
    """The layout as the installed gpuhunt writes it, not as it is remembered here."""
    item = CatalogItem(
        "oci", "BM.GPU.H100.8", "us-ashburn-1", 80.0, 224, 2048.0, 8, "H100", 80.0, True, None,
        AcceleratorVendor.NVIDIA,
    )  # fmt: skip
    storage.dump([item], str(tmp_path / "oci.csv"))
    [offer] = read("gpuhunt", tmp_path / "oci.csv").offers
    assert offer.sku == "oci/BM.GPU.H100.8/us-ashburn-1/spot"
    assert (offer.gpu, offer.gpu_count, offer.price.amount) == ("H100-SXM5-80GB", 8, 80)
    assert (offer.vcpu, offer.ram_gb) == (224, 2048)


ODD = ["", "0", "-1", "NaN", "inf", "1e999", "x" * 5000, "{'Gpus': []}", "{" * 300, "[1]", "True",
       "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 'x'}}]}", "0.5", '"', "None", "\u0000"]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_one_odd_cell_anywhere_is_told_and_not_crashed_on(path):
    dice = Random(str(path.name))
    head, *rows = list(csv.reader(path.read_text().splitlines()))
    for _ in range(150):
        changed = [list(row) for row in rows]
        row = dice.choice(changed)
        row[dice.randrange(len(row))] = dice.choice(ODD)
        text = io.StringIO()
        csv.writer(text).writerows([head, *changed])
        adapter = load_adapter(layout_of(path))([], SEEN)
        for fate in adapter.parse(Snapshot(str(path), SEEN, text.getvalue().encode())):
            if isinstance(fate, Offer):
                assert fate.price.amount > 0, row
