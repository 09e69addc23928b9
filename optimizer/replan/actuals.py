"""What went otherwise than planned: a small YAML document, as strict as the schedule."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml.nodes import MappingNode

from optimizer.problem import JobDemand, Problem, ServiceDemand
from optimizer.schedule.demand import hourly_load, phase_on
from optimizer.schedule.document import BatchInferenceJob
from optimizer.schedule.explain import closest, explained
from optimizer.schedule.quantities import (
    Day,
    GpuHours,
    Hardware,
    MoneyAmount,
    NodeCount,
    Number,
    Requests,
    RequestsPerSecond,
    Share,
    TokenCount,
)
from optimizer.schedule.schema import closed_schema
from optimizer.standing import (
    JobDone,
    KeptNodes,
    LoadFactor,
    Lost,
    NewDeadline,
    RunningTerm,
    Standing,
    SunkLine,
)
from providers import yaml_text
from providers.errors import DocumentError, Fault
from providers.yaml_text import Kind, Source, build, compose, place_of

SCHEMA_ID = "urn:rentopt:schema:actuals:1"
_KIND = Kind(
    noun="list of actuals",
    if_large="actuals are a few kilobytes",
    if_empty="leave --actuals out when everything went as planned",
)


class Section(BaseModel):
    """No unknown keys, no change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class JobActual(Section):
    """A job, as it really stands. What is left out went as planned."""

    name: str = Field(min_length=1, description="Name of a job in the schedule")
    done: Share | None = Field(None, description="Share of its work that is done")
    tokens: TokenCount | None = Field(None, description="Tokens done in all, such as `120M tokens`")
    requests: Requests | None = Field(None, description="Requests done in all")
    gpu_hours: GpuHours | None = Field(
        None, description="GPU-hours done in all, counted as in the schedule"
    )
    deadline: Day | None = Field(None, description="New last day")


class ServiceActual(Section):
    """The load of a service, as it really is. The rest of the schedule is scaled alike."""

    name: str = Field(min_length=1, description="Name of a service in the schedule")
    users: Annotated[Number, Field(ge=0)] | None = Field(
        None, description="Concurrent users seen at the peak hour, now"
    )
    requests: RequestsPerSecond | None = Field(
        None, description="Seen at the peak hour, now, such as `3 requests/s`"
    )
    factor: Annotated[Number, Field(ge=0)] | None = Field(
        None, description="Load from today on, as a multiple of the schedule's: `1.2`"
    )


class LostNodes(Section):
    """Nodes that are there no more: broken, stolen, or ended by their seller."""

    node: Hardware = Field(description="Such as `2xRTX4090`")
    count: NodeCount = Field(1, description="How many")


class Actuals(Section):
    """What went otherwise than planned, on the morning of the day that is planned from."""

    actuals: Literal[1] = Field(description="Version of this format")
    jobs: list[JobActual] = Field(default_factory=list, description="Progress and deadlines")
    services: list[ServiceActual] = Field(default_factory=list, description="Load seen")
    lost: list[LostNodes] = Field(default_factory=list, description="Nodes that are gone")
    paid: MoneyAmount | None = Field(
        None, description="All that was really paid before today, net of resale"
    )


@dataclass(frozen=True, slots=True)
class News:
    """Actuals with the places they were written at."""

    document: Actuals
    source: Source
    sha256: str
    parts: frozenset[str] = frozenset({"jobs", "services", "lost", "paid"})
    """What is told; the rest is taken to have gone as planned."""

    def only(self, *parts: str) -> News:
        return replace(self, parts=frozenset(parts))

    @property
    def says(self) -> frozenset[str]:
        """The parts with anything in them."""
        return frozenset(part for part in self.parts if getattr(self.document, part))

    def told(self, standing: Standing, problem: Problem) -> Standing:
        """The state with the news in place of what was planned.

        Raises:
            DocumentError: a name that is not in the schedule, a quantity that cannot be.
        """
        return _Teller(self, standing, problem).tell()


