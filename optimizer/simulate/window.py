"""A schedule moved to other days: as if it had begun when the prices of the past were in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from optimizer.schedule.document import (
    BatchInferenceJob,
    FreeQuota,
    Horizon,
    Phase,
    ServiceWorkload,
    TrainingJob,
    Workload,
)
from optimizer.schedule.schedule import Schedule
from providers.errors import RentoptError


class WindowError(RentoptError):
    """Nothing of the schedule fits into the days that are wanted."""


@dataclass(frozen=True, slots=True)
class Moved:
    schedule: Schedule
    notes: tuple[str, ...]
    """What was left out."""


def moved(schedule: Schedule, first: date, last: date) -> Moved:
    """The schedule with its first day on `first`, cut off after `last`.

    Jobs whose deadline is past the end are left out, and budgets of named months when the months
    become others. Weekdays are those of the new days.

    Raises:
        WindowError: no workload is left.
    """
    shift = first - schedule.first_day
    end = min(last, schedule.last_day + shift)
    document, notes = schedule.document, list[str]()
    if end < last:
        notes.append(f"the schedule is {schedule.n_days} days long, and ends before {last}")
    kept: list[Workload] = []
    for workload in document.workloads:
        if isinstance(workload, ServiceWorkload):
            phases = [_phase(phase, shift, end) for phase in workload.phases]
            left = [phase for phase in phases if phase is not None]
            if left:
                kept.append(workload.model_copy(update={"phases": left}))
                continue
            notes.append(f"'{workload.name}' is left out: it begins after {end}")
            continue
        job = _job(workload, shift, schedule.last_day + shift)
        if job.deadline is not None and job.deadline > end:
            notes.append(f"'{job.name}' is left out: its deadline, {job.deadline}, is past the end")
        else:
            kept.append(job)
    if not kept:
        raise WindowError(f"no workload of the schedule fits into {first} to {end}")
    names = {workload.name for workload in kept}
    workloads = [
        w
        if isinstance(w, ServiceWorkload)
        else w.model_copy(update={"after": [name for name in w.after if name in names]})
        for w in kept
    ]
    limits = document.limits
    if limits.budget and shift:
        notes.append("budgets of named months are left out: the months are others")
        limits = limits.model_copy(update={"budget": {}})
    quotas = (_quota(quota, shift, end) for quota in document.market.free_quotas)
    owned = [
        item.model_copy(update={"available": item.available and item.available + shift})
        for item in document.hardware.owned
    ]
    changed = document.model_copy(
        update={
            "horizon": Horizon(start=first, end=end),
            "workloads": workloads,
            "limits": limits,
            "market": document.market.model_copy(
                update={"free_quotas": [quota for quota in quotas if quota is not None]}
            ),
            "hardware": document.hardware.model_copy(update={"owned": owned}),
        }
    )
    return Moved(replace(schedule, document=changed, notes=()), tuple(notes))


def _phase(phase: Phase, shift: timedelta, end: date) -> Phase | None:
    start = phase.start and phase.start + shift
    last = phase.end and min(end, phase.end + shift)
    if start is not None and start > end:
        return None
    return phase.model_copy(update={"start": start, "end": last})


def _job(
    job: TrainingJob | BatchInferenceJob, shift: timedelta, last: date
) -> TrainingJob | BatchInferenceJob:
    release = job.release and job.release + shift
    deadline = job.deadline + shift if job.deadline else last
    return job.model_copy(update={"release": release, "deadline": deadline})


def _quota(quota: FreeQuota, shift: timedelta, end: date) -> FreeQuota | None:
    start = quota.start and quota.start + shift
    last = quota.end and min(end, quota.end + shift)
    if start is not None and start > end:
        return None
    return quota.model_copy(update={"start": start, "end": last})
