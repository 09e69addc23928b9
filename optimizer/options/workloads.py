"""For every workload: the configurations that can do it, and why the other hardware cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from optimizer.options.mixes import OwnRows, bucket_rate, mix_rates
from optimizer.schedule.document import (
    BatchInferenceJob,
    HardwareRule,
    ServiceWorkload,
    TrainingJob,
    WorkloadBase,
)
from optimizer.sizing.bands import CERTAIN, Band
from optimizer.sizing.estimate import (
    Training,
    Unfit,
    relative_training_speed,
    size_batch,
    size_service,
    size_training,
)
from optimizer.sizing.gang import training_options
from providers.hardware import NodeKind, accelerators, in_family, node_kind

MeasuredRow = tuple[str, int, float, int | None]
"""GPU id, GPUs, tokens/s, concurrent users (None: not stated)."""


@dataclass(frozen=True, slots=True)
class ServiceOption:
    """One replica of a service on a share of one node."""

    workload: str
    kind: NodeKind
    gpus: int
    share: float
    """Of the node: 1/4 for two GPUs of eight. A power of two, so that replicas always pack."""
    capacity: float
    """Load one replica carries, in the service's unit (users, or requests/s), no headroom; of a
    mix, all sizes in their shares, 0 where it cannot serve one of them."""
    label: str
    """measured, interpolated or modelled"""
    rates: tuple[float, ...] = ()
    """[bucket] requests/s of one size alone, 0 where it cannot serve it; empty: no mix."""
    band: Band = CERTAIN
    """Around the speeds."""

    @property
    def abilities(self) -> tuple[float, ...]:
        """What one replica can do, by bucket where there are several."""
        return self.rates or (self.capacity,)


@dataclass(frozen=True, slots=True)
class JobOption:
    """One gang of equal nodes for a job."""

    workload: str
    kind: NodeKind
    nodes: int
    rate: float
    """Work done per hour by the gang, in the job's unit (tokens, requests, or GPU-hours)."""
    label: str
    provenance: str
    band: Band = CERTAIN
    """Around the rate."""


@dataclass(frozen=True, slots=True)
class RejectedOption:
    """Hardware that a workload cannot use, in words its owner understands."""

    workload: str
    hardware: str
    reason: str
    bucket: str = ""
    """The size of request that nothing can serve; empty: it can do nothing of the workload."""


def service_options(
    service: ServiceWorkload, kinds: Iterable[NodeKind], *, as_of: date, own_rows: OwnRows = ()
) -> tuple[list[ServiceOption], list[RejectedOption]]:
    """Replicas that keep the service's floor, one per node kind and useful replica size.

    Of a mix, also those that serve some sizes of request only; a size that none of them serves is
    told with every kind's reason. `as_of` is the first day of the schedule: engines are as fast as
    they were then. `own_rows` are the user's measured speeds.
    """
    options: list[ServiceOption] = []
    rejected: list[RejectedOption] = []
    allowed: list[NodeKind] = []
    for kind in kinds:
        reason = _barred(service, kind)
        if reason:
            rejected.append(RejectedOption(service.name, str(kind), reason))
            continue
        allowed.append(kind)
        found: list[ServiceOption] = []
        for gpus in replica_sizes(kind, service.min_gpus):
            option = _replica(service, kind, gpus, as_of, own_rows)
            if isinstance(option, Unfit):
                reason = option.reason
            else:
                found.append(option)
        if found:
            options += _useful_sizes(found)
        else:
            rejected.append(RejectedOption(service.name, str(kind), reason))
    if options and service.mix:
        rejected += _unserved(service, options, allowed, as_of, own_rows)
    return options, rejected


