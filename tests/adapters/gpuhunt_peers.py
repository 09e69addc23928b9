"""gpuhunt's providers, asked over loopback for the recordings that our own adapters read.

Where gpuhunt asks for more than we do (regions, stock), the answers here are the most it could be
told. SDKs that only carry the same answers are stood in for: prices and GPUs are gpuhunt's work.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import parse_qsl

from loopback import Reply, recorded
from sources import SECRET, SOURCES
from sources_aws import ec2_xml, region_of

from providers.adapters.azure import SIZES

EVERYWHERE = ("place-1", "place-2")
"""Places of clouds whose one price holds in all of them."""


def _provider(name):
    return importlib.import_module(f"gpuhunt.providers.{name}")


def _stand_in(patch, **modules):
    for name, members in modules.items():
        path = name.replace("__", ".")
        module = ModuleType(path)
        module.__dict__.update(members)
        patch.setitem(sys.modules, path, module)


def lambda_(patch, base, *, mended=True):
    module = _provider("lambdalabs")
    patch.setattr(module, "INSTANCE_TYPES_URL", f"{base}/api/v1/instance-types")
    patch.setattr(module, "IMAGES_URL", f"{base}/images")
    return module.LambdaLabsProvider(SECRET).get()


def _lambda_images(request):
    """Images are in all regions, and so say which there are."""
    types = json.loads(recorded("lambda/instance_types.json"))["data"].values()
    rows = [row for row in types if isinstance(row.get("regions_with_capacity_available"), list)]
    regions = {r["name"] for row in rows for r in row["regions_with_capacity_available"]}
    return Reply({"data": [{"region": {"name": name}} for name in sorted(regions)]})


def cloudrift(patch, base, *, mended=True):
    patch.setenv("CLOUDRIFT_SERVER_ADDRESS", base)
    return _provider("cloudrift").CloudRiftProvider().get()


def digitalocean(patch, base, *, mended=True):
    return _provider("digitalocean").DigitalOceanProvider(SECRET, base).get()


def hotaisle(patch, base, *, mended=True):
    module = _provider("hotaisle")
    patch.setattr(module, "API_URL", base)
    return module.HotAisleProvider(SECRET, "acme").get()


def seeweb(patch, base, *, mended=True):
    module = _provider("seeweb")
    patch.setattr(module, "API_URL", base)
    return module.SeewebProvider(SECRET).get()


def jarvislabs(patch, base, *, mended=True):
    return _provider("jarvislabs").JarvisLabsProvider(SECRET, base).get()


def runpod(patch, base, *, mended=True):
    module = _provider("runpod")
    patch.setattr(module, "API_URL", f"{base}/graphql")
    return module.RunpodProvider().get()


def _runpod(request):
    """All there is in stock, in one data centre and one country."""
    asked, rows = request.json["query"], json.loads(recorded("runpod/gpu_types.json"))
    if "CpuDataCenters" in asked:
        return Reply({"data": {"dataCenters": []}})
    rows["data"] |= {"countryCodes": ["US", None], "dataCenters": [{"id": "US-1", "listed": True}]}
    for row in rows["data"]["gpuTypes"]:
        stock = {"stockStatus": "High", "minVcpu": 8, "minMemory": 64}
        row |= {"lowestPrice": stock, "nodeGroupDatacenters": []}
    return Reply(rows)


def vast(patch, base, *, mended=True):
    module = _provider("vastai")
    patch.setattr(module, "bundles_url", f"{base}/api/v0/bundles/")
    # 50 GB of disk, as ours are priced.
    return module.VastAIProvider().get(module.QueryFilter(min_disk_size=50))


def vultr(patch, base, *, mended=True):
    module = _provider("vultr")
    patch.setattr(module, "API_URL", f"{base}/v2")
    return module.VultrProvider().get()


def crusoe(patch, base, *, mended=True):
    module = _provider("crusoe")
    patch.setattr(module, "API_URL", base)
    keys = SOURCES["crusoe"].environment()
    names = ("CRUSOE_ACCESS_KEY", "CRUSOE_SECRET_KEY", "CRUSOE_PROJECT_ID")
    return module.CrusoeProvider(*(keys[name] for name in names)).get()


def oci(patch, base, *, mended=True):
    regions = SimpleNamespace(data=[SimpleNamespace(name=name) for name in EVERYWHERE])

    client = SimpleNamespace(list_regions=lambda: regions)
    identity = SimpleNamespace(IdentityClient=lambda _: client)
    _stand_in(
        patch,
        oci={},
        oci__identity={},
        oci__identity__models={"Region": SimpleNamespace},
    )
    module = _provider("oci")
    patch.setattr(module, "oci", SimpleNamespace(identity=identity))
    patch.setattr(module, "COST_ESTIMATOR_URL_TEMPLATE", f"{base}/{{resource}}")
    names = ("user", "key_content", "fingerprint", "tenancy", "region")
    return module.OCIProvider(dict.fromkeys(names, SECRET)).get()


def verda(patch, base, *, mended=True):
    """The SDK's objects have the fields of the answer, `spot_price` by a longer name."""
    rows = json.loads(recorded("verda/instance_types.json"))
    if mended:
        rows = [row for row in rows if "description" in row.get("gpu", {})]
    types = [SimpleNamespace(**row, spot_price_per_hour=row.get("spot_price")) for row in rows]
    client = SimpleNamespace(
        instance_types=SimpleNamespace(get=lambda: types),
        locations=SimpleNamespace(get=lambda: [{"code": code} for code in _verda_places()]),
    )
    _stand_in(
        patch,
        verda={"VerdaClient": None},
        verda__instance_types={"InstanceType": SimpleNamespace},
    )
    module = _provider("verda")
    patch.setattr(module, "VerdaClient", lambda *_: client)
    return module.VerdaProvider("id", SECRET).get()


