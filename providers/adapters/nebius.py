"""Nebius: what its calculator says each preset costs, on demand and preemptible, region by region.

The API is gRPC, spoken by the vendor's SDK (``pip install 'rentopt[nebius]'``): projects name the
regions, platforms and their presets the machines, and each preset is estimated by itself. A
snapshot holds one region: the answers as ProtoJSON under their own field names, and the refusals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import (
    TRIES_WHEN_BROKEN,
    TRIES_WHEN_LIMITED,
    USER_AGENT,
    CredentialError,
    FetchError,
)
from providers.live import MOST_PAGES, NO_TENOR, Fields, LiveAdapter, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

VARIABLES = ("NEBIUS_IAM_TOKEN", "NEBIUS_CREDENTIALS_FILE")
"""A token, which lasts hours; or the path of a service account's credentials file."""
ESTIMATE = "nebius.billing.v1alpha1.CalculatorService/Estimate"
_TRIES = {
    "RESOURCE_EXHAUSTED": TRIES_WHEN_LIMITED,
    "UNAVAILABLE": TRIES_WHEN_BROKEN,
    "DEADLINE_EXCEEDED": TRIES_WHEN_BROKEN,
    "INTERNAL": TRIES_WHEN_BROKEN,
    "UNKNOWN": TRIES_WHEN_BROKEN,
    "ABORTED": TRIES_WHEN_BROKEN,
}
"""By the name of a gRPC status; any other is tried once."""
_UNPRICED = ("INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE")
"""What an estimate of a preset that has no price may be answered with."""
_NAMES = {"rtx6000": "RTX PRO 6000 Blackwell Server Edition"}


class _StatusError(FetchError):
    """A gRPC status that is no answer, after its tries."""

    def __init__(self, message: str, code: str, said: str) -> None:
        super().__init__(message)
        self.code, self.said = code, said


class Nebius(LiveAdapter):
    name = "nebius"
    home = "https://api.nebius.cloud"
    variables = ("NEBIUS_IAM_TOKEN",)

    def fetch(self) -> Iterator[Snapshot]:
        token = self.maybe_key(VARIABLES[0])
        path = "" if token else self.key(VARIABLES[1], VARIABLES[0])
        with self._sdk() as sdk:
            service = _Service(self, sdk, VARIABLES[0] if token else VARIABLES[1])
            service.token = token or service.exchange(path)
            for region, project in service.projects().items():
                if not self.settings.regions or region in self.settings.regions:
                    yield service.region(region, project)

    @contextmanager
    def _sdk(self) -> Iterator[Any]:
        """The SDK without its own renewing of credentials, which tries for ever in the background.

        Raises:
            FetchError: it is not installed, or the base URL is none.
        """
        try:
            from nebius.aio.channel import NoCredentials
            from nebius.base.options import INSECURE
            from nebius.base.resolver import Constant
            from nebius.sdk import SDK
        except ImportError:
            raise FetchError("nebius needs its SDK: pip install 'rentopt[nebius]'") from None
        how: dict[str, Any] = {"user_agent_prefix": USER_AGENT.partition(" ")[0]}
        if self.settings.base_url:
            parts = urlsplit(self.base)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise FetchError(f"'{self.base}' is no address such as http://127.0.0.1:50051")
            how["resolver"] = Constant(parts.netloc)
            how["options"] = [(INSECURE, True)] if parts.scheme == "http" else []
        sdk = SDK(credentials=NoCredentials(), **how)
        try:
            yield sdk
        finally:
            sdk.sync_close(timeout=self.settings.http.limits.connect_s)

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        region = self.document(snapshot, "region")
        prices: dict[tuple[object, object, bool], object] = {}
        for estimate in self.listed(snapshot, "estimates"):
            if isinstance(estimate, dict):
                asked = (estimate.get("platform"), estimate.get("preset"))
                if all(isinstance(part, str) for part in asked):
                    prices[*asked, estimate.get("preemptible") is True] = estimate
        found: list[tuple[str, object]] = []
        for platform in self.listed(snapshot, "platforms"):
            try:
                row = Fields(platform)
                name = row.inner("metadata").text("name")
                presets = row.inner("spec").rows("presets")
            except RowError:
                found.append(("platform", {"platform": platform}))
                continue
            for preset in presets:
                kind = preset.get("name") if isinstance(preset, dict) else None
                shared = {"platform": platform, "preset": preset, "region": region}
                if isinstance(kind, str):
                    shared["hour"] = prices.get((name, kind, False))
                    shared["spot"] = prices.get((name, kind, True))
                found.append((f"{name}_{kind}/{region}", shared))
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        platform, spec = row.inner("platform"), row.inner("platform").inner("spec")
        kind = platform.inner("metadata").text("name")
        spec.rows("presets")
        preset = row.inner("preset")
        has = preset.inner("resources")
        gpus = has.count("gpu_count")
        if gpus == 0:
            raise RowError("no GPU")
        memory = spec.number("gpu_memory_gigabytes")
        machine = Machine(
            provider=self.name,
            instance_type=f"{kind}_{preset.text('name')}",
            region=row.text("region"),
            gpu=gpu_id(_card(kind), memory),
            gpu_name=f"{kind} ({memory} GB)",
            gpu_count=gpus,
            snapshot=snapshot,
            vcpu=has.maybe("vcpu_count"),
            ram_gb=has.maybe("memory_gibibytes"),
        )
        yield _priced(machine, PurchaseModel.ON_DEMAND, row.inner("hour"))
        if row.get("spot") is not None:
            yield _priced(machine, PurchaseModel.SPOT, row.inner("spot"))


