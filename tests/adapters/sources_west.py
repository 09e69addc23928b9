"""Recordings of Azure, Google Cloud and smaller western clouds."""

from __future__ import annotations

from source import SECRET, Source


def nebius_server():
    """The SDK takes half a second to import, so it is only for those who need it."""
    from nebius_server import nebius

    return nebius()


WEST = {
    "azure": Source(
        {"/api/retail/prices": lambda r: f"azure/prices.{2 if '$skip' in r.query else 1}.json"},
        regions=("eastus",),
        repeats="azure/prices.1.json",
    ),
    "crusoe": Source(
        {
            f"/v1alpha5/projects/{SECRET}-crusoe_project_id/compute/vms/types": "crusoe/types.json",
            "/v1alpha5/capacities": "crusoe/capacities.json",
        },
        ("CRUSOE_ACCESS_KEY", "CRUSOE_SECRET_KEY", "CRUSOE_PROJECT_ID"),
        credentials={"CRUSOE_SECRET_KEY": f"{SECRET}_base64url"[:28]},
    ),
    "gcp": Source(
        {
            "/v1/services/6F81-5844-456A/skus": lambda r: (
                f"gcp/skus.{2 if 'pageToken' in r.query else 1}.json"
            )
        },
        ("GOOGLE_API_KEY",),
        repeats="gcp/skus.1.json",
    ),
    "nebius": Source({}, ("NEBIUS_IAM_TOKEN",), pages=2, server=nebius_server),
    "cudo": Source({"/v1/vms/machine-types-2": "cudo/machine_types.json"}, ("CUDO_API_KEY",)),
    "hotaisle": Source(
        {
            "/teams/acme/virtual_machines/available/": "hotaisle/virtual_machines.json",
            "/teams/acme/bare_metal/available/": "hotaisle/bare_metal.json",
        },
        ("HOTAISLE_API_KEY",),
        options={"team": "acme"},
        lists=True,
    ),
    "mithril": Source(
        {
            "/v2/instance-types": "mithril/instance_types.json",
            "/v2/spot/availability": "mithril/spot.json",
            "/v2/pricing/current": lambda r: (
                f"mithril/price.{r.query['instance_type'][3:7].lower()}.json"
            ),
        },
        ("MITHRIL_API_KEY",),
        lists=True,
    ),
    "seeweb": Source({"/plans": "seeweb/plans.json"}, ("SEEWEB_API_TOKEN",)),
}
