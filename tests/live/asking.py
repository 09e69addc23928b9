"""Asking a source, ours on loopback or the real one, and what our recording of it is like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from loopback import recorded
from shapes import Shapes, names_of, shapes_of
from sources import SOURCES

from providers.adapter import Snapshot
from providers.fx_sources import latest_rates
from providers.http import Http, Limits
from providers.live import Settings
from providers.registry import load_adapter

FX = "fx"
ALL = (*sorted(SOURCES), FX)
NEEDS_YES = {"autodl"}
"""Asked only by those who accepted its terms of use: RENTOPT_LIVE_ACCEPT=autodl."""


def askable(environment: Mapping[str, str]) -> list[str]:
    """The sources that have their keys, or need none."""
    accepted = environment.get("RENTOPT_LIVE_ACCEPT", "").split(",")
    return [
        name
        for name in ALL
        if name == FX
        or (
            (load_adapter(name).keyless or all(map(environment.get, load_adapter(name).variables)))
            and (name not in NEEDS_YES or name in accepted)
        )
    ]


def asked(name: str, settings: Settings) -> list[Snapshot]:
    if name == FX:
        return [latest_rates(settings).snapshot]
    if name in NEEDS_YES:
        settings = replace(settings, options={"accept_terms": "yes"})
    return list(load_adapter(name)(settings).fetch())


def of_recording(name: str) -> list[Snapshot]:
    """What our own server answers."""
    if name == FX:
        body = recorded("fx/eurofxref-daily.xml")
        return [Snapshot("https://ecb/stats/eurofxref/eurofxref-daily.xml", NOW, body)]
    source = SOURCES[name]
    with source.serving() as server:
        settings = Settings(
            base_url=server.base,
            regions=source.regions,
            environment=source.environment(),
            http=Http(Limits()),
            options=source.options,
        )
        return asked(name, settings)


NOW = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)


def both(name: str, live: list[Snapshot]) -> tuple[Shapes, Shapes]:
    """Shapes of our recording, and of a live answer in the names of our recording."""
    ours = of_recording(name)
    return shapes_of(ours), shapes_of(live, names_of(ours))