def load_actuals(path: Path) -> News:
    """
    Raises:
        DocumentError: with every fault found, in the order of the lines.
    """
    try:
        with path.open("rb") as file:
            content = file.read(yaml_text.MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DocumentError([Fault(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    return parse_actuals(content, str(path))


def parse_actuals(content: bytes, name: str) -> News:
    """
    Raises:
        DocumentError: with every fault found, in the order of the lines.
    """
    root = compose(content, name, _KIND)
    if not isinstance(root, MappingNode):
        place = place_of(root)
        message, hint = "expected a mapping of sections", "start with `actuals: 1`"
        raise DocumentError([Fault(name, place.line, place.column, "", message, hint)])
    source = build(root, name)
    data = {key: value for key, value in source.data.items() if value is not None}
    faults = list(source.faults)
    try:
        document = Actuals.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        faults += [explained(item, source, data, Actuals) for item in errors]
        raise DocumentError(_ordered(faults)) from None
    if faults:
        raise DocumentError(_ordered(faults))
    return News(document, source, hashlib.sha256(content).hexdigest())


def actuals_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the document."""
    return closed_schema(Actuals, SCHEMA_ID, "rentopt actuals")


def actuals_schema_text() -> str:
    return json.dumps(actuals_schema(), indent=2, ensure_ascii=False) + "\n"


def _ordered(faults: list[Fault]) -> list[Fault]:
    order = dict.fromkeys(faults)
    return sorted(order, key=lambda fault: (fault.line, fault.column, str(fault)))


class _Teller:
    """Holds the state while the news are told, and gathers what cannot be."""

    def __init__(self, news: News, standing: Standing, problem: Problem) -> None:
        self.news, self.standing, self.problem = news, standing, problem
        self.faults: list[Fault] = []

    def tell(self) -> Standing:
        document, parts = self.news.document, self.news.parts
        self._names("jobs", [item.name for item in document.jobs])
        self._names("services", [item.name for item in document.services])
        for number, job in enumerate(document.jobs):
            if "jobs" in parts:
                self._job(("jobs", number), job)
        for number, service in enumerate(document.services):
            if "services" in parts:
                self._service(("services", number), service)
        for number, lost in enumerate(document.lost):
            if "lost" in parts:
                self._lost(("lost", number), lost)
        if document.paid is not None and "paid" in parts:
            self._paid(self.problem.costs.in_currency(document.paid))
        if self.faults:
            raise DocumentError(_ordered(self.faults))
        return self.standing

    def fault(self, path: yaml_text.Path, message: str, hint: str = "") -> None:
        self.faults.append(self.news.source.fault(path, message, hint))

    def _names(self, part: str, names: list[str]) -> None:
        for number, name in enumerate(names):
            if Counter(names[:number])[name]:
                self.fault((part, number, "name"), f"'{name}' is told twice", "keep one of them")

    # -- jobs ------------------------------------------------------------------------------

    def _job(self, path: yaml_text.Path, told: JobActual) -> None:
        whole = {demand.job.name: demand for demand in self.problem.jobs}
        known = [w.name for w in self.problem.schedule.document.workloads if w.kind != "service"]
        if told.name not in known:
            hint = closest(told.name, known) or f"jobs are {', '.join(known) or 'none'}"
            self.fault((*path, "name"), f"there is no job '{told.name}' in the schedule", hint)
            return
        demand = whole.get(told.name)
        if demand is None:
            self.fault((*path, "name"), f"'{told.name}' was finished in the plan made again before")
            return
        units = {"done", "tokens", "requests", "gpu_hours"}
        given = sorted(key for key in units if getattr(told, key) is not None)
        if len(given) > 1:
            message = f"the work done is given twice, as {' and '.join(given)}"
            self.fault((*path, given[1]), message, "keep one of them")
        elif given:
            self._done(path, told, demand, given[0])
        if told.deadline is not None:
            self._deadline(path, told.name, told.deadline)

    def _done(self, path: yaml_text.Path, told: JobActual, demand: JobDemand, key: str) -> None:
        earlier = self.problem.standing
        before = earlier.work_done(told.name) if earlier else Decimal(0)
        whole = Decimal(repr(demand.work)) + before
        unit = _unit(demand)
        if key not in ("done", unit):
            message = f"the work of '{told.name}' is counted in {unit}"
            self.fault((*path, key), message, f"write `{unit}`, or a share as `done`")
            return
        amount = Decimal(repr(getattr(told, key)))
        work = whole * amount if key == "done" else amount
        if work > whole:
            message = f"'{told.name}' has {float(whole):,.12g} in all, less than are done"
            self.fault((*path, key), message)
            return
        done = tuple(item for item in self.standing.done if item.job != told.name)
        kept = self.standing.continued
        if not work:  # it never began
            kept = tuple(item for item in kept if item.job != told.name)
        self.standing = replace(
            self.standing, done=(*done, JobDone(told.name, work)), continued=kept
        )

    def _deadline(self, path: yaml_text.Path, name: str, day: date) -> None:
        first, last = self.standing.today, self.problem.schedule.last_day
        if not first <= day <= last:
            self.fault((*path, "deadline"), f"{day} is outside what is left, {first} to {last}")
            return
        others = tuple(item for item in self.standing.deadlines if item.job != name)
        self.standing = replace(self.standing, deadlines=(*others, NewDeadline(name, day)))

    # -- services --------------------------------------------------------------------------

    def _service(self, path: yaml_text.Path, told: ServiceActual) -> None:
        whole = {demand.service.name: demand for demand in self.problem.services}
        if told.name not in whole:
            hint = closest(told.name, whole) or f"services are {', '.join(whole) or 'none'}"
            self.fault((*path, "name"), f"there is no service '{told.name}' in the schedule", hint)
            return
        keys = ("factor", "requests", "users")
        given = [key for key in keys if getattr(told, key) is not None]
        if len(given) != 1:
            found = "none" if not given else " and ".join(given)
            self.fault(path, f"expected one of users, requests and factor, found {found}")
            return
        factor = told.factor
        if factor is None:
            factor = self._seen(path, whole[told.name], given[0], getattr(told, given[0]))
        if factor is None:
            return
        others = tuple(item for item in self.standing.loads if item.service != told.name)
        loads = (*others, LoadFactor(told.name, float(factor)))
        self.standing = replace(self.standing, loads=loads)

    def _seen(
        self, path: yaml_text.Path, demand: ServiceDemand, key: str, seen: float
    ) -> float | None:
        """What was seen at the peak hour, over what the schedule says of it now."""
        service, day = demand.service, self.standing.today
        horizon = self.problem.schedule.document.horizon
        phase = phase_on(service, day, horizon)
        unit = "users" if service.phases[0].users is not None else "requests"
        if key != unit:
            self.fault((*path, key), f"the load of '{service.name}' is counted in {unit}")
            return None
        every_day = service.model_copy(update={"weekdays": {}})
        hours = [hourly_load(every_day, day, hour, horizon) for hour in range(24)]
        if phase is None or not max(hours):
            message = f"the schedule has no load for '{service.name}' on {day} to compare with"
            self.fault((*path, key), message, "write `factor: 1.2` instead")
            return None
        return seen / max(hours)

    # -- nodes and money -------------------------------------------------------------------

    def _lost(self, path: yaml_text.Path, told: LostNodes) -> None:
        """Owned nodes first, then bought, then rented for a term."""
        left = told.count
        for asset in self.problem.owned:
            if str(asset.kind) == told.node and left:
                taken = min(left, asset.count)
                left -= taken
                before = {item.asset: item.nodes for item in self.standing.lost}
                before[asset.name] = before.get(asset.name, 0) + taken
                lost = tuple(Lost(name, nodes) for name, nodes in sorted(before.items()))
                self.standing = replace(self.standing, lost=lost)
        kept: list[KeptNodes] = []
        for item in self.standing.kept:
            taken = min(left, item.nodes) if item.node == told.node else 0
            left -= taken
            kept += [replace(item, nodes=item.nodes - taken)] if item.nodes > taken else []
        running: list[RunningTerm] = []
        for term in self.standing.running:
            taken = min(left, term.nodes) if term.node == told.node else 0
            left -= taken
            running += [replace(term, nodes=term.nodes - taken)] if term.nodes > taken else []
        self.standing = replace(self.standing, kept=tuple(kept), running=tuple(running))
        if left:
            there = told.count - left
            message = f"{told.count} x {told.node} are lost, {there} were there"
            hint = "only nodes that are owned, or rented for a term, can be lost"
            self.fault((*path, "count"), message, hint)

    def _paid(self, paid: Decimal) -> None:
        """The difference between the bills and the plan, booked on the first day."""
        today = self.standing.today
        planned = sum((x.amount for x in self.standing.sunk if x.day < today), Decimal(0))
        if paid == planned or today == self.problem.schedule.first_day:
            return
        line = SunkLine(
            self.problem.schedule.first_day, "other", "bills beside the plan", paid - planned
        )
        sunk = sorted((*self.standing.sunk, line), key=lambda x: (x.day, x.component, x.cause))
        self.standing = replace(self.standing, sunk=tuple(sunk))


def _unit(demand: JobDemand) -> str:
    if isinstance(demand.job, BatchInferenceJob):
        return "requests"
    return "tokens" if demand.job.tokens is not None else "gpu_hours"
