"""AWS: what only its services do. Requests are real HTTP on loopback, made and read by boto3."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from loopback import Reply, hang, serving
from source import SECRET
from sources_aws import REFUSED, ec2_error, ec2_xml, region_of
from test_contract import PATIENT, SEEN, SOURCES, adapter_at, fates, fetched

from providers.adapters.aws.adapter import Aws
from providers.http import CredentialError, FetchError, Http, Limits
from providers.live import Settings
from providers.offers import Offer, Rejected

KEYS = SOURCES["aws"].environment()


@pytest.fixture(scope="module")
def found():
    return fates(fetched("aws"))


def offer(found, sku):
    return next(fate for fate in found if isinstance(fate, Offer) and fate.sku == sku)


def reasons(found):
    return {fate.row: fate.reason for fate in found if isinstance(fate, Rejected)}


def asked(base, limits=PATIENT, **settings):
    """Snapshots of what is answered there."""
    http = Http(limits, sleep=lambda s: None, dice=lambda: 1.0, now=lambda: SEEN)
    usual = {"environment": KEYS, "regions": SOURCES["aws"].regions, "http": http}
    adapter = Aws(Settings(base_url=base, **{**usual, **settings}))
    return adapter, list(adapter.fetch())


def serving_but(another):
    """The recorded answers, except where `another` gives one."""

    def route(request, base):
        return another(request) or SOURCES["aws"].route(request, base)

    return serving(route)


def of_ec2(request, action=""):
    return request.body.startswith(b"Action=") and action.encode() in request.body


# -- credentials ---------------------------------------------------------------------------------


def test_no_key_is_taken_from_the_process(monkeypatch, tmp_path):
    """Nor a profile, region or endpoint: what is asked follows from the settings alone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT00000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "ambient-token")
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with serving(SOURCES["aws"].route) as server:
        asked(server.base)
        sent = repr([(request.headers, request.body) for request in server.requests])
        assert "ambient" not in sent.lower()
        assert SECRET in sent
        server.requests.clear()
        asked(server.base, environment={})
        assert all(request.path.startswith("/offers/") for request in server.requests)


def test_a_session_token_goes_with_its_keys_and_is_not_kept():
    token = f"{SECRET}-token"
    with serving(SOURCES["aws"].route) as server:
        _, snapshots = asked(server.base, environment={**KEYS, "AWS_SESSION_TOKEN": token})
        signed = [r for r in server.requests if "authorization" in r.headers]
        assert signed
        assert all(r.headers["x-amz-security-token"] == token for r in signed)
    assert token not in repr(snapshots)


def test_the_secret_key_is_never_sent():
    with serving(SOURCES["aws"].route) as server:
        asked(server.base)
        sent = repr([(request.headers, request.body) for request in server.requests])
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in sent


def test_half_a_key_names_the_other_half():
    with pytest.raises(CredentialError, match="AWS_SECRET_ACCESS_KEY is not set"):
        asked("http://127.0.0.1:1", environment={"AWS_ACCESS_KEY_ID": "AKIA0000000000000000"})


def test_a_profile_is_read_from_the_file_that_the_settings_name(tmp_path):
    shared = tmp_path / "credentials"
    shared.write_text(
        "[work]\naws_access_key_id = AKIAWORK000000000000\naws_secret_access_key = of-work\n"
    )
    files = {
        "AWS_SHARED_CREDENTIALS_FILE": str(shared),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }
    with serving(SOURCES["aws"].route) as server:
        asked(server.base, environment={"AWS_PROFILE": "work", **files})
        signed = [r for r in server.requests if "authorization" in r.headers]
        assert all("AKIAWORK" in r.headers["authorization"] for r in signed)
        with pytest.raises(CredentialError, match=r"AWS_PROFILE.*nobody"):
            asked(server.base, environment={"AWS_PROFILE": "nobody", **files})