def _verda_places():
    rows = json.loads(recorded("verda/availability.json"))
    return sorted({row["location_code"] for row in rows})


def azure(patch, base, *, mended=True):
    """Sizes as the compute API lists them, from the documented ones."""

    def sku(name, size):
        capabilities = {"vCPUs": size.vcpu, "MemoryGB": size.ram_gb, "GPUs": int(size.gpus) or 1}
        return SimpleNamespace(
            name=name,
            resource_type="virtualMachines",
            locations=["eastus"],
            capabilities=[SimpleNamespace(name=n, value=str(v)) for n, v in capabilities.items()],
        )

    skus = [sku(name, size) for name, size in SIZES.items()]
    client = SimpleNamespace(resource_skus=SimpleNamespace(list=lambda: skus))
    _stand_in(
        patch,
        azure={},
        azure__core={},
        azure__core__credentials={"TokenCredential": object},
        azure__identity={"DefaultAzureCredential": object},
        azure__mgmt={},
        azure__mgmt__compute={"ComputeManagementClient": None},
    )
    module = _provider("azure")
    patch.setattr(module, "ComputeManagementClient", lambda **_: client)
    patch.setattr(module, "prices_url", f"{base}/pages")
    return module.AzureProvider(SECRET, credential=object()).get()


def _azure_page(request):
    """What the service leaves of a page when it is asked with gpuhunt's filter."""
    page = int(request.query["$skip"]) // 1000 + 1
    rows = json.loads(recorded(f"azure/prices.{page}.json"))["Items"] if page < 3 else []
    kept = [
        row
        for row in rows
        if row["type"] == "Consumption"
        and not re.search("Windows|Dedicated", row["productName"])
        and "Low Priority" not in row["meterName"]
    ]
    return Reply({"Items": kept})


def _aws(request):
    """EC2, where types are asked for by name and not by a filter."""
    form = dict(parse_qsl(request.body.decode()))
    if form.get("Action") != "DescribeInstanceTypes":
        return None
    types = json.loads(recorded(f"aws/types.{region_of(request)}.json"))["InstanceTypes"]
    asked = {value for name, value in form.items() if name.startswith("InstanceType.")}
    kept = [row for row in types if row["InstanceType"] in asked]
    return ec2_xml("DescribeInstanceTypes", {"InstanceTypes": kept})


def aws(patch, base, *, mended=True):
    """The bulk file of each region, and EC2 for its GPUs and spot prices."""
    patch.setenv("AWS_ENDPOINT_URL_EC2", base)
    patch.setenv("AWS_ACCESS_KEY_ID", f"{SECRET}-id")
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    module = _provider("aws")
    found = []
    for region in ("us-east-1", "us-east-2"):
        body = recorded(f"aws/bulk/{region}.csv")
        if mended:
            body = re.sub(rb'"(\d+),(\d+ GiB)"', rb'"\1\2"', body)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "index.csv"
            path.write_bytes(body)
            found += module.AWSProvider(str(path)).get()
    return found


PEERS = {
    "aws": aws,
    "azure": azure,
    "cloudrift": cloudrift,
    "crusoe": crusoe,
    "digitalocean": digitalocean,
    "hotaisle": hotaisle,
    "jarvislabs": jarvislabs,
    "lambda": lambda_,
    "oci": oci,
    "runpod": runpod,
    "seeweb": seeweb,
    "vast": vast,
    "verda": verda,
    "vultr": vultr,
}
MORE = {
    "aws": {"/": _aws},
    "azure": {"/pages": _azure_page},
    "lambda": {"/images": _lambda_images},
    "runpod": {"/graphql": _runpod},
}
"""What only gpuhunt asks for."""


def _with_disks(body):
    for row in body["sizes"]:
        row["disk_info"] = []


def _priced(body):
    body["Items"] = [row for row in body["Items"] if "retailPrice" in row]


def _priced_types(body):
    data = body["data"]
    kept = {n: r for n, r in data.items() if "price_cents_per_hour" in r.get("instance_type", {})}
    body["data"] = kept


def _whole_machines(body):
    return [row for row in body if "OnDemandPrice" in row and row["Specs"]["gpus"]]


MENDED = {
    "aws": ("memory with a separator, 2,048 GiB", None),
    "azure": ("a row without retailPrice", _priced),
    "digitalocean": ("sizes without disk_info, which the documented shape lacks", _with_disks),
    "hotaisle": ("a machine without a price, and one without a GPU", _whole_machines),
    "lambda": ("a type without a price", _priced_types),
    "verda": ("a GPU without a description", None),
}
"""What in the recordings makes gpuhunt give up a whole answer, and how it is taken out."""


def route(name, *, mended=True):
    """Our recordings, and what only gpuhunt asks for."""
    mend = MENDED[name][1] if mended and name in MENDED else None

    def answer(request, base):
        more = MORE.get(name, {}).get(request.path)
        reply = (more and more(request)) or SOURCES[name].route(request, base)
        if mend and request.path != "/images":
            body = json.loads(reply.body)
            return Reply(mend(body) or body, headers=reply.headers)
        return reply

    return answer
