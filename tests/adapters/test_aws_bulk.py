"""The bulk price files of AWS: read while they come in, and to the same offers as the API's."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
from loopback import Reply, cut_off, recorded, serving
from test_contract import SEEN, SOURCES, adapter_at, fates, fetched

from providers.adapter import Snapshot
from providers.adapters.aws import bulk
from providers.adapters.aws.adapter import Aws, AwsChina
from providers.adapters.aws.machines import CARDS
from providers.http import Dialect, FetchError, Http, Limits
from providers.live import Settings
from providers.offers import Offer, Rejected

URL = "https://pricing.example/offers/v1.0/aws/AmazonEC2/1/us-east-1/index.csv"
CSV = recorded("aws/bulk/us-east-1.csv")
HEAD = CSV[: CSV.index(b"\n", CSV.index(b'"SKU"')) + 1]
COLUMNS = 36


def read(name):
    """Fates of the files, asked without a credential."""
    with serving(SOURCES[name].route) as server:
        adapter, _ = adapter_at(name, server.base, environment={})
        return [fate for snapshot in adapter.fetch() for fate in adapter.parse(snapshot)]


def listed(found):
    """What both roads have: prices by the hour, and of reservations."""
    return {
        (f.sku, f.price, f.upfront, f.tenor, f.gpu, f.gpu_count, f.interconnect, f.vcpu, f.ram_gb)
        for f in found
        if isinstance(f, Offer) and f.purchase_model in ("on_demand", "reserved")
    }


@pytest.mark.parametrize("name", ["aws", "aws_china"])
def test_files_and_services_give_the_same_offers(name):
    by_file, by_api = listed(read(name)), listed(fates(fetched(name)))
    # A file does not say that one machine has an eighth of a GPU; the list of machines does.
    assert {row for row in by_file if "fraction" not in row[0]} == by_api
    assert len(by_api) > 3


def test_rows_of_other_products_say_why_they_are_none():
    reasons = [fate.reason for fate in read("aws") if isinstance(fate, Rejected)]
    assert "capacitystatus is 'AllocatedCapacityReservation', not 'Used'" in reasons
    assert "preInstalledSw is 'SQL Web', not 'NA'" in reasons
    assert "OfferingClass is 'convertible', not 'standard'" in reasons
    assert "locationType is 'AWS Local Zone', not 'AWS Region'" in reasons
    assert "0 USD is not a price" in reasons


@pytest.mark.parametrize("system", ["Windows", "RHEL", "SUSE"])
def test_a_row_of_another_system_is_no_offer(system):
    body = CSV.replace(b'"Linux"', f'"{system}"'.encode())
    found = list(Aws(Settings()).parse(Snapshot(URL, SEEN, body)))
    assert not any(isinstance(fate, Offer) for fate in found)
    assert any(f"operatingSystem is '{system}'" in fate.reason for fate in found)


def test_only_lines_of_gpu_machines_are_kept_behind_the_head():
    kept = b"".join(bulk.gpu_lines(iter([CSV]), URL)).splitlines()
    assert kept[:6] == CSV.splitlines()[:6]
    assert kept[5].startswith(b'"SKU"')
    assert not any(b"m5.large" in line for line in kept)
    assert not any(b'"Windows"' in line for line in kept)
    wanted = [line for line in CSV.splitlines()[6:] if line in kept]
    assert kept[6:] == wanted


@pytest.mark.parametrize("family", CARDS)
def test_no_family_that_is_read_is_passed_over(family):
    line = CSV.splitlines(keepends=True)[7].replace(b"p5.48xlarge", f"{family}.xlarge".encode())
    assert list(bulk.gpu_lines(iter([HEAD + line]), URL)) == [HEAD, line]


@pytest.mark.parametrize("size", [1, 7, 500, 4096])
def test_it_does_not_matter_where_the_pieces_of_a_file_end(size):
    pieces = (CSV[at : at + size] for at in range(0, len(CSV), size))
    assert b"".join(bulk.gpu_lines(pieces, URL)) == b"".join(bulk.gpu_lines(iter([CSV]), URL))


def test_a_file_is_read_as_a_stream():
    """After each piece what is found in it comes out; nothing waits for the end."""
    line = CSV.splitlines(keepends=True)[7]
    assert b'"p5.48xlarge"' in line
    taken = []

    def pieces():
        for piece in (HEAD, line, line):
            taken.append(piece)
            yield piece
        raise AssertionError("read on although nothing was wanted")

    lines = bulk.gpu_lines(pieces(), URL)
    assert next(lines) == HEAD
    assert next(lines) == line
    assert len(taken) == 2


def test_memory_does_not_grow_with_the_file():
    other = CSV.splitlines(keepends=True)[6]
    assert b"m5.large" in other
    block = other * 100

    def pieces(count):
        yield HEAD
        for _ in range(count):
            yield block

    def most(count):
        tracemalloc.start()
        for _ in bulk.gpu_lines(pieces(count), URL):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(10)
    assert most(1000) < most(10) + 100_000


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no price file"),
        (b"<html>Sign in</html>", "no price file: <html>Sign in"),
        (b'"FormatVersion","v1.0"\n' * 5000, "no price file"),
        (CSV[: CSV.index(b'"SKU"')], "no price file"),
        (CSV + b"x" * 2**21 + b"\n", "a line of more than 1048576 bytes"),
    ],
)
def test_what_is_no_price_file_is_called_that(body, said):
    pieces = (body[at : at + 2**16] for at in range(0, len(body), 2**16))
    with pytest.raises(FetchError, match=said):
        list(bulk.gpu_lines(pieces, URL))


def test_a_missing_column_is_named():
    body = CSV.replace(b'"Tenancy"', b'"Tenant"')
    with pytest.raises(FetchError, match="no column 'Tenancy'"):
        list(Aws(Settings()).parse(Snapshot(URL, SEEN, body)))


def test_a_line_that_is_cut_is_rejected_by_its_number():
    lines = CSV.splitlines()
    body = b"\n".join([*lines[:8], lines[8][:200]]) + b"\n"
    found = list(Aws(Settings()).parse(Snapshot(URL, SEEN, body)))
    assert f"columns, the header has {COLUMNS}" in found[-1].reason
    assert found[-1].row == "aws/line 9 of us-east-1"


def test_a_file_whose_region_cannot_be_told_is_refused():
    with pytest.raises(FetchError, match="no region in the address"):
        list(Aws(Settings()).parse(Snapshot("https://pricing.example/index.csv", SEEN, CSV)))


def test_a_region_without_a_file_is_named_with_those_that_have_one():
    with serving(SOURCES["aws"].route) as server:
        settings = Settings(base_url=server.base, regions=("us-est-1",), http=Http())
        with pytest.raises(FetchError, match=r"no price file of region 'us-est-1'; known: eu-so"):
            list(Aws(settings).fetch())


@pytest.mark.parametrize("link", ["https://elsewhere.example/a.json", "/a/index.txt", None, 7])
def test_a_link_to_elsewhere_is_not_followed(link):
    index = {"offers": {"AmazonEC2": {"currentRegionIndexUrl": link}}}
    with serving(lambda request, base: Reply(index)) as server:
        with pytest.raises(FetchError, match="is no link to a file there"):
            list(Aws(Settings(base_url=server.base)).fetch())
        assert len(server.requests) == 1


def test_the_files_of_each_aws_are_at_its_own_host():
    assert Aws.home + Aws.index == (
        "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/index.json"
    )
    assert AwsChina.home + AwsChina.index == (
        "https://pricing.cn-north-1.amazonaws.com.cn/offers/v1.0/cn/index.json"
    )


# -- what the client keeps of a large file -------------------------------------------------------


def kept_lines(pieces):
    for piece in pieces:
        yield piece[:10]


def test_the_limit_of_size_counts_what_is_kept():
    limits = Limits(max_bytes=2000)
    with serving(lambda request, base: Reply(b"x" * 2**20)) as server:
        http = Http(limits)
        body = http.get(server.base, dialect=Dialect(keep=kept_lines)).snapshot.body
        assert 10 <= len(body) <= 2000
        with pytest.raises(FetchError, match="more than 2000 bytes"):
            http.get(server.base, dialect=Dialect(keep=iter))


def test_a_download_that_breaks_is_begun_again():
    slept = []
    with serving(lambda request, base: Reply(b"x" * 100)) as server:
        server.faults = [Reply(act=cut_off), Reply(b"oops", 503)]
        http = Http(sleep=slept.append, dice=lambda: 1.0)
        body = http.get(server.base, dialect=Dialect(keep=kept_lines)).snapshot.body
    assert body == b"x" * 10
    assert slept == [1.0, 2.0]


def test_an_error_page_is_not_sifted():
    with (
        serving(lambda request, base: Reply(b"not today, thank you", 404)) as server,
        pytest.raises(FetchError, match="answered 404: not today, thank you"),
    ):
        Http().get(server.base, dialect=Dialect(keep=kept_lines))


def test_a_compressed_file_is_sifted_as_text():
    def packed(request, base):
        assert request.headers["accept-encoding"] == "gzip"
        return Reply(gzip.compress(CSV), headers={"Content-Encoding": "gzip"})

    with serving(packed) as server:
        found = bulk.region_file(Http(), f"{server.base}/us-east-1/index.csv")
    assert found.body == b"".join(bulk.gpu_lines(iter([CSV]), URL))
