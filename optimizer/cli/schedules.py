"""``rentopt init``, ``validate`` and ``schema``: schedules to start from, and their faults."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optimizer.schedule.schedule import Schedule
    from providers.errors import Fault

SCHEMA_FILE = "schedule.schema.json"
"""The name that the first line of every starter points to."""


class FaultFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


class SchemaKind(StrEnum):
    SCHEDULE = "schedule"
    PLAN = "plan"
    ACTUALS = "actuals"
    SWEEP = "sweep"
    SCENARIOS = "scenarios"
    SIZE = "size"
    HEDGE = "hedge"
    SIMULATION = "simulation"


SCHEMAS = {
    SchemaKind.SCHEDULE: ("optimizer.schedule.schema", "schedule_schema_text"),
    SchemaKind.PLAN: ("optimizer.report.plan_schema", "plan_schema_text"),
    SchemaKind.ACTUALS: ("optimizer.replan.actuals", "actuals_schema_text"),
    SchemaKind.SWEEP: ("optimizer.sweep.document", "sweep_schema_text"),
    SchemaKind.SCENARIOS: ("optimizer.uncertainty.document", "scenarios_schema_text"),
    SchemaKind.SIZE: ("optimizer.report.size.document", "size_schema_text"),
    SchemaKind.HEDGE: ("optimizer.report.hedge_document", "hedge_schema_text"),
    SchemaKind.SIMULATION: ("optimizer.report.simulation_document", "simulation_schema_text"),
}
"""Where each is made; imported when asked for."""


def _complete_starter(incomplete: str) -> list[tuple[str, str]]:
    from optimizer.schedule.starters import SCENARIOS, STARTERS

    known = {**STARTERS, SCENARIOS: "what may come, for rentopt hedge"}
    return [(name, about) for name, about in known.items() if name.startswith(incomplete)]


def init(
    kind: Annotated[
        str,
        typer.Argument(
            help="What to start from; --list names all.", autocompletion=_complete_starter
        ),
    ] = "mixed",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write; - for standard output.",
            show_default="schedule.yaml, or scenarios.yaml",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Write the JSON Schema beside it, for editors.")
    ] = False,
    list_kinds: Annotated[bool, typer.Option("--list", help="List what to start from.")] = False,
) -> None:
    """Write a commented schedule, or list of scenarios, to start from."""
    from optimizer.schedule.schema import schedule_schema_text
    from optimizer.schedule.starters import SCENARIOS, STARTERS, starter

    if list_kinds:
        width = max(map(len, STARTERS))
        for name, about in STARTERS.items():
            typer.echo(f"{name:<{width}}  {about}")
        typer.echo(f"{SCENARIOS:<{width}}  no schedule: what may come, for rentopt hedge")
        return
    other = kind == SCENARIOS
    output = output or Path(f"{SCENARIOS}.yaml" if other else "schedule.yaml")
    text = starter(kind)
    if str(output) == "-":
        typer.echo(text, nl=False)
        return
    _write(output, text, force=force)
    if other:
        typer.echo(f"wrote {output}; next: rentopt hedge schedule.yaml {output}", err=True)
        return
    if schema:
        _write(output.parent / SCHEMA_FILE, schedule_schema_text(), force=True)
    typer.echo(f"wrote {output}; next: rentopt validate {output}", err=True)


def validate(
    paths: Annotated[list[Path], typer.Argument(help="Schedules to check (YAML).")],
    format: Annotated[
        FaultFormat,
        typer.Option("--format", help="text for people, json for programs, github for CI."),
    ] = FaultFormat.TEXT,
) -> None:
    """Check schedules: every fault, with its line and column. Exit code 2 if there is any."""
    from optimizer.schedule.load import load_schedule
    from providers.errors import DocumentError

    faults: list[Fault] = []
    sound: list[Schedule] = []
    for path in paths:
        try:
            sound.append(load_schedule(path))
        except DocumentError as error:
            faults += error.faults
    {
        FaultFormat.TEXT: _as_text,
        FaultFormat.JSON: _as_json,
        FaultFormat.GITHUB: _as_github,
    }[format](faults, sound)
    if faults:
        raise typer.Exit(2)


def schema(
    of: Annotated[
        SchemaKind,
        typer.Option(
            "--of",
            help="What you write (all but plan, size, hedge, simulation), or what these print.",
        ),
    ] = SchemaKind.SCHEDULE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output if not.")
    ] = None,
) -> None:
    """Print the JSON Schema of a document or a plan, for editors and other programs."""
    from importlib import import_module

    module, function = SCHEMAS[of]
    text = getattr(import_module(module), function)()
    if output is None or str(output) == "-":
        typer.echo(text, nl=False)
    else:
        _write(output, text, force=True)


def _write(path: Path, text: str, *, force: bool) -> None:
    from optimizer.report.files import write_atomically
    from providers.errors import RentoptError

    if path.exists() and not force:
        hint = "--force overwrites it, --output names another file"
        raise RentoptError(f"{path} is there already; {hint}")
    try:
        write_atomically(path, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RentoptError(f"{path} cannot be written: {reason}") from None


def _notes(sound: list[Schedule]) -> list[Fault]:
    return [note for schedule in sound for note in schedule.notes]


def _as_text(faults: list[Fault], sound: list[Schedule]) -> None:
    for fault in faults:
        typer.echo(f"rentopt: {fault}", err=True)
    for note in _notes(sound):
        typer.echo(f"rentopt: warning: {note}", err=True)
    for schedule in sound:
        number = len(schedule.document.workloads)
        workloads = f"{number} workload{'' if number == 1 else 's'}"
        days = f"{schedule.first_day} to {schedule.last_day}"
        typer.echo(f"{schedule.source}: sound; {workloads}, {days}, {schedule.currency}")


def _as_json(faults: list[Fault], sound: list[Schedule]) -> None:
    from dataclasses import asdict

    found = [{"severity": "error", **asdict(fault)} for fault in faults]
    found += [{"severity": "warning", **asdict(note)} for note in _notes(sound)]
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


def _as_github(faults: list[Fault], sound: list[Schedule]) -> None:
    """Workflow commands, which the platform shows beside the lines of a change."""
    for severity, found in (("error", faults), ("warning", _notes(sound))):
        for fault in found:
            place = {"file": fault.file, "line": fault.line, "col": fault.column}
            shown = ",".join(f"{key}={_escaped(str(v), ':,')}" for key, v in place.items() if v)
            text = f"{fault.path}: {fault.message}" if fault.path else fault.message
            hint = f"; hint: {fault.hint}" if fault.hint else ""
            typer.echo(f"::{severity} {shown}::{_escaped(text + hint)}")


def _escaped(text: str, also: str = "") -> str:
    for character in ("%", "\r", "\n", *also):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