def _replica(
    service: ServiceWorkload, kind: NodeKind, gpus: int, as_of: date, own_rows: OwnRows
) -> ServiceOption | Unfit:
    share = _share(kind, gpus)
    if service.mix:
        mix = mix_rates(service, kind.gpu, gpus, as_of, own_rows)
        if isinstance(mix, Unfit):
            return mix
        rates = mix.rates if len(mix.rates) > 1 else ()
        cell = (service.name, kind, gpus, share, mix.whole, mix.label)
        return ServiceOption(*cell, rates, mix.band)
    sized = size_service(
        service.model,
        service.precision,
        service.engine,
        kind.gpu,
        gpus,
        prompt_tokens=service.prompt_tokens,
        output_tokens=service.output_tokens,
        floor_tokens_per_s=service.floor,
        ttft_s=service.ttft,
        measured=_measured(service),
        own_rows=own_rows,
        as_of=as_of.isoformat(),
        lengths_stated=_lengths_stated(service),
    )
    if isinstance(sized, Unfit):
        return sized
    by_users = service.phases[0].users is not None
    capacity = float(sized.users) if by_users else sized.requests_per_s
    if capacity <= 0:
        return Unfit("carries no load")
    return ServiceOption(service.name, kind, gpus, share, capacity, sized.label, band=sized.band)


def _unserved(
    service: ServiceWorkload,
    options: Iterable[ServiceOption],
    kinds: Iterable[NodeKind],
    as_of: date,
    own_rows: OwnRows,
) -> Iterator[RejectedOption]:
    served = [option.abilities for option in options]
    for b, bucket in enumerate(service.mix):
        if any(rates[b] for rates in served):
            continue
        for kind in kinds:
            found = bucket_rate(service, bucket, kind.gpu, kind.count, as_of, own_rows)
            if isinstance(found, Unfit):
                reason = found.reason
                yield RejectedOption(service.name, str(kind), reason, bucket.label)


def job_options(
    job: TrainingJob | BatchInferenceJob,
    kinds: Iterable[NodeKind],
    *,
    as_of: date,
    own_rows: OwnRows = (),
) -> tuple[list[JobOption], list[RejectedOption], float]:
    """Gangs that can do a job, the hardware that cannot, and the work in the options' unit."""
    options: list[JobOption] = []
    rejected: list[RejectedOption] = []
    for kind in kinds:
        reason = _barred(job, kind)
        if reason:
            rejected.append(RejectedOption(job.name, str(kind), reason))
            continue
        found = []
        for nodes in range(job.min_nodes, job.max_nodes + 1):
            option = _gang(job, kind, nodes, as_of, own_rows)
            if isinstance(option, JobOption):
                found.append(option)
            else:
                reason = option.reason
        options += _worthwhile_gangs(found)
        if not found:
            rejected.append(RejectedOption(job.name, str(kind), reason or "does no work"))
    return options, rejected, job_work(job)


def job_work(job: TrainingJob | BatchInferenceJob) -> float:
    """Tokens, requests or GPU-hours: what `JobOption.rate` counts per hour."""
    if isinstance(job, BatchInferenceJob):
        return float(job.requests)
    work = job.tokens if job.tokens is not None else job.gpu_hours
    if work is None:  # refused when loaded
        raise ValueError(f"{job.name}: neither tokens nor GPU-hours")
    return float(work)


def _gang(
    job: TrainingJob | BatchInferenceJob,
    kind: NodeKind,
    nodes: int,
    as_of: date,
    own_rows: OwnRows,
) -> JobOption | Unfit:
    if isinstance(job, BatchInferenceJob):
        return _batch_gang(job, kind, nodes, as_of, own_rows)
    if job.gpu_hours is not None and job.gpu is not None:
        reference = node_kind(job.gpu).gpu
        speed = relative_training_speed(reference, kind.gpu, kind.count, nodes)
        if speed is None:
            return Unfit(f"no figures to compare it with {job.gpu}")
        note = f"{speed / (kind.count * nodes):.2f} of a {job.gpu} per GPU"
        return JobOption(job.name, kind, nodes, speed, "modelled", note)
    if job.model is None:
        row = next((m for m in job.measured if node_kind(m.on) == kind), None)
        if row is None or nodes != 1:
            return Unfit("no rate was measured on it")
        return JobOption(job.name, kind, 1, row.tokens * 3600, "measured", row.source)
    sized = size_training(
        job.model,
        job.method,
        kind.gpu,
        kind.count,
        nodes,
        sequence_tokens=job.sequence_tokens,
        micro_batch=job.micro_batch,
        accumulation=job.accumulation,
        measured=_measured(job),
        options=training_options(
            precision=job.precision,
            optimizer=job.optimizer,
            strategy=job.strategy,
            checkpointing=job.checkpointing,
            offload=job.offload,
            framework=job.framework,
            lora_rank=job.lora_rank,
        ),
    )
    if isinstance(sized, Training):
        rate = sized.tokens_per_s * 3600
        return JobOption(job.name, kind, nodes, rate, sized.label, sized.provenance)
    return sized


