"""Renewing price tables: every source by itself, checked, published whole or not at all.

Sources are asked in threads that only fetch and parse; this thread alone writes to the store, one
transaction a source. So a source that hangs, fails or is killed with the process changes nothing.
"""

from __future__ import annotations

import os
import queue
import re
import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from providers.adapter import Adapter, ProviderTable, read_table
from providers.checks import HELD, judge
from providers.config import Config, RefreshConfig, credentials
from providers.errors import RentoptError
from providers.fx_sources import FoundRates, latest_rates, rate_history
from providers.http import FetchError, Http, Limits, MissingCredentialError, TurnedOffError
from providers.live import Settings
from providers.offers import Offer
from providers.registry import ADAPTERS, FILE_ADAPTERS, UnknownAdapterError, load_adapter

if TYPE_CHECKING:
    from providers.store import PriceStore, Published

FX = "fx"
"""Exchange rates are renewed with the prices, under this name."""
FIRST_RATES = timedelta(days=400)
"""How far back the rates of the first refresh reach: schedules of the last year need them."""
_SHORTEST_SECRET = 8
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL|_[AS]K$|(CLIENT|PROJECT)_ID$")
"""Of a variable."""


class Status(StrEnum):
    PUBLISHED = "published"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not asked: no key, turned off, or disabled in the settings."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source."""

    adapter: str
    status: Status
    seconds: float
    offers: int = 0
    rejected: int = 0
    added: int = 0
    changed: int = 0
    vanished: int = 0
    held_back: int = 0
    findings: tuple[str, ...] = ()
    error: str = ""
    run_id: int | None = None
    bug: str = ""
    """Traceback, where the fault is ours."""

    @property
    def changes(self) -> int:
        return self.added + self.changed + self.vanished


@dataclass(slots=True)
class Hooks:
    """What tests and progress bars put in place."""

    told: Callable[[str, str], None] = lambda adapter, step: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    http: Callable[[Limits, float], Http] = field(
        default=lambda limits, pause_s: Http(limits, pause_s=pause_s)
    )


def sources(named: Sequence[str], config: Config) -> list[str]:
    """The sources to ask: those named, else all that are enabled.

    Raises:
        UnknownAdapterError: a name is none.
    """
    live = [*sorted(set(ADAPTERS) - FILE_ADAPTERS), FX]
    for name in named:
        if name in FILE_ADAPTERS:
            raise UnknownAdapterError(f"'{name}' reads files; use: rentopt prices import")
        if name != FX:
            load_adapter(name)
    for name in config.providers:
        if name not in live:
            load_adapter(name)
    return list(dict.fromkeys(named)) or [n for n in live if config.provider(n).enabled]


def refresh(
    names: Sequence[str],
    store: PriceStore,
    config: Config,
    *,
    insist: Collection[str] = (),
    ungated: bool = False,
    hooks: Hooks | None = None,
) -> list[Outcome]:
    """Ask each source, check what it gives, publish it; in the order they answer.

    Args:
        insist: sources whose missing key is a failure, since the user named them.
        ungated: publish without the checks, for a table that a person has looked at.
    """
    hooks = hooks or Hooks()
    began = hooks.clock()
    end = began + config.refresh.deadline_minutes * 60
    started_at = hooks.now()
    rates_since = None if store.fx_table() else started_at.date() - FIRST_RATES
    arrived = _ask_all(names, config, hooks, rates_since)
    waiting = dict.fromkeys(names)
    outcomes = []
    while waiting:
        try:
            name, seconds, answer = arrived.get(timeout=max(0.0, end - hooks.clock()))
        except queue.Empty:
            break
        del waiting[name]
        hooks.told(name, "checking")
        settled = _attempt(
            _settle, name, seconds, answer, store, config, started_at, insist, ungated
        )
        fault = settled.exception()
        if isinstance(fault, KeyboardInterrupt | SystemExit):
            raise fault
        # A table that the checks or the store choke on is the fault of its own source only.
        outcome = (
            _failed(name, seconds, fault, store, config, started_at) if fault else settled.result()
        )
        hooks.told(name, outcome.status.value)
        outcomes.append(outcome)
    for name in waiting:
        error = f"no answer within {config.refresh.deadline_minutes:g} minutes"
        store.record_failure(name, error, started_at=started_at)
        hooks.told(name, Status.FAILED.value)
        outcomes.append(Outcome(name, Status.FAILED, hooks.clock() - began, error=error))
    return sorted(outcomes, key=lambda outcome: outcome.adapter)


