"""Signatures on published vectors, and what the HTTP client does with a signed call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from loopback import Reply, serving

from providers import signing
from providers.http import Call, CredentialError, Dialect, FetchError, Http, Limits, Verdict
from providers.signing import Keys
from providers.signing.envelopes import by_code

MOMENT = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)
EXAMPLE = Keys("AK-EXAMPLE", "SK-EXAMPLE")
BODY = b'{"project_id": "p", "product_infos": []}'


def signature(headers):
    return headers["Authorization"].rpartition("Signature=")[2]


def test_alibaba_signs_the_example_of_its_documentation():
    """Vector: Alibaba Cloud, ECS API reference, "Request signatures" (DescribeRegions)."""
    url = "https://ecs.aliyuncs.com/?Format=XML&Action=DescribeRegions&Version=2014-05-26"
    moment = datetime(2016, 2, 23, 12, 46, 24, tzinfo=UTC)
    call = Call("GET", url, b"", moment, "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf")
    signed, headers = signing.alibaba(Keys("testid", "testsecret"))(call)
    assert signed.endswith("&Signature=OLeaidS1JvxuMvnyHOwuJ%2BuX5qY%3D")
    assert "testsecret" not in signed
    assert headers == {}


def test_alibaba_escapes_by_rfc_3986_and_sorts_by_name():
    url = "https://h/?a.b=2&a=x+y%2A~&B="
    signed, _ = signing.alibaba(EXAMPLE)(Call("GET", url, b"", MOMENT, "n"))
    query = signed.partition("?")[2].split("&")
    assert [pair for pair in query if pair[0] in "aB"] == ["B=", "a=x%20y%2A~", "a.b=2"]


def test_tencent_signs_the_example_of_its_documentation():
    """Vector: Tencent Cloud, API 3.0 "Signature v3" (CVM, instance-name filter)."""
    keys = Keys("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
    body = (
        rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    )
    moment = datetime.fromtimestamp(1551113065, UTC)
    call = Call("POST", "https://cvm.tencentcloudapi.com/", body, moment, "")
    _, headers = signing.tencent(keys, "cvm")(call)
    expected = "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    assert signature(headers) == expected
    assert headers["X-TC-Timestamp"] == "1551113065"
    assert f"Credential={keys.id}/2019-02-25/cvm/tc3_request" in headers["Authorization"]


@pytest.mark.parametrize(
    ("method", "url", "body", "expected"),
    [
        (
            "POST",
            "https://bss.myhuaweicloud.com/v2/bills/ratings/on-demand-resources",
            BODY,
            "3434c653bc446f157f0169fdff8e8ec5188ddba31c0e0c652778b570e8439125",
        ),
        (
            "GET",
            "https://iam.myhuaweicloud.com/v3/projects?name=cn+north%2A4~",
            b"",
            "818571848abc9b13e70d6e5a791b630ef8d704cec9a1817ef25bbec6a5aac273",
        ),
    ],
)
def test_huawei_signs_as_its_sdk_does(method, url, body, expected):
    """Vectors: computed with `huaweicloudsdkcore` 3.1.219, `Signer.sign`."""
    _, headers = signing.huawei(EXAMPLE)(Call(method, url, body, MOMENT, ""))
    assert signature(headers) == expected
    assert headers["X-Sdk-Date"] == "20261120T031700Z"


@pytest.mark.parametrize(
    ("service", "method", "query", "body", "expected"),
    [
        (
            "billing",
            "POST",
            "Action=QueryPriceForPayAsYouGo&Version=2022-01-01",
            BODY,
            "58f294fb95b76b6270eeda3d573a016b6deb801c352e563321273b5fda6ded1f",
        ),
        (
            "ecs",
            "GET",
            "Action=DescribeInstanceTypes&NextToken=a%2Bb%2Fc%3D%3D&Version=2020-04-01",
            b"",
            "9d7fd2f5b752fdd5c33d7da2aedaf1d785a3f8b4384556475fff2e9e59f21c49",
        ),
    ],
)
def test_volcengine_signs_as_its_sdk_does(service, method, query, body, expected):
    """Vectors: computed with `volcenginesdk-core` 5.0.54, `SignerV4.sign`."""
    call = Call(method, f"https://open.volcengineapi.com/?{query}", body, MOMENT, "")
    _, headers = signing.volcengine(EXAMPLE, service, "cn-beijing")(call)
    assert signature(headers) == expected
    assert "/20261120/cn-beijing/" in headers["Authorization"]


def test_a_key_is_not_printed():
    assert "EXAMPLE" not in repr(EXAMPLE)


# -- with the HTTP client -------------------------------------------------------------------

JUDGE = by_code("Code", busy=r"Throttling", refused=r"Signature", answer=r".*NotSold$")


def asked(server, slept):
    http = Http(
        Limits(connect_s=2, read_s=1, answer_s=1, deadline_s=60),
        sleep=slept.append,
        dice=lambda: 1.0,
        now=lambda: MOMENT,
        nonce=iter("abcdef").__next__,
    )
    dialect = Dialect(sign=signing.alibaba(Keys("the-id", "the-secret")), judge=JUDGE)
    return http.get(f"{server.base}/", params={"Action": "X"}, variables=["A_KEY"], dialect=dialect)


@pytest.fixture
def server():
    with serving(lambda request, base: Reply({"ok": 1})) as found:
        yield found


@pytest.mark.parametrize("status", [200, 400])
def test_a_throttled_call_is_signed_anew_for_each_try(server, status):
    slept = []
    server.faults = [Reply({"Code": "Throttling.User", "Message": "slow down"}, status)] * 2
    assert asked(server, slept).snapshot.body == b'{"ok": 1}'
    assert slept == [1.0, 2.0]
    assert [request.query["SignatureNonce"] for request in server.requests] == ["a", "b", "c"]
    assert len({request.query["Signature"] for request in server.requests}) == 3


def test_throttling_that_never_ends_is_told(server):
    server.always = Reply({"Code": "Throttling"}, 400)
    with pytest.raises(FetchError, match=r"too many requests \(400\), 5 times"):
        asked(server, [])


def test_neither_key_nor_signature_is_in_the_address_kept(server):
    address = asked(server, []).snapshot.address
    assert address == f"{server.base}/?Action=X"


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_refused_key_is_told_by_its_code(server, status):
    server.always = Reply({"Code": "SignatureDoesNotMatch"}, status)
    with pytest.raises(CredentialError, match="check A_KEY"):
        asked(server, [])
    assert len(server.requests) == 1


def test_not_sold_here_is_an_answer(server):
    server.always = Reply({"Code": "InvalidInstanceType.NotSold"}, 404)
    assert b"NotSold" in asked(server, []).snapshot.body


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"Code": 7}', b'{"Code": ""}', b"null"])
def test_what_has_no_code_is_judged_by_its_status(body):
    assert JUDGE(400, body) is Verdict.AS_ITS_STATUS