def _batch_gang(
    job: BatchInferenceJob, kind: NodeKind, nodes: int, as_of: date, own_rows: OwnRows
) -> JobOption | Unfit:
    """Nodes work on requests by themselves: n nodes do n times the work of one."""
    best: JobOption | None = None
    reason = "carries no load"
    for gpus in replica_sizes(kind, job.min_gpus):
        sized = size_batch(
            job.model,
            job.precision,
            job.engine,
            kind.gpu,
            gpus,
            prompt_tokens=job.prompt_tokens,
            output_tokens=job.output_tokens,
            measured=_measured(job),
            own_rows=own_rows,
            as_of=as_of.isoformat(),
            lengths_stated=_lengths_stated(job),
        )
        if isinstance(sized, Unfit):
            reason = sized.reason
            continue
        replicas = round(1 / _share(kind, gpus))
        rate = sized.requests_per_s * 3600 * replicas * nodes
        if best is None or rate > best.rate:
            best = JobOption(job.name, kind, nodes, rate, sized.label, sized.provenance, sized.band)
    return best or Unfit(reason)


def replica_sizes(kind: NodeKind, least: int) -> list[int]:
    """GPUs one replica may take of a node: 1, 2, 4 …, and all of them."""
    sizes = [g for g in (1, 2, 4, 8, 16) if least <= g < kind.count]
    return [*sizes, kind.count] if kind.count >= least else sizes


def _share(kind: NodeKind, gpus: int) -> float:
    """Share of a node that one replica takes.

    One over the largest power of two of replicas that fit: such shares always pack, so that
    counting shares never promises more replicas than the GPUs of whole nodes hold.
    """
    replicas = kind.count // gpus
    return 1.0 / (1 << (replicas.bit_length() - 1))


def _useful_sizes(found: Sequence[ServiceOption]) -> list[ServiceOption]:
    """The size that carries most per node, and smaller ones that carry a little alone.

    Of a mix, for any of its buckets.
    """
    kept: set[int] = set()
    for b in range(len(found[0].abilities)):
        able = [n for n, option in enumerate(found) if option.abilities[b]]
        if able:
            best = max(able, key=lambda n: (found[n].abilities[b] / found[n].share, -found[n].gpus))
            kept |= {n for n in able if n == best or found[n].share < found[best].share}
    return [found[n] for n in sorted(kept)]


def _worthwhile_gangs(found: Sequence[JobOption]) -> list[JobOption]:
    """Gangs that a smaller gang of the same nodes does not outrun."""
    kept: list[JobOption] = []
    for option in sorted(found, key=lambda o: o.nodes):
        if all(option.rate > smaller.rate for smaller in kept):
            kept.append(option)
    return kept


def _barred(workload: WorkloadBase, kind: NodeKind) -> str:
    """Why the workload's own rules exclude a node; empty when they do not."""
    card = accelerators()[kind.gpu]
    rule: HardwareRule = workload.hardware
    if workload.needs != "any" and card.stack != workload.needs:
        return f"runs {card.stack}, the workload needs {workload.needs}"
    if rule.allow and not any(in_family(kind.gpu, name) for name in rule.allow):
        return "not among the hardware the workload allows"
    if any(in_family(kind.gpu, name) for name in rule.forbid):
        return "the workload forbids it"
    if kind.count < workload.min_gpus:
        return f"has {kind.count} GPUs, the workload asks for {workload.min_gpus}"
    return ""


def _lengths_stated(workload: ServiceWorkload | BatchInferenceJob) -> bool:
    return bool({"prompt_tokens", "output_tokens"} & workload.model_fields_set)


def _measured(workload: WorkloadBase) -> list[MeasuredRow]:
    nodes = ((node_kind(row.on), row) for row in workload.measured)
    return [(kind.gpu, kind.count, row.tokens, row.users) for kind, row in nodes]