def test_a_profile_without_keys_asks_no_metadata_address(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.create_connection", None)
    config = tmp_path / "config"
    config.write_text("[profile bare]\nregion = us-east-1\n")
    files = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_CONFIG_FILE": str(config)}
    with pytest.raises(CredentialError, match="names profile 'bare', which has no credentials"):
        asked("http://127.0.0.1:1", environment={"AWS_PROFILE": "bare", **files})


@pytest.mark.parametrize(
    "code", ["UnrecognizedClientException", "AccessDeniedException", "ExpiredTokenException"]
)
def test_a_key_refused_with_400_is_a_refused_key(code):
    with serving(SOURCES["aws"].route) as server:
        server.always = Reply({"__type": f"com.amazon#{code}", "message": "no"}, 400)
        adapter, slept = adapter_at("aws", server.base)
        with pytest.raises(CredentialError, match="check AWS_ACCESS_KEY_ID and AWS_SECRET"):
            list(adapter.fetch())
        assert len(server.requests) == 1
    assert slept == []


def test_throttling_with_400_is_waited_for():
    throttled = {"__type": "ThrottlingException", "message": "Rate exceeded"}
    with serving(SOURCES["aws"].route) as server:
        server.faults = [Reply(throttled, 400), Reply(throttled, 400)]
        adapter, slept = adapter_at("aws", server.base)
        assert len(list(adapter.fetch())) == 3
    assert slept == [1.0, 2.0]


def test_throttling_of_ec2_is_waited_for():
    busy = [ec2_error("RequestLimitExceeded", "Request limit exceeded.", 503)] * 2
    with serving_but(lambda r: busy.pop() if of_ec2(r) and busy else None) as server:
        adapter, slept = adapter_at("aws", server.base)
        assert len(list(adapter.fetch())) == 3
    assert slept == [1.0, 2.0]


# -- what is asked -------------------------------------------------------------------------------


def test_each_region_is_asked_by_itself_and_only_for_gpu_machines():
    with serving(SOURCES["aws"].route) as server:
        asked(server.base)
        priced = [r.json for r in server.requests if "x-amz-target" in r.headers]
        ec2 = [r for r in server.requests if of_ec2(r)]
    filters = [{f["Field"]: f["Value"] for f in r["Filters"]} for r in priced]
    assert [f["regionCode"] for f in filters] == ["us-east-1"] * 2 + ["us-east-2", REFUSED]
    assert {f["instanceFamily"] for f in filters} == {"GPU instance"}
    assert [r.get("NextToken") for r in priced] == [None, "opaque-token-page-2", None, None]
    assert {region_of(r) for r in ec2} == set(SOURCES["aws"].regions)
    spot = next(r.body for r in ec2 if of_ec2(r, "Spot"))
    assert b"ProductDescription.1=Linux" in spot
    assert b"g6f" not in spot


def test_capacity_blocks_are_asked_for_machines_that_are_sold_so():
    hours = {"capacity_block_hours": "24, 168"}
    with serving(SOURCES["aws"].route) as server:
        asked(server.base, options=hours)
        blocks = [r.body.decode() for r in server.requests if of_ec2(r, "CapacityBlock")]
    # In us-east-1 two of the recorded machines, in us-east-2 four; each for a day and a week.
    assert len(blocks) == 12
    assert not any("g5.xlarge" in body for body in blocks)
    assert {body.partition("CapacityDurationHours=")[2].partition("&")[0] for body in blocks} == {
        "24",
        "168",
    }


@pytest.mark.parametrize("text", ["30", "a day", "24,0", "100000", "-24"])
def test_odd_lengths_of_blocks_are_refused_before_anything_is_asked(text):
    with pytest.raises(FetchError, match="capacity_block_hours"):
        asked("http://127.0.0.1:1", options={"capacity_block_hours": text})


def test_china_is_asked_with_its_own_keys_only():
    with serving(SOURCES["aws_china"].route) as server:
        adapter, _ = adapter_at("aws_china", server.base, environment=KEYS)
        list(adapter.fetch())  # keys of the other AWS count as none: the files are read
        assert all(request.path.startswith("/offers/v1.0/cn/") for request in server.requests)


def test_the_services_own_addresses_are_those_of_boto3():
    """Nothing is asked: only where a client would ask."""
    from providers.adapters.aws.access import Api, Keys

    api = Api(Http(), Keys("a" * 20, "b" * 40, "", ()), "", lambda snapshot, field: None)
    hosts = {
        ("pricing", "us-east-1"): "https://api.pricing.us-east-1.amazonaws.com",
        ("pricing", "cn-northwest-1"): "https://api.pricing.cn-northwest-1.amazonaws.com.cn",
        ("savingsplans", "us-east-1"): "https://savingsplans.amazonaws.com",
        ("savingsplans", "cn-northwest-1"): (
            "https://savingsplans.cn-northwest-1.amazonaws.com.cn"
        ),
        ("ec2", "eu-north-1"): "https://ec2.eu-north-1.amazonaws.com",
        ("ec2", "cn-north-1"): "https://ec2.cn-north-1.amazonaws.com.cn",
    }
    for (service, region), host in hosts.items():
        assert api.client(service, region).meta.endpoint_url == host


# -- regions that do not answer ------------------------------------------------------------------


def test_a_region_that_refuses_is_rejected_by_name_and_its_list_prices_count(found):
    reason = reasons(found)[f"aws/EC2 in {REFUSED}"]
    assert "AuthFailure" in reason
    assert offer(found, f"aws/g5.xlarge/{REFUSED}/on_demand").price.amount == Decimal("1.1232")


def test_a_region_that_says_nothing_is_passed_over():
    def silent(request):
        return Reply(act=hang) if of_ec2(request) and region_of(request) == "us-east-2" else None

    with serving_but(silent) as server:
        adapter, snapshots = asked(server.base, replace(PATIENT, read_s=1))
        tries = [r for r in server.requests if of_ec2(r) and region_of(r) == "us-east-2"]
    found = [fate for snapshot in snapshots for fate in adapter.parse(snapshot)]
    assert "timed out, 3 times" in reasons(found)["aws/EC2 in us-east-2"]
    assert len(tries) == 3  # one question; the others are not tried there
    assert offer(found, "aws/p5.48xlarge/us-east-1/use1-az6/spot")
    assert offer(found, "aws/p5en.48xlarge/us-east-2/on_demand")


def test_no_region_at_all_is_a_failed_fetch():
    refusal = ec2_error("UnauthorizedOperation", "You are not authorized", 403)
    with (
        serving_but(lambda r: refusal if of_ec2(r) else None) as server,
        pytest.raises(CredentialError, match=r"EC2 answers in no region.*UnauthorizedOperation"),
    ):
        asked(server.base)
    gone = ec2_error("InternalError", "An internal error has occurred", 500)
    with (
        serving_but(lambda r: gone if of_ec2(r) else None) as server,
        pytest.raises(FetchError, match=r"EC2 answers in no region.*answered 500"),
    ):
        asked(server.base)


@pytest.mark.parametrize(
    ("action", "said"),
    [("Spot", "spot prices in us-east-1"), ("CapacityBlock", "EC2 in us-east-1")],
)
def test_a_permission_that_lacks_costs_only_its_own_prices(action, said):
    refusal = ec2_error("UnauthorizedOperation", "You are not authorized", 403)
    with serving_but(lambda r: refusal if of_ec2(r, action) else None) as server:
        adapter, snapshots = asked(server.base)
    found = [fate for snapshot in snapshots for fate in adapter.parse(snapshot)]
    assert "UnauthorizedOperation" in reasons(found)[f"aws/{said}"]
    assert offer(found, "aws/p5.48xlarge/us-east-1/on_demand")
    assert offer(found, "aws/p4d.24xlarge/us-east-1/savings_plan/compute-no-upfront/P1Y")


@pytest.mark.parametrize(
    "refusal",
    [
        Reply({"code": "AccessDeniedException", "message": "no"}, 403),
        Reply({"__type": "ValidationException", "message": "no such family"}, 400),
    ],
)
def test_refused_savings_plans_cost_only_themselves(refusal):
    with serving_but(lambda r: refusal if "Savings" in r.path else None) as server:
        adapter, snapshots = asked(server.base)
    found = [fate for snapshot in snapshots for fate in adapter.parse(snapshot)]
    assert "aws/savings plans in us-east-1" in reasons(found)
    assert not any("savings_plan" in f.sku for f in found if isinstance(f, Offer))


def test_a_spot_advisor_that_is_away_costs_only_its_note():
    with serving_but(lambda r: Reply(b"x", 404) if "advisor" in r.path else None) as server:
        adapter, snapshots = asked(server.base)
    found = [fate for snapshot in snapshots for fate in adapter.parse(snapshot)]
    assert "answered 404" in reasons(found)["aws/spot advisor for us-east-1"]
    note = offer(found, "aws/p5.48xlarge/us-east-1/use1-az6/spot").note
    assert note == "zone use1-az6, since 2026-11-09"


def test_an_answer_of_ec2_that_is_no_xml_is_refused():
    broken = Reply(b"<DescribeInstance", headers={"Content-Type": "text/xml"})
    with (
        serving_but(lambda r: broken if of_ec2(r) else None) as server,
        pytest.raises(FetchError, match="it cannot be read: <DescribeInstance"),
    ):
        asked(server.base)


@pytest.mark.parametrize("kind", ["Spot", "savings"])
def test_a_page_of_another_service_that_comes_twice_is_noticed(kind):
    """Every page of EC2 has a request id of its own, and every page a new token."""
    count = iter(range(100))

    def again(request):
        if kind == "Spot" and of_ec2(request, "Spot"):
            first = type(request)("POST", "/", request.headers, request.body)
            first.body = request.body.replace(b"NextToken", b"Ignored")
            reply = SOURCES["aws"].route(first, "")
            number = str(next(count)).encode()
            changed = reply.body.replace(b"59dbff89", number).replace(b"spot-page-2", number)
            return Reply(changed, headers=reply.headers)
        if kind == "savings" and "Savings" in request.path:
            body = dict(request.json)
            body.pop("nextToken", None)
            first = type(request)("POST", request.path, {}, json.dumps(body).encode())
            page = json.loads(SOURCES["aws"].route(first, "").body)
            return Reply({**page, "nextToken": f"token-{next(count)}"})
        return None

    with serving_but(again) as server, pytest.raises(FetchError, match="second time"):
        asked(server.base, regions=("us-east-1",))


def test_pages_without_rows_are_passed():
    """EC2 filters after it counts: a page may be empty and have another after it."""
    left = ["a", "b"]

    def empty(request):
        if of_ec2(request, "Spot") and region_of(request) == "us-east-1" and left:
            return ec2_xml(
                "DescribeSpotPriceHistory", {"SpotPriceHistory": [], "NextToken": left.pop()}
            )
        return None

    with serving_but(empty) as server:
        adapter, snapshots = asked(server.base, regions=("us-east-1",))
    found = [fate for snapshot in snapshots for fate in adapter.parse(snapshot)]
    assert offer(found, "aws/p4d.24xlarge/us-east-1/use1-az6/spot")


def test_pauses_keep_to_the_deadline_of_the_client():
    with serving(SOURCES["aws"].route) as server:
        server.always = Reply(status=429, headers={"Retry-After": "60"})
        http = Http(Limits(deadline_s=50), sleep=lambda s: None)
        with pytest.raises(FetchError, match="no answer within 50 s"):
            asked(server.base, http=http)
