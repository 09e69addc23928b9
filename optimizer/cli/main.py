"""The `rentopt` command: its sub-commands, and what becomes of errors."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

from optimizer.cli import (
    assumptions,
    breakeven,
    diff,
    hardware,
    hedge,
    models,
    offers,
    plan,
    replan,
    review,
    schedules,
    sensitivity,
    simulate,
    size,
    sweep,
    verify,
    watch,
)
from optimizer.cli.prices import app as prices
from optimizer.milp.timed import solvers_at_work
from providers.errors import RentoptError

INTERRUPTED, TERMINATED = 130, 143

app = typer.Typer(
    name="rentopt",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which GPUs to rent, from whom, on which days, and which to buy.",
    epilog=(
        "Exit codes: 0 done; 1 a bug; 2 usage or a faulty document; 3 no plan exists; 4 prices "
        "missing or, with --strict, stale; 5 some price sources failed; 6 another refresh is at "
        "work; 7 a plan that does not hold; 8 the gap was not reached "
        "in time (--strict); 9 a watched decision flipped; 10 cases of a sweep were lost; 130 and "
        "143 interrupted."
    ),
)
app.command()(plan.plan)
app.command()(verify.verify)
app.command()(review.review)
app.command()(sensitivity.sensitivity)
app.command()(diff.diff)
app.command()(replan.replan)
app.command()(hedge.hedge)
app.command()(simulate.simulate)
app.command()(breakeven.breakeven)
app.command()(sweep.sweep)
app.command()(schedules.init)
app.command()(schedules.validate)
app.command()(schedules.schema)
app.command()(offers.offers)
app.command()(hardware.hardware)
app.command()(models.models)
app.command()(assumptions.assumptions)
app.command()(size.size)
app.command()(watch.watch)
app.add_typer(prices.app, name="prices")


def main() -> None:
    """The entry point: a user's mistake gets a sentence, a bug keeps its traceback."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except RentoptError as error:
        print(f"rentopt: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        _leave(INTERRUPTED)
    except SystemExit as ended:
        code = ended.code or 0
        if isinstance(code, int) and (code in (INTERRUPTED, TERMINATED) or solvers_at_work()):
            _leave(code)
        raise
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()
        raise SystemExit(0) from None


def _leave(code: int) -> NoReturn:
    """End at once. A solver may be at work in a thread of its own, and would abort the process if
    the interpreter were taken down around it; what must be undone was undone on the way here."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)
