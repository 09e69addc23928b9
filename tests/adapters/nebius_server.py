"""A real gRPC server on loopback that answers as Nebius' services do, from recordings."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from loopback import RECORDINGS
from nebius.api.nebius.billing import v1alpha1 as billing
from nebius.api.nebius.compute import v1 as compute
from nebius.api.nebius.iam import v1 as tokens
from nebius.api.nebius.iam import v2 as iam
from nebius.base.protos.json_format import message_from_json, message_to_dict


def recording(name):
    return json.loads((RECORDINGS / "nebius" / f"{name}.json").read_bytes())


class NebiusServer:
    """`faults` are sent first, one a call: a gRPC status and what it says, or "hang"."""

    def __init__(self):
        self.account, self.platforms = recording("account"), recording("platforms")
        self.estimates = recording("estimates")
        self.faults, self.always, self.calls, self.base = [], None, [], ""
        self.granted = "granted-token-0815"
        self.stop = threading.Event()

    def _method(self, answer, request_class):
        def called(request, context):
            self.calls.append((type(request).__name__, dict(context.invocation_metadata())))
            fault = self.faults.pop(0) if self.faults else self.always
            if fault == "hang":
                self.stop.wait(10)
            elif fault:
                context.abort(getattr(grpc.StatusCode, fault[0]), fault[1])
            return answer(request, context)

        return grpc.unary_unary_rpc_method_handler(
            called,
            request_deserializer=request_class.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def _page(self, pages, request, answer_class):
        page = pages[int(request.page_token or 1) - 1]
        return message_from_json(json.dumps(page), answer_class())

    def _estimate(self, request, context):
        asked = request.resource_spec.compute_instance_spec
        spec, terms = asked.spec, "on_demand"
        if "preemptible" in message_to_dict(spec):
            terms = "spot"
        names = asked.metadata.parent_id, spec.resources.platform, spec.resources.preset, terms
        cost = self.estimates[" ".join(names)]
        if isinstance(cost, dict):
            context.abort(getattr(grpc.StatusCode, cost["code"]), cost["said"])
        total = billing.CostBreakdown(cost=cost, cost_rounded=cost)
        general = billing.ResourceGroupCost(general=billing.GeneralTotalCost(total=total))
        return billing.EstimateResponse(hourly_cost=general)

    def _token(self, request, _):
        return tokens.CreateTokenResponse(
            access_token=self.granted, token_type="Bearer", expires_in=3600
        )

    def handlers(self):
        methods = {
            "nebius.iam.v1.TokenExchangeService": (
                "Exchange", tokens.ExchangeTokenRequest, self._token),
            "nebius.iam.v2.TenantService": ("List", iam.ListTenantsRequest,
                lambda r, _: self._page(self.account["tenants"], r, iam.ListTenantsResponse)),
            "nebius.iam.v2.ProjectService": ("List", iam.ListProjectsRequest,
                lambda r, _: self._page(self.account["projects"], r, iam.ListProjectsResponse)),
            "nebius.compute.v1.PlatformService": ("List", compute.ListPlatformsRequest,
                lambda r, _: self._page(
                    self.platforms[r.parent_id], r, compute.ListPlatformsResponse)),
            "nebius.billing.v1alpha1.CalculatorService": (
                "Estimate", billing.EstimateRequest, self._estimate),
        }  # fmt: skip
        return [
            grpc.method_handlers_generic_handler(service, {name: self._method(answer, asked)})
            for service, (name, asked, answer) in methods.items()
        ]


@contextmanager
def nebius():
    answers = NebiusServer()
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(answers.handlers())
    answers.base = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield answers
    finally:
        answers.stop.set()
        server.stop(None).wait()
