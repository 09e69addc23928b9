"""What one replica does for every size of request of a mix."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.schedule.document import Bucket, ServiceWorkload
from optimizer.sizing.estimate import Unfit, size_service
from providers.hardware import node_kind

BY_TRUST = ("measured", "interpolated", "modelled")


@dataclass(frozen=True, slots=True)
class MixRates:
    """Requests/s of one replica, by bucket, each as if it served nothing else."""

    rates: tuple[float, ...]
    """0 where it cannot serve the bucket."""
    whole: float
    """Requests/s of all buckets in their shares; 0 where it cannot serve one of them."""
    label: str
    """Of the rate least to be trusted."""


def mix_rates(service: ServiceWorkload, gpu: str, gpus: int) -> MixRates | Unfit:
    """The rates of a replica of a mix on some GPUs of one node; why, when it can serve no bucket.

    The time that a replica spends on requests of several sizes adds up: with shares $s_b$ and
    rates $r_b$, all together are served at $1 / \\sum_b s_b / r_b$.
    """
    sized = [bucket_rate(service, bucket, gpu, gpus) for bucket in service.mix]
    unfit = [found for found in sized if isinstance(found, Unfit)]
    if len(unfit) == len(sized):
        return unfit[0]
    rates = tuple(0.0 if isinstance(found, Unfit) else found[0] for found in sized)
    labels = {found[1] for found in sized if not isinstance(found, Unfit)}
    return MixRates(rates, _whole(service, rates), max(labels, key=BY_TRUST.index))


def bucket_rate(
    service: ServiceWorkload, bucket: Bucket, gpu: str, gpus: int
) -> tuple[float, str] | Unfit:
    """(requests/s, label) of one size of request alone: the user's measurement, else the model's.

    A range of sizes is sized at its middle.
    """
    for node, rate in bucket.throughput.items():
        kind = node_kind(node)
        if (kind.gpu, kind.count) == (gpu, gpus):
            return (rate, "measured") if rate else Unfit(f"{node} cannot serve it, as measured")
    sized = size_service(
        service.model,
        service.precision,
        service.engine,
        gpu,
        gpus,
        prompt_tokens=bucket.prompt_tokens.middle,
        output_tokens=bucket.output_tokens.middle,
        floor_tokens_per_s=service.floor,
        ttft_s=service.ttft,
    )
    return sized if isinstance(sized, Unfit) else (sized.requests_per_s, sized.label)


def _whole(service: ServiceWorkload, rates: tuple[float, ...]) -> float:
    if not all(rates):
        return 0.0
    return 1 / sum(bucket.share / rate for bucket, rate in zip(service.mix, rates, strict=True))