Found = ProviderTable | FoundRates
Answer = Future[Found]
_P = ParamSpec("_P")
_T = TypeVar("_T")


def _attempt(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
    """What it gives or raises, for whoever asked to judge."""
    done: Future[_T] = Future()
    try:
        done.set_result(work(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001  nothing is swallowed: the caller looks
        done.set_exception(error)
    return done


def _ask_all(
    names: Sequence[str], config: Config, hooks: Hooks, rates_since: date | None
) -> queue.SimpleQueue[tuple[str, float, Answer]]:
    """Threads that ask the sources. They die with the process: a hanging source stops nothing."""
    wanted: queue.SimpleQueue[str] = queue.SimpleQueue()
    arrived: queue.SimpleQueue[tuple[str, float, Answer]] = queue.SimpleQueue()
    for name in names:
        wanted.put(name)

    def work() -> None:
        while True:
            try:
                name = wanted.get_nowait()
            except queue.Empty:
                return
            began = hooks.clock()
            hooks.told(name, "asking")
            answer = _attempt(_ask, name, config, hooks, rates_since)
            arrived.put((name, hooks.clock() - began, answer))

    for number in range(min(config.refresh.workers, len(names))):
        threading.Thread(target=work, name=f"source-{number}", daemon=True).start()
    return arrived


def _ask(name: str, config: Config, hooks: Hooks, rates_since: date | None) -> Found:
    how = config.provider(name)
    environment = credentials(how, name)
    settings = Settings(
        base_url=how.base_url,
        regions=how.regions,
        environment=environment,
        http=hooks.http(_limits(config.refresh), 0.0),
        options=how.options,
    )
    if name == FX:
        return rate_history(settings, rates_since) if rates_since else latest_rates(settings)
    kind = load_adapter(name)
    settings.http.pause_s = kind.pause_s if how.pause_s is None else how.pause_s
    adapter: Adapter = kind(settings)
    table = read_table(adapter)
    _refuse_secrets(table, _secrets(environment, how.credentials))
    return table


def _limits(asked: RefreshConfig) -> Limits:
    return Limits(
        connect_s=asked.connect_timeout_s,
        read_s=asked.read_timeout_s,
        answer_s=asked.answer_timeout_s,
    )


def _refuse_secrets(table: ProviderTable, secrets: Mapping[str, str]) -> None:
    """The last door before the store: clients hide secrets, and this makes sure of it.

    Raises:
        FetchError: an answer, an offer or a reason holds one.
    """
    for variable, value in secrets.items():
        content = value.encode(errors="surrogateescape")
        kept = any(content in s.body or value in s.address for s in table.snapshots)
        if kept or value in repr(table.offers) or value in repr(table.rejected):
            raise FetchError(f"{table.adapter}: an answer repeats {variable}; nothing was stored")


def _secrets(environment: Mapping[str, str], named: Collection[str]) -> dict[str, str]:
    """Variables of credentials, the longest value first."""
    found = {
        variable: value
        for variable, value in environment.items()
        if len(value) >= _SHORTEST_SECRET
        and (variable in named or _SECRET_NAME.search(variable.upper()))
    }
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def _without(text: str, secrets: Mapping[str, str]) -> str:
    """The text without secrets, and without what would command a terminal."""
    for value in secrets.values():
        text = text.replace(value, "[hidden]")
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _failed(
    name: str,
    seconds: float,
    error: BaseException,
    store: PriceStore,
    config: Config,
    started_at: datetime,
) -> Outcome:
    """Says why in the store too. A fault of ours may repeat anything, so its text is cleaned."""
    how = config.provider(name)
    try:
        environment: Mapping[str, str] = credentials(how, name)
    except RentoptError:  # then there was no other credential to repeat
        environment = os.environ
    secrets = _secrets(environment, how.credentials)
    known = isinstance(error, RentoptError)
    said = str(error) if known else f"a fault of rentopt: {type(error).__name__}: {error}"
    said = _without(" ".join(said.split()), secrets)
    store.record_failure(name, said, started_at=started_at)
    bug = "" if known else _without("".join(traceback.format_exception(error)), secrets)
    return Outcome(name, Status.FAILED, seconds, error=said, bug=bug)


def _settle(
    name: str,
    seconds: float,
    answer: Answer,
    store: PriceStore,
    config: Config,
    started_at: datetime,
    insist: Collection[str],
    ungated: bool,
) -> Outcome:
    error = answer.exception()
    if isinstance(error, MissingCredentialError | TurnedOffError) and name not in insist:
        return Outcome(name, Status.SKIPPED, seconds, error=str(error))
    if error is not None:
        return _failed(name, seconds, error, store, config, started_at)
    found = answer.result()
    if not isinstance(found, ProviderTable):
        added, count = store.add_rates(found.rates), len(found.rates)
        visit = ProviderTable(name, found.snapshot.observed_at, (found.snapshot,), (), ())
        run_id = store.publish(visit, started_at=started_at, note=found.fallback).run_id
        return Outcome(name, Status.PUBLISHED, seconds, offers=count, added=added, run_id=run_id)
    before = store.offers(as_of=found.observed_at, adapters=[name]).get(name, [])
    judged = judge(found, before, config.gates, _held_before(name, store))
    if judged.findings and not ungated:
        findings = tuple(_without(line, {}) for line in judged.findings)
        run_id = store.quarantine(found, findings, started_at=started_at)
        return Outcome(
            name,
            Status.QUARANTINED,
            seconds,
            offers=len(found.offers),
            rejected=len(found.rejected),
            findings=findings,
            run_id=run_id,
        )
    held = () if ungated else judged.held_back
    published = store.publish(found if ungated else judged.table, started_at=started_at)
    return published_outcome(name, published, seconds, judged.table, held=len(held))


def _held_before(name: str, store: PriceStore) -> list[Offer]:
    """The last believed prices of what the last table held back: a jump is none the less one
    because it was there yesterday too."""
    known = next((row for row in store.status() if row.adapter == name), None)
    if known is None or known.last_published is None:
        return []
    held = [r.row for r in store.rejected(known.last_published.id) if r.reason.startswith(HELD)]
    histories = (store.history(adapter=name, sku=sku) for sku in held)
    return [max(h, key=lambda change: change.valid_from).offer for h in histories if h]


def published_outcome(
    name: str, published: Published, seconds: float, table: ProviderTable | None, *, held: int = 0
) -> Outcome:
    """A published table in numbers; without `table` only the changes are known."""
    return Outcome(
        name,
        Status.PUBLISHED,
        seconds,
        offers=published.added + published.changed + published.unchanged,
        rejected=len(table.rejected) if table else 0,
        added=published.added,
        changed=published.changed,
        vanished=published.vanished,
        held_back=held,
        run_id=published.run_id,
    )


def exit_code(outcomes: Collection[Outcome]) -> int:
    """0: all that were asked are published; 4: none; 5: some are not."""
    asked = [outcome for outcome in outcomes if outcome.status is not Status.SKIPPED]
    published = sum(outcome.status is Status.PUBLISHED for outcome in asked)
    if not published:
        return 4
    return 0 if published == len(asked) else 5
