"""From a scenarios file to its scenarios, or to every fault in it, each with its place."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml.nodes import MappingNode

from optimizer.named import Named, UnknownNameError, find
from optimizer.schedule.explain import closest, explained, relevant
from optimizer.schedule.schedule import Schedule
from optimizer.uncertainty.document import MOST_SCENARIOS, ScenarioEntry, ScenariosDocument
from optimizer.uncertainty.generate import Change, Past, drawn, past_of
from optimizer.uncertainty.scenario import ALL, Outlook, Scenario
from providers import yaml_text
from providers.errors import DocumentError, Fault
from providers.offers import OfferBook
from providers.stored import rent_changes
from providers.yaml_text import Kind, Source

NEARLY_ALL = Decimal("0.001")
"""By how much probabilities may miss 1, so that 33.3 % may be written three times."""
_KIND = Kind(
    noun="list of scenarios",
    if_large="a list of scenarios is a few kilobytes; `generated` draws many in one line",
    if_empty="`rentopt init scenarios` writes one to start from",
)


@dataclass(frozen=True, slots=True)
class ScenarioSet:
    """A sound scenarios document, and where it came from."""

    document: ScenariosDocument
    source: Source
    sha256: str
    folder: Path

    @property
    def title(self) -> str:
        return self.document.name or Path(self.source.name).name

    def past(self, book: OfferBook, store_url: str = "") -> Past | None:
        """How rents moved before the book's day; None where the scenarios are written.

        Args:
            store_url: the price store the book was read from, with what it knew then.

        Raises:
            DocumentError: the document's price history is faulty, or too short to show a move.
            StoreError: the store is damaged, or of a newer version.
        """
        asked = self.document.generated
        if asked is None:
            return None
        stored: list[Change] = []
        if asked.prices is None and store_url and book.known_at is not None:
            stored = rent_changes(store_url, book.as_of, book.known_at)
        return past_of(asked, self.folder, stored, book.as_of)

    def scenarios(
        self, schedule: Schedule, book: OfferBook, past: Past | None = None
    ) -> tuple[Scenario, ...]:
        """The scenarios for one schedule and one book of prices.

        Args:
            past: what they are drawn from, if they are; without a price store when left out.

        Raises:
            DocumentError: a name that neither knows, or a day outside the schedule.
        """
        faults = list(_against(self.source, self.document, schedule))
        found = []
        whole = sum((Decimal(str(e.probability)) for e in self.document.scenarios), Decimal(0))
        for number, entry in enumerate(self.document.scenarios):
            rent: list[tuple[Named | None, Decimal]] = []
            for name, factor in entry.rent.items():
                try:
                    rent.append((None if name == ALL else _rented(name, book), factor))
                except UnknownNameError as error:
                    message, _, hint = str(error).partition("; ")
                    path = ("scenarios", number, "rent", name)
                    faults.append(self.source.fault(path, message, hint, at_key=True))
            found.append(
                Scenario(
                    entry.name,
                    Decimal(str(entry.probability)) / whole if whole else Decimal(0),
                    tuple(rent),
                    tuple(entry.purchase.items()),
                    tuple(entry.load.items()),
                    tuple(entry.delay.items()),
                    entry.interruptions,
                    entry.residual,
                )
            )
        if faults:
            raise DocumentError(_ordered(faults))
        if self.document.generated is not None:
            return drawn(
                self.document.generated, past or past_of(self.document.generated, self.folder)
            )
        return tuple(found)

    def outlook(
        self, name: str, schedule: Schedule, book: OfferBook, past: Past | None = None
    ) -> Outlook:
        """One scenario by its name.

        Raises:
            UnknownNameError: there is no such scenario.
        """
        known = {scenario.name: scenario for scenario in self.scenarios(schedule, book, past)}
        if name not in known:
            hint = closest(name, known) or f"there are {', '.join(known)}"
            raise UnknownNameError(f"{self.title} has no scenario '{name}'; {hint}")
        return Outlook(name, (known[name],), self.document.known_from)


def load_scenarios(path: Path) -> ScenarioSet:
    """The document in a YAML file.

    Raises:
        DocumentError: with every fault found that can be seen without a schedule.
    """
    try:
        with path.open("rb") as file:
            content = file.read(yaml_text.MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DocumentError([Fault(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    root = yaml_text.compose(content, str(path), _KIND)
    if not isinstance(root, MappingNode):
        place = yaml_text.place_of(root)
        message = "expected a mapping with `rentopt_scenarios: 1`, `known_from:` and `scenarios:`"
        raise DocumentError([Fault(str(path), place.line, place.column, "", message)])
    source = yaml_text.build(root, str(path))
    faults = list(source.faults)
    try:
        document = ScenariosDocument.model_validate(source.data)
    except ValidationError as error:
        errors = relevant(error.errors(include_url=False), source.data)
        faults += [explained(e, source, source.data, ScenariosDocument) for e in errors]
        raise DocumentError(_ordered(faults)) from None
    faults += _sound(source, document)
    if faults:
        raise DocumentError(_ordered(faults))
    return ScenarioSet(document, source, hashlib.sha256(content).hexdigest(), path.parent)


def _sound(source: Source, document: ScenariosDocument) -> Iterator[Fault]:
    """What is wrong with the document as a whole."""
    entries = document.scenarios
    if bool(entries) == (document.generated is not None):
        message = "expected `scenarios` or `generated`, found " + ("both" if entries else "neither")
        yield source.fault(("generated",) if entries else (), message)
        return
    if len(entries) > MOST_SCENARIOS:
        message = f"{len(entries)} scenarios, at most {MOST_SCENARIOS} are planned"
        yield source.fault(("scenarios",), message)
    names = [entry.name for entry in entries]
    for number, entry in enumerate(entries):
        if Counter(names[:number])[entry.name]:
            message = f"two scenarios are called '{entry.name}'"
            yield source.fault(("scenarios", number, "name"), message, "give each its own name")
        if not entry.probability:
            path = ("scenarios", number, "probability")
            yield source.fault(path, "a scenario with probability 0 never comes", "leave it out")
    whole = sum((Decimal(str(entry.probability)) for entry in entries), Decimal(0))
    if entries and abs(whole - 1) > NEARLY_ALL:
        message = f"the probabilities add up to {float(whole * 100):.10g} %, expected 100 %"
        yield source.fault(("scenarios",), message, _missing(whole))


def _missing(whole: Decimal) -> str:
    short = float(abs(1 - whole) * 100)
    return f"{short:.10g} % {'is missing' if whole < 1 else 'too much'}"


def _rented(name: str, book: OfferBook) -> Named:
    """What rents a name moves.

    Raises:
        UnknownNameError: it stands for nothing, or for a token API.
    """
    named = find(name, book)
    if named.sort in ("tokens", "token API"):
        raise UnknownNameError(f"'{name}' is paid by the token; only rents of nodes move")
    return named


def _against(source: Source, document: ScenariosDocument, schedule: Schedule) -> Iterator[Fault]:
    """What does not fit the schedule."""
    first, last = schedule.first_day, schedule.last_day
    if not first < document.known_from <= last:
        message = f"{document.known_from} is not after the schedule's first day, {first}"
        if document.known_from > last:
            message = f"{document.known_from} is after the schedule's last day, {last}"
        yield source.fault(("known_from",), message, "nothing would be open, or nothing agreed")
    workloads = [workload.name for workload in schedule.document.workloads]
    nodes = [item.node for item in schedule.document.hardware.buy]
    for number, entry in enumerate(document.scenarios):
        for key, known, what in (
            ("load", workloads, "workload"),
            ("purchase", nodes, "node to buy"),
            ("delay", nodes, "node to buy"),
        ):
            yield from _names(source, number, entry, key, known, what)


def _names(
    source: Source, number: int, entry: ScenarioEntry, key: str, known: list[str], what: str
) -> Iterator[Fault]:
    for name in getattr(entry, key):
        if name not in (ALL, *known):
            hint = closest(name, [ALL, *known]) or f"there are {', '.join([ALL, *known])}"
            message = f"there is no {what} '{name}' in the schedule"
            yield source.fault(("scenarios", number, key, name), message, hint, at_key=True)


def _ordered(faults: list[Fault]) -> list[Fault]:
    return sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column, str(fault)))
