"""What one replica does for every size of request of a mix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from optimizer.schedule.document import Bucket, ServiceWorkload
from optimizer.sizing.bands import CERTAIN, Band, widest
from optimizer.sizing.estimate import Unfit, size_service
from optimizer.sizing.measured.inference import InferenceRow
from providers.hardware import node_kind

OwnRows = tuple[InferenceRow, ...]
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
    band: Band
    """Around all of them."""


@dataclass(frozen=True, slots=True)
class BucketRate:
    """What a replica does of one size of request alone."""

    requests_per_s: float
    label: str
    band: Band


def mix_rates(
    service: ServiceWorkload, gpu: str, gpus: int, as_of: date, own: OwnRows = ()
) -> MixRates | Unfit:
    """The rates of a replica of a mix on some GPUs of one node; why, when it can serve no bucket.

    The time that a replica spends on requests of several sizes adds up: with shares $s_b$ and
    rates $r_b$, all together are served at $1 / \\sum_b s_b / r_b$.
    """
    sized = [bucket_rate(service, bucket, gpu, gpus, as_of, own) for bucket in service.mix]
    able = [found for found in sized if isinstance(found, BucketRate)]
    if not able:
        return next(found for found in sized if isinstance(found, Unfit))
    rates = tuple(x.requests_per_s if isinstance(x, BucketRate) else 0.0 for x in sized)
    label = max((found.label for found in able), key=BY_TRUST.index)
    band = widest(found.band for found in able)
    return MixRates(rates, _whole(service, rates), label, band)


def bucket_rate(
    service: ServiceWorkload,
    bucket: Bucket,
    gpu: str,
    gpus: int,
    as_of: date,
    own: OwnRows = (),
) -> BucketRate | Unfit:
    """One size of request alone: the user's measurement, else the model's.

    A range of sizes is sized at its middle. `own` are the user's measured speeds.
    """
    for node, rate in bucket.throughput.items():
        kind = node_kind(node)
        if (kind.gpu, kind.count) == (gpu, gpus):
            if not rate:
                return Unfit(f"{node} cannot serve it, as measured")
            return BucketRate(rate, "measured", CERTAIN)
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
        own_rows=own,
        as_of=as_of.isoformat(),
    )
    if isinstance(sized, Unfit):
        return sized
    return BucketRate(sized.requests_per_s, sized.label, sized.band)


def _whole(service: ServiceWorkload, rates: tuple[float, ...]) -> float:
    if not all(rates):
        return 0.0
    return 1 / sum(bucket.share / rate for bucket, rate in zip(service.mix, rates, strict=True))
