"""Lambda: on-demand instances. Cents for the whole instance, the same in all regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, complaint, places
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel


class Lambda(LiveAdapter):
    name = "lambda"
    home = "https://cloud.lambda.ai"
    variables = ("LAMBDA_API_KEY",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key("LAMBDA_API_KEY")
        answer = self.settings.http.get(
            f"{self.base}/api/v1/instance-types",
            headers={"Authorization": f"Bearer {key}"},
            secrets=[key],
            variables=["LAMBDA_API_KEY"],
        )
        self.rows(answer.snapshot)
        yield answer.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        data = self.document(snapshot, "data")
        if not isinstance(data, dict):
            raise FetchError(f"{snapshot.address}: {complaint(data) or 'data is no object'}")
        return data.items()

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        kind = row.inner("instance_type")
        specs = kind.inner("specs")
        said = kind.text("gpu_description")
        regions = [
            Fields(region).text("name") for region in row.rows("regions_with_capacity_available")
        ]
        for region in places(regions):
            machine = Machine(
                provider=self.name,
                instance_type=kind.text("name"),
                region=region,
                gpu=gpu_id(said),
                gpu_name=said,
                gpu_count=specs.count("gpus"),
                snapshot=snapshot,
                vcpu=specs.maybe("vcpus"),
                ram_gb=specs.maybe("memory_gib"),
                increment=Increment.SECOND,
                note="" if regions else "no capacity in any region when read",
            )
            yield machine.offer(PurchaseModel.ON_DEMAND, kind.number("price_cents_per_hour") / 100)