class _Service:
    """The calls of one fetch, with their retries."""

    def __init__(self, adapter: Nebius, sdk: Any, variable: str) -> None:
        self.adapter, self.sdk, self.variable, self.token = adapter, sdk, variable, ""
        self.http = adapter.settings.http

    def exchange(self, path: str) -> str:
        """A token for the service account whose credentials file this is.

        Raises:
            CredentialError: the file is not there, holds no key, or the account is refused.
        """
        from nebius.api.nebius.iam.v1 import TokenExchangeServiceClient
        from nebius.base.error import SDKError
        from nebius.base.service_account.credentials_file import Reader

        try:
            request = Reader(path).get_exchange_token_request()
        except (SDKError, OSError, LookupError, TypeError, ValueError) as error:
            said = f"{self.variable} is no credentials file ({type(error).__name__})"
            raise CredentialError(f"{self.adapter.name}: {said}") from None
        exchange = TokenExchangeServiceClient(self.sdk).exchange
        granted = self.ask("nebius.iam.v1.TokenExchangeService/Exchange", exchange, request)
        return str(granted.access_token)

    def projects(self) -> dict[str, str]:
        """Region → a project in it; prices are those of the region, whatever the project."""
        from nebius.api.nebius.iam import v2 as iam  # v1 ends in December 2026

        found: dict[str, str] = {}
        list_projects = iam.ProjectServiceClient(self.sdk).list
        tenants = self.all(
            "nebius.iam.v2.TenantService/List",
            iam.TenantServiceClient(self.sdk).list,
            iam.ListTenantsRequest(page_size=999),
        )
        for tenant in tenants:
            request = iam.ListProjectsRequest(parent_id=tenant.metadata.id, page_size=999)
            for project in self.all("nebius.iam.v2.ProjectService/List", list_projects, request):
                found.setdefault(project.spec.region, project.metadata.id)
        if not found:
            raise FetchError(f"{self.adapter.base}: the account has no project, so no region")
        return found

    def region(self, region: str, project: str) -> Snapshot:
        """Platforms and the estimate of each preset with GPUs.

        Raises:
            FetchError: more than half of the presets could not be estimated.
        """
        from nebius.api.nebius.compute.v1 import ListPlatformsRequest, PlatformServiceClient

        moment = self.http.now()
        platforms = self.all(
            "nebius.compute.v1.PlatformService/List",
            PlatformServiceClient(self.sdk).list,
            ListPlatformsRequest(parent_id=project, page_size=999),
        )
        estimates: list[dict[str, Any]] = []
        for platform in platforms:
            for preset in platform.spec.presets:
                if preset.resources.gpu_count:
                    kinds = [False, True] if platform.status.allowed_for_preemptibles else [False]
                    names = platform.metadata.name, preset.name
                    estimates += [self.estimate(project, *names, spot) for spot in kinds]
        failed = [estimate for estimate in estimates if "error" in estimate]
        address = f"{self.adapter.base}/{ESTIMATE}"
        if 2 * len(failed) > len(estimates):
            said = f"{len(failed)} of {len(estimates)} presets in {region} have no estimate"
            raise FetchError(f"{address}: {said}: {failed[0]['error']}")
        document = {"region": region, "platforms": [_plain(p) for p in platforms]}
        body = json.dumps(document | {"estimates": estimates}, indent=1)
        return Snapshot(address, moment, self._hide(body).encode())

    def estimate(self, project: str, platform: str, preset: str, spot: bool) -> dict[str, Any]:
        from nebius.api.nebius.billing import v1alpha1 as billing
        from nebius.api.nebius.common.v1 import ResourceMetadata
        from nebius.api.nebius.compute import v1 as compute

        spec = compute.InstanceSpec(
            resources=compute.ResourcesSpec(platform=platform, preset=preset),
            preemptible=compute.PreemptibleSpec() if spot else None,
        )
        machine = compute.CreateInstanceRequest(
            metadata=ResourceMetadata(parent_id=project), spec=spec
        )
        request = billing.EstimateRequest(
            resource_spec=billing.ResourceSpec(compute_instance_spec=machine)
        )
        asked: dict[str, Any] = {"platform": platform, "preset": preset, "preemptible": spot}
        try:
            answer = self.ask(ESTIMATE, billing.CalculatorServiceClient(self.sdk).estimate, request)
        except _StatusError as error:
            if error.code not in _UNPRICED:
                raise
            return asked | {"error": f"{error.code}: {error.said}"}
        return asked | {"answer": _plain(answer)}

    def all(self, what: str, method: Callable[..., Any], request: Any) -> list[Any]:
        """Every item of a listing, page by page."""
        found: list[Any] = []
        seen: set[str] = set()
        while True:
            answer = self.ask(what, method, request)
            found += answer.items
            token = answer.next_page_token
            if not token:
                return found
            if token in seen or len(seen) == MOST_PAGES:
                raise FetchError(f"{self.adapter.base}/{what}: the same page a second time")
            seen.add(token)
            request.page_token = token

    def ask(self, what: str, method: Callable[..., Any], request: Any) -> Any:
        """One answer, by the rules of `providers.http`: its tries, pauses and deadline.

        Raises:
            CredentialError: the credential was refused.
            FetchError: there is no answer.
        """
        from nebius.aio.service_error import RequestError
        from nebius.base.error import SDKError

        http, limits, tried = self.http, self.http.limits, 0
        address, end = f"{self.adapter.base}/{what}", http.clock() + limits.deadline_s
        while True:
            tried += 1
            if http.pause_s:
                http.sleep(http.pause_s)
            try:
                return method(
                    request,
                    metadata=[("authorization", f"Bearer {self.token}")] if self.token else [],
                    retries=1,
                    timeout=limits.read_s,
                    auth_timeout=limits.answer_s,
                ).wait()
            except RequestError as error:
                code, said = error.status.code.name, self._hide(error.status.message or "")[:200]
            except SDKError as error:
                code, said = "UNKNOWN", type(error).__name__
            if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
                raise CredentialError(f"{address} answered {code}; check {self.variable}: {said}")
            problem, pause = f"{address} answered {code}: {said}", 2 ** (tried - 1) * http.dice()
            if tried >= _TRIES.get(code, 1):
                times = f", {tried} times" if tried > 1 else ""
                raise _StatusError(f"{problem}{times}", code, said)
            if http.clock() + pause >= end:
                within = f"no answer within {limits.deadline_s:g} s"
                raise _StatusError(f"{problem}; {within}", code, said)
            http.sleep(pause)

    def _hide(self, text: str) -> str:
        return text.replace(self.token, "[hidden]") if self.token else text


def _plain(message: Any) -> Any:
    """A message as the JSON its schema defines, with the zeros that are not sent."""
    from nebius.base.protos.json_format import message_to_dict

    return message_to_dict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _priced(machine: Machine, model: PurchaseModel, estimate: Fields) -> Offer | Rejected:
    if estimate.get("error") is not None:
        sku = machine.sku(model, NO_TENOR)
        return Rejected(sku, f"no estimate: {estimate.text('error')}", machine.snapshot.address)
    total = estimate.inner("answer").inner("hourly_cost").inner("general").inner("total")
    return machine.offer(model, total.number("cost"))


def _card(platform: str) -> str:
    """``gpu-b200-sxm-a`` → ``b200-sxm``: the last letter is the host's generation."""
    bare = re.sub(r"-[a-z]$", "", platform.removeprefix("gpu-"))
    return _NAMES.get(bare, bare)
