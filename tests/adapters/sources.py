"""How each provider's recordings are served, and with which credentials it is asked."""

from __future__ import annotations

from source import SECRET, Source
from sources_aws import AWS
from sources_china import CHINA
from sources_retail import RETAIL
from sources_west import WEST

__all__ = ["SECRET", "SOURCES", "Source"]

SOURCES = {
    "cloudrift": Source({"/api/v1/instance-types/list": "cloudrift/instance_types.json"}),
    "digitalocean": Source(
        {"/v2/sizes": lambda r: f"digitalocean/sizes.{r.query.get('page', '1')}.json"},
        ("DIGITALOCEAN_TOKEN",),
        pages=2,
        repeats="digitalocean/sizes.1.json",
    ),
    "hyperstack": Source(
        {
            "/v1/pricebook": "hyperstack/pricebook.json",
            "/v1/core/flavors": "hyperstack/flavors.json",
        },
        ("HYPERSTACK_API_KEY",),
        lists=True,
    ),
    "jarvislabs": Source({"/misc/server_meta": "jarvislabs/server_meta.json"}, ("JL_API_KEY",)),
    "lambda": Source({"/api/v1/instance-types": "lambda/instance_types.json"}, ("LAMBDA_API_KEY",)),
    "oci": Source({"/shapes.json": "oci/shapes.json", "/products.json": "oci/products.json"}),
    "ovh": Source({"/1.0/order/catalog/public/cloud": "ovh/catalog.json"}),
    "primeintellect": Source(
        {
            "/api/v1/availability/gpus": lambda r: (
                f"primeintellect/availability.{r.query['page']}.json"
            )
        },
        ("PRIME_API_KEY",),
        pages=2,
        repeats="primeintellect/availability.1.json",
    ),
    "runpod": Source({"/graphql": "runpod/gpu_types.json"}, ("RUNPOD_API_KEY",), optional=True),
    "scaleway": Source(
        {
            "/instance/v1/zones/fr-par-2/products/servers": lambda r: (
                f"scaleway/servers.{r.query['page']}.json"
            )
        },
        ("SCW_SECRET_KEY",),
        regions=("fr-par-2",),
        headers={"X-Total-Count": "9"},
        pages=2,
        repeats="scaleway/servers.1.json",
    ),
    "shadeform": Source({"/v1/instances/types": "shadeform/types.json"}, ("SHADEFORM_API_KEY",)),
    "vast": Source(
        {"/api/v0/bundles/": "vast/offers.json"},
        ("VAST_API_KEY",),
        optional=True,
        pages=3,
        repeats="vast/offers.json",
        page_size=11,
    ),
    "verda": Source(
        {
            "/oauth2/token": "verda/token.json",
            "/instance-types": "verda/instance_types.json",
            "/instance-availability": lambda r: (
                f"verda/availability{'_spot' if r.query['isSpot'] == 'true' else ''}.json"
            ),
            "/long-term/periods/instances": "verda/periods.json",
        },
        ("VERDA_CLIENT_ID", "VERDA_CLIENT_SECRET"),
        lists=True,
    ),
    "vultr": Source(
        {
            "/v2/plans": lambda r: f"vultr/plans.{2 if 'cursor' in r.query else 1}.json",
            "/v2/plans-metal": "vultr/plans_metal.json",
        },
        pages=3,
        repeats="vultr/plans.1.json",
    ),
}

SOURCES |= AWS
SOURCES |= CHINA
SOURCES |= RETAIL
SOURCES |= WEST
