"""When a job runs on nodes rented by the hour: as early as it can, in whole hours.

At one price on every day it does not matter to the cost when the hours are taken; discounting alone
would push every job to its last day, which no one wants for a fraction of a percent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from optimizer.milp.instance import Instance, Solution


def free_to_place(data: Instance, j: int) -> bool:
    """Whether nothing but its window tells when job j takes its hours."""
    job = data.jobs[j]
    waits = bool(job.after) or any(j in other.after for other in data.jobs)
    paid_by_month = bool(data.limits.budget) or data.limits.cash < float("inf")
    on_quota = any(gang.quota >= 0 for gang in job.gangs)
    dated = data.prices_by_day
    return not (waits or paid_by_month or on_quota or dated or job.contiguous)


def place_early(data: Instance, solution: Solution, hours: dict[tuple[int, int], int]) -> Solution:
    """Put the whole hours of each job and gang on the earliest slices left free by its runs.

    Args:
        data: an exact instance.
        solution: its solution; hours of jobs that are not `free_to_place` stay.
        hours: (job, gang) → whole hours in total.
    """
    placed = {key: n for key, n in solution.hours.items() if not free_to_place(data, key[0])}
    running = {(j, s) for j, _, s in solution.run}
    by_job: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for (j, g), total in sorted(hours.items()):
        if free_to_place(data, j):
            by_job[j].append((g, total))
    for j, totals in by_job.items():
        job = data.jobs[j]
        window = [s for s in data.slices_of_days(job.first, job.last) if (j, s) not in running]
        left = {s: round(data.slices[s].hours) for s in window}
        for g, total in totals:
            for s in window:
                taken = min(total, left[s])
                if taken:
                    placed[j, g, s] = taken
                    left[s] -= taken
                    total -= taken
    return replace(solution, hours=placed)
