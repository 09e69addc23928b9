"""The HTTP client: time-outs, retries, limits, and secrets that stay secret."""

from __future__ import annotations

import subprocess
import sys

import pytest
from loopback import Reply, drip, hang, serving

from providers.http import CredentialError, FetchError, Http, Limits, QuotaError
from providers.redaction import redacted

PATIENT = Limits(deadline_s=50)
QUICK = Limits(connect_s=2, read_s=0.5, answer_s=0.5, deadline_s=50)
"""Where nothing comes; a machine with much to do may need longer for an answer."""


@pytest.fixture
def server():
    with serving(
        lambda request, base: Reply({"ok": True}, headers={"X-Total-Count": "3"})
    ) as found:
        yield found


def client(slept, **replaced):
    return Http(**{"limits": PATIENT, "sleep": slept.append, "dice": lambda: 0.5} | replaced)


def test_an_answer_has_its_bytes_its_address_and_its_time(server):
    answer = client([]).get(f"{server.base}/prices", params={"page": 2})
    assert answer.snapshot.body == b'{"ok": true}'
    assert answer.snapshot.address == f"{server.base}/prices?page=2"
    assert answer.snapshot.observed_at.tzinfo is not None
    assert answer.headers["x-total-count"] == "3"


def test_pauses_double_with_jitter(server):
    slept = []
    server.always = Reply(status=429)
    with pytest.raises(FetchError, match="5 times"):
        client(slept).get(server.base)
    assert slept == [0.5, 1.0, 2.0, 4.0]
    assert len(server.requests) == 5


@pytest.mark.parametrize(("told", "waits"), [("3", 3.0), ("9999", 120.0), ("soon", 0.5)])
def test_retry_after_is_obeyed_up_to_two_minutes(server, told, waits):
    slept = []
    server.faults = [Reply(status=429, headers={"Retry-After": told})]
    client(slept, limits=Limits(deadline_s=1000)).get(server.base)
    assert slept == [waits]


def test_a_daily_quota_is_not_tried_again(server):
    server.always = Reply({"success": False, "error": "search_quota_exceeded"}, 429)
    with pytest.raises(QuotaError, match="midnight UTC"):
        client([]).get(server.base)
    assert len(server.requests) == 1


def test_no_pause_passes_the_deadline(server):
    slept = []
    server.always = Reply(status=429, headers={"Retry-After": "60"})
    with pytest.raises(FetchError, match="no answer within 50 s"):
        client(slept).get(server.base)
    assert slept == []


@pytest.mark.parametrize("act", [hang, drip])
def test_silence_and_a_drip_both_end(server, act):
    server.faults = [Reply(act=act)]
    slept = []
    answer = client(slept, limits=QUICK).get(server.base)
    assert answer.snapshot.body == b'{"ok": true}'
    # Twice, or more often where the second answer was slow too.
    assert len(server.requests) > 1
    assert slept == [0.5, 1.0, 2.0, 4.0][: len(server.requests) - 1]


def test_a_secret_in_an_error_or_a_body_is_hidden(server):
    server.always = Reply({"you sent": "sesame-open-up"}, 500)
    with pytest.raises(FetchError) as failure:
        client([]).get(server.base, params={"q": "sesame-open-up"}, secrets=["sesame-open-up"])
    assert "sesame" not in str(failure.value)
    assert failure.value.__cause__ is None
    server.always = Reply({"you sent": "sesame-open-up"})
    answer = client([]).get(f"{server.base}/?api_key=sesame-open-up", secrets=["sesame-open-up"])
    assert answer.snapshot.body == b'{"you sent": "[hidden]"}'
    assert answer.snapshot.address.endswith("?api_key=[hidden]")


def test_an_address_is_printed_without_what_may_be_secret():
    url = "https://user:pw@example.org/a?region=eu&access_token=abc&X-Signature=def&page=2"
    shown = "https://example.org/a?region=eu&access_token=[hidden]&X-Signature=[hidden]&page=2"
    assert redacted(url) == shown


def test_a_netrc_entry_does_not_replace_the_key(server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client([]).get(server.base, headers={"Authorization": "Bearer mine"})
    assert server.requests[0].headers["authorization"] == "Bearer mine"


def test_a_redirect_does_not_carry_a_key_elsewhere(server):
    with serving(lambda request, base: Reply({})) as other:
        server.always = Reply(status=307, headers={"Location": other.base})
        with pytest.raises(FetchError, match="set the base URL"):
            client([]).get(server.base, headers={"X-API-KEY": "mine"})
        assert other.requests == []


def test_a_compressed_answer_is_read_and_its_size_is_that_of_the_text(server):
    import gzip

    body = gzip.compress(b" " * 2**20)
    server.always = Reply(body, headers={"Content-Encoding": "gzip"})
    assert len(client([]).get(server.base).snapshot.body) == 2**20
    with pytest.raises(FetchError, match="more than 1000 bytes"):
        client([], limits=Limits(max_bytes=1000)).get(server.base)


def test_a_host_that_does_not_exist_is_called_that():
    with pytest.raises(FetchError, match=r"no such host|cannot be reached"):
        client([]).get("http://nowhere.invalid/")


@pytest.mark.parametrize("url", ["", "nowhere", "ftp://host/", "http://", "http://[1/x?token=abc"])
def test_what_is_no_address_is_called_that(url):
    with pytest.raises(FetchError) as failure:
        client([]).get(url)
    assert "abc" not in str(failure.value)


def test_which_variable_to_check_is_said(server):
    server.always = Reply({"message": "no"}, 403)
    with pytest.raises(CredentialError, match=r"403; check A_KEY and A_SECRET: .*no"):
        client([]).get(server.base, variables=["A_KEY", "A_SECRET"])


def test_asking_for_an_adapter_does_not_import_the_network():
    code = (
        "import sys, providers.registry as r; [r.load_adapter(n) for n in r.ADAPTERS];"
        "print(*{'requests', 'boto3', 'urllib3', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
