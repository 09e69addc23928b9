"""Nebius over real gRPC on loopback: what the shared suite asks of HTTP sources, asked of this."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from nebius_server import nebius
from source import SECRET
from sources import SOURCES
from test_contract import adapter_at, offers

from providers.http import CredentialError, FetchError, Limits, MissingCredentialError
from providers.live import Settings
from providers.registry import load_adapter

PATIENT = Limits(connect_s=2, read_s=10, answer_s=10, deadline_s=60)
QUICK = Limits(connect_s=2, read_s=0.2, answer_s=10, deadline_s=60)


@pytest.fixture
def server():
    with nebius() as found:
        yield found


def asked(server, *, environment=None, limits=PATIENT, **replaced):
    adapter, slept = adapter_at("nebius", server.base, environment=environment, limits=limits)
    if replaced:
        settings = adapter.settings
        parts = {"environment": settings.environment, "http": settings.http, **replaced}
        adapter = type(adapter)(Settings(base_url=server.base, **parts))
    return adapter, slept


def names(server):
    return [name for name, _ in server.calls]


def test_regions_come_from_projects_and_each_is_asked_once(server):
    adapter, _ = asked(server)
    found = [json.loads(snapshot.body) for snapshot in adapter.fetch()]
    assert [document["region"] for document in found] == ["eu-north1", "us-central1"]
    assert names(server).count("ListProjectsRequest") == 2
    assert [len(document["platforms"]) for document in found] == [4, 2]


def test_regions_of_the_settings_are_the_only_ones_asked(server):
    adapter, _ = asked(server, regions=("us-central1",))
    (snapshot,) = adapter.fetch()
    assert {offer.region for offer in offers((adapter, [snapshot]))} == {"us-central1"}
    assert names(server).count("ListPlatformsRequest") == 1


def test_machines_without_gpus_are_not_estimated(server):
    adapter, _ = asked(server)
    list(adapter.fetch())
    assert names(server).count("EstimateRequest") == len(server.estimates)
    assert not any(" cpu-" in key for key in server.estimates)


def test_the_token_is_sent_and_not_kept(server):
    adapter, _ = asked(server)
    kept = repr(list(adapter.fetch())) + repr(adapter.settings)
    token = SOURCES["nebius"].environment()["NEBIUS_IAM_TOKEN"]
    assert {call["authorization"] for _, call in server.calls} == {f"Bearer {token}"}
    assert all(call["user-agent"].startswith("rentopt/") for _, call in server.calls)
    assert SECRET not in kept


def test_an_echoed_token_is_not_kept(server):
    token = SOURCES["nebius"].environment()["NEBIUS_IAM_TOKEN"]
    page = server.platforms["project-n1"][0]
    page["items"][0]["spec"]["human_readable_name"] = f"you sent {token}"
    adapter, _ = asked(server)
    (first, _) = adapter.fetch()
    assert b"you sent [hidden]" in first.body
    assert SECRET not in repr(first)


def test_a_missing_credential_is_named_before_anything_is_asked(server):
    adapter, _ = asked(server, environment={})
    with pytest.raises(MissingCredentialError, match="NEBIUS_IAM_TOKEN"):
        list(adapter.fetch())
    assert server.calls == []


def test_a_token_that_cannot_be_one_is_refused_without_printing_it(server):
    adapter, _ = asked(server, environment={"NEBIUS_IAM_TOKEN": f"{SECRET}\nx: 1"})
    with pytest.raises(CredentialError, match="NEBIUS_IAM_TOKEN") as failure:
        list(adapter.fetch())
    assert server.calls == []
    assert SECRET not in str(failure.value)


@pytest.mark.parametrize("status", ["UNAUTHENTICATED", "PERMISSION_DENIED"])
def test_a_refused_credential_is_named_and_not_tried_again(server, status):
    server.always = (status, f"bad token {SOURCES['nebius'].environment()['NEBIUS_IAM_TOKEN']}")
    adapter, slept = asked(server)
    with pytest.raises(CredentialError, match=f"{status}; check NEBIUS_IAM_TOKEN") as failure:
        list(adapter.fetch())
    assert (len(server.calls), slept) == (1, [])
    assert SECRET not in str(failure.value)


def test_too_many_requests_are_tried_again_and_a_server_that_recovers_is_forgiven(server):
    server.faults = [("RESOURCE_EXHAUSTED", "slow down"), ("UNAVAILABLE", "restarting")]
    adapter, slept = asked(server)
    assert len(list(adapter.fetch())) == 2
    assert slept == [1.0, 2.0]


def test_calls_keep_the_pause_that_was_set(server):
    adapter, slept = asked(server)
    adapter.settings.http.pause_s = 0.25
    list(adapter.fetch())
    assert slept == [0.25] * len(server.calls)


@pytest.mark.parametrize(
    ("fault", "said", "times"),
    [
        (("RESOURCE_EXHAUSTED", "slow down"), "RESOURCE_EXHAUSTED: slow down, 5 times", 5),
        (("UNAVAILABLE", "down"), "UNAVAILABLE: down, 3 times", 3),
        (("INTERNAL", "oops"), "INTERNAL: oops, 3 times", 3),
        (("UNIMPLEMENTED", "gone"), "UNIMPLEMENTED: gone$", 1),
        (("INVALID_ARGUMENT", "no"), "INVALID_ARGUMENT: no$", 1),
    ],
)
def test_a_status_that_is_no_answer_fails_clearly(server, fault, said, times):
    server.always = fault
    adapter, slept = asked(server)
    with pytest.raises(FetchError, match=said) as failure:
        list(adapter.fetch())
    assert server.base in str(failure.value)
    assert (len(server.calls), len(slept)) == (times, times - 1)


def test_silence_ends(server):
    server.always = "hang"
    adapter, slept = asked(server, limits=QUICK)
    with pytest.raises(FetchError, match=r"DEADLINE_EXCEEDED.*3 times"):
        list(adapter.fetch())
    assert slept == [1.0, 2.0]


def test_nothing_there_is_told():
    with socket.socket() as nobody:  # held, so that nobody else gets the port; it does not listen
        nobody.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        adapter, _ = adapter_at("nebius", base, limits=QUICK)
        with pytest.raises(FetchError, match=r"UNAVAILABLE|DEADLINE_EXCEEDED"):
            list(adapter.fetch())


def test_no_pause_passes_the_deadline(server):
    server.always = ("UNAVAILABLE", "down")
    adapter, slept = asked(server, limits=Limits(read_s=10, deadline_s=0.5))
    with pytest.raises(FetchError, match=r"no answer within 0\.5 s"):
        list(adapter.fetch())
    assert slept == []


def test_a_page_that_comes_twice_is_noticed(server):
    for page in server.platforms["project-n1"]:
        page["next_page_token"] = "2"
    adapter, _ = asked(server)
    with pytest.raises(FetchError, match="second time"):
        list(adapter.fetch())


def test_a_catalogue_of_which_most_has_no_estimate_is_no_table(server):
    gone = {"code": "NOT_FOUND", "said": "unresolved sku"}
    for key in list(server.estimates)[:5]:
        server.estimates[key] = gone
    adapter, _ = asked(server)
    with pytest.raises(FetchError, match=r"6 of 7 presets in eu-north1.*unresolved sku"):
        list(adapter.fetch())


def test_an_account_without_projects_has_no_regions(server):
    server.account["projects"] = [{"items": []}]
    adapter, _ = asked(server)
    with pytest.raises(FetchError, match="no project"):
        list(adapter.fetch())


@pytest.mark.parametrize("base", ["ftp://host", "nowhere", "http://"])
def test_what_is_no_address_is_called_that(base):
    adapter, _ = adapter_at("nebius", base)
    with pytest.raises(FetchError, match="no address"):
        list(adapter.fetch())


# -- service accounts ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key():
    made = rsa.generate_private_key(65537, 2048)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return made.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode()


def credentials(path, key):
    account = {"alg": "RS256", "private-key": key, "kid": "publickey-1", "iss": "sa-1"}
    path.write_text(json.dumps({"subject-credentials": account | {"sub": "sa-1"}}))
    return {"NEBIUS_CREDENTIALS_FILE": str(path)}


def test_a_service_account_is_exchanged_for_a_token(server, tmp_path, key):
    adapter, _ = asked(server, environment=credentials(tmp_path / "account.json", key))
    kept = repr(list(adapter.fetch()))
    assert names(server)[:2] == ["ExchangeTokenRequest", "ListTenantsRequest"]
    assert "authorization" not in server.calls[0][1]
    assert {call["authorization"] for _, call in server.calls[1:]} == {f"Bearer {server.granted}"}
    assert server.granted not in kept


def test_a_refused_service_account_is_named_once(server, tmp_path, key):
    server.always = ("UNAUTHENTICATED", "no such key")
    adapter, slept = asked(server, environment=credentials(tmp_path / "account.json", key))
    with pytest.raises(CredentialError, match="check NEBIUS_CREDENTIALS_FILE: no such key"):
        list(adapter.fetch())
    assert (names(server), slept) == (["ExchangeTokenRequest"], [])


@pytest.mark.parametrize(
    "content", [None, "", "{}", "[]", "not json", '{"subject-credentials": 1}']
)
def test_a_file_without_credentials_is_told_without_its_content(server, tmp_path, content):
    path = tmp_path / "account.json"
    if content is not None:
        path.write_text(content)
    adapter, _ = asked(server, environment={"NEBIUS_CREDENTIALS_FILE": str(path)})
    with pytest.raises(CredentialError, match="NEBIUS_CREDENTIALS_FILE is no credentials file"):
        list(adapter.fetch())
    assert server.calls == []


def test_a_private_key_that_is_none_is_not_printed(server, tmp_path):
    adapter, _ = asked(server, environment=credentials(tmp_path / "account.json", SECRET))
    with pytest.raises(CredentialError, match="no credentials file") as failure:
        list(adapter.fetch())
    assert SECRET not in str(failure.value)


# -- the SDK -------------------------------------------------------------------------------------


def test_without_the_sdk_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nebius.sdk", None)
    adapter = load_adapter("nebius")(Settings(environment={"NEBIUS_IAM_TOKEN": SECRET}))
    with pytest.raises(FetchError, match=r"pip install 'rentopt\[nebius\]'"):
        list(adapter.fetch())


def test_the_sdk_is_imported_only_to_ask():
    code = (
        "import sys, providers.registry as r; r.load_adapter('nebius');"
        "print(*{'nebius', 'grpc', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
