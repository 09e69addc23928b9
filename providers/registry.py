"""Adapters by name. An adapter's module is imported only when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

from providers.errors import RentoptError

ADAPTERS = {
    "alibaba": "providers.adapters.alibaba:Alibaba",
    "aws": "providers.adapters.aws.adapter:Aws",
    "aws_china": "providers.adapters.aws.adapter:AwsChina",
    "autodl": "providers.adapters.autodl:AutoDl",
    "azure": "providers.adapters.azure:Azure",
    "cloudrift": "providers.adapters.cloudrift:CloudRift",
    "crusoe": "providers.adapters.crusoe:Crusoe",
    "ctyun": "providers.adapters.ctyun:Ctyun",
    "cudo": "providers.adapters.cudo:Cudo",
    "digitalocean": "providers.adapters.digitalocean:DigitalOcean",
    "gcp": "providers.adapters.gcp:Gcp",
    "gpuhunt": "providers.adapters.gpuhunt_catalogue:GpuHunt",
    "gongjiyun": "providers.adapters.gongjiyun:Gongjiyun",
    "hotaisle": "providers.adapters.hotaisle:HotAisle",
    "huawei": "providers.adapters.huawei:Huawei",
    "hyperstack": "providers.adapters.hyperstack:Hyperstack",
    "jarvislabs": "providers.adapters.jarvislabs:JarvisLabs",
    "lambda": "providers.adapters.lambda_labs:Lambda",
    "mithril": "providers.adapters.mithril:Mithril",
    "nebius": "providers.adapters.nebius:Nebius",
    "oci": "providers.adapters.oci:Oci",
    "omniyq": "providers.adapters.omniyq:Omniyq",
    "ovh": "providers.adapters.ovh:Ovh",
    "primeintellect": "providers.adapters.primeintellect:PrimeIntellect",
    "runpod": "providers.adapters.runpod:RunPod",
    "scaleway": "providers.adapters.scaleway:Scaleway",
    "seeweb": "providers.adapters.seeweb:Seeweb",
    "shadeform": "providers.adapters.shadeform:Shadeform",
    "skypilot": "providers.adapters.skypilot:SkyPilot",
    "table": "providers.adapters.table:TableAdapter",
    "tencent": "providers.adapters.tencent:Tencent",
    "vast": "providers.adapters.vast:Vast",
    "verda": "providers.adapters.verda:Verda",
    "volcengine": "providers.adapters.volcengine:Volcengine",
    "vultr": "providers.adapters.vultr:Vultr",
}
"""Name → ``module:Class``. Registering an adapter is what puts it under the contract tests."""

FILE_ADAPTERS = frozenset({"gpuhunt", "skypilot", "table"})
"""Those that read files a person names; the others ask a source over the network."""


class UnknownAdapterError(RentoptError):
    """No adapter of that name."""


def load_adapter(name: str) -> type[Any]:
    """The adapter class registered as `name`; see `providers.adapter.Adapter`.

    Raises:
        UnknownAdapterError: no adapter has that name.
    """
    if name not in ADAPTERS:
        near = difflib.get_close_matches(name, ADAPTERS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(ADAPTERS))}"
        raise UnknownAdapterError(f"'{name}' is no price adapter; {hint}")
    module, _, wanted = ADAPTERS[name].partition(":")
    found: type[Any] = getattr(importlib.import_module(module), wanted)
    return found
