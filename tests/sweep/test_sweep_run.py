"""Running a sweep: what is kept, what is planned again, and what a lost process costs."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal

import deadly
import pytest
from sweeps import DAY, FAST, comparable, kept_rows, planned, sweep_of, write_sweep

from optimizer.api import prices_for
from optimizer.sweep import backends
from optimizer.sweep.backends import Processes
from optimizer.sweep.cases import Cases, PriceChoice, book_digest
from optimizer.sweep.results import open_results
from optimizer.sweep.rows import FAILED, FAULTY, NONE, PLANNED, with_rents
from optimizer.sweep.run import count, kept_of, run
from providers.errors import RentoptError

RENTS = "  - {path: prices.rent, name: rent, list: [0.5, 1, 4]}\n"
MAIN = [sys.executable, "-c", "from optimizer.cli.main import main; main()"]


@pytest.fixture
def command(tmp_path):
    def runs(*arguments):
        return subprocess.run(
            [*MAIN, "sweep", "sweep.yaml", *map(str, arguments)], capture_output=True, text=True,
            cwd=tmp_path, timeout=300,
        )  # fmt: skip

    return runs


def test_each_case_is_the_plan_of_its_schedule_and_prices(tmp_path):
    rows, _, _ = planned(sweep_of(tmp_path, RENTS), tmp_path / "r.db")
    half, one, four = (Decimal(row["npv"]) for row in rows)
    assert [row["status"] for row in rows] == [PLANNED] * 3
    assert half * 2 == pytest.approx(one, rel=Decimal("0.01"))
    assert rows[1]["bought"] == {}
    assert rows[2]["bought"] == {"2xRTX4090": 2}
    assert four < Decimal(rows[2]["rent_npv"])
    for row in rows:
        assert sum(map(Decimal, row["cost"].values())) == pytest.approx(
            Decimal(row["npv"]), abs=Decimal("0.0001")
        )
        assert Decimal(row["bound"]) <= Decimal(row["npv"])
    assert rows[0]["providers"]


def test_a_second_run_plans_only_what_is_new(tmp_path):
    results = tmp_path / "r.db"
    first, _, _ = planned(sweep_of(tmp_path, RENTS), results)
    again, kept, made = planned(sweep_of(tmp_path, RENTS), results)
    assert (kept, made) == (3, 0)
    assert again == first
    wider = sweep_of(tmp_path, RENTS.replace("[0.5, 1, 4]", "[4, 2, 1.0, 0.50]"))
    rows, kept, made = planned(wider, results)
    assert (kept, made) == (2, 2)
    assert rows[0] == first[2]
    assert comparable(rows[2]) == comparable(first[1])


def test_what_a_result_depends_on_is_in_its_key(tmp_path):
    def key(axes=RENTS, more=FAST, edit="", price=Decimal(1)):
        write_sweep(tmp_path, axes, more)
        with (tmp_path / "tiny.yaml").open("a", encoding="utf-8") as file:
            file.write(edit)
        from optimizer.sweep.load import load_sweep

        found = load_sweep(tmp_path / "sweep.yaml")
        cases = Cases(found, PriceChoice(DAY, exactly=True, store=""))
        edits = next(found.cases())
        made = cases.case(0, edits)
        if price != 1:
            digest = book_digest(with_rents(cases.books[made.book_digest], price))
            cases._digests = dict.fromkeys(cases._digests, digest)
            made = cases.case(0, edits)
        return made.key

    same = key()
    assert key() == same
    assert key(axes=RENTS.replace("name: rent", "name: other")) == same
    others = [
        key(edit="# a remark\n"),
        key(axes=RENTS.replace("0.5", "0.6")),
        key(more=FAST.replace("1 %", "2 %")),
        key(more=FAST.replace("false", "true")),
        key(price=Decimal("1.01")),
    ]
    assert len({same, *others}) == 6


def test_a_case_without_a_plan_is_a_row_with_its_reason(tmp_path):
    axes = """  - {path: market.rent, list: [true, false]}
  - {path: horizon.days, list: [7 days, 5 days]}
  - {path: workloads.assistant.phases.0.end, list: [2026-12-05, 2026-12-07]}
"""
    rows, _, _ = planned(sweep_of(tmp_path, axes), tmp_path / "r.db")
    assert [row["status"] for row in rows] == [
        PLANNED, PLANNED, PLANNED, FAULTY, NONE, NONE, NONE, FAULTY,
    ]  # fmt: skip
    assert "outside the horizon" in rows[3]["reason"]
    assert "'tune'" in rows[4]["reason"]


def test_prices_of_several_days_are_an_axis(tmp_path):
    axes = "  - {path: prices.as_of, list: [2026-11-01, 2026-11-22]}\n"
    rows, _, _ = planned(sweep_of(tmp_path, axes), tmp_path / "r.db")
    assert [row["as_of"] for row in rows] == ["2026-11-01", "2026-11-22"]


def test_rents_move_with_their_upfront_and_tokens_stay(tmp_path):
    found = sweep_of(tmp_path, RENTS)
    book = prices_for(found.schedule, DAY, store="")
    twice = with_rents(book, Decimal(2))
    assert with_rents(book, Decimal(1)) is book
    assert twice.token_offers == book.token_offers
    assert all(
        (new.price, new.upfront) == (old.price * 2, old.upfront * 2)
        for new, old in zip(twice.offers, book.offers, strict=True)
    )


def test_a_break_even_rent_is_there_when_asked_for(tmp_path):
    more = FAST.replace("false", "true")
    rows, _, _ = planned(sweep_of(tmp_path, RENTS, more), tmp_path / "r.db")
    assert rows[0]["breakeven_of"].startswith("buy 2xRTX4090 against ")
    assert 1 < Decimal(rows[0]["breakeven_rent"]) < 10


def test_processes_give_the_rows_that_one_alone_gives(tmp_path):
    axes = RENTS + "  - {path: load, list: [0.5, 1]}\n"
    alone, _, _ = planned(sweep_of(tmp_path, axes), tmp_path / "one.db")
    found, _, made = planned(sweep_of(tmp_path, axes), tmp_path / "two.db", Processes(2))
    assert made == 6
    assert list(map(comparable, found)) == list(map(comparable, alone))


@pytest.fixture
def marks(tmp_path, monkeypatch):
    """A folder that the processes of a fresh pool know of."""
    from joblib.externals.loky import get_reusable_executor

    folder = tmp_path / "marks"
    folder.mkdir()
    get_reusable_executor().shutdown(wait=True)
    monkeypatch.setenv(deadly.MARKS, str(folder))
    yield folder
    get_reusable_executor().shutdown(wait=True)


def test_a_killed_worker_loses_nothing(tmp_path, monkeypatch, marks):
    monkeypatch.setattr(backends, "_from_shelf", deadly.once)
    axes = "  - {path: prices.rent, grid: {start: 0.5, stop: 1.6, step: 0.1}}\n"
    rows, _, made = planned(sweep_of(tmp_path, axes), tmp_path / "r.db", Processes(2))
    assert [row["status"] for row in rows] == [PLANNED] * 12
    assert made == 12
    assert all(deadly.started(marks)[number] >= 2 for number in (1, 5, 9))


def test_a_case_that_always_takes_its_process_down_does_not_take_others_with_it(
    tmp_path, monkeypatch, marks
):
    monkeypatch.setattr(backends, "_from_shelf", deadly.always)
    axes = "  - {path: prices.rent, grid: {start: 0.5, stop: 1.1, step: 0.1}}\n"
    found = sweep_of(tmp_path, axes)
    rows, _, _ = planned(found, tmp_path / "r.db", Processes(2))
    assert [row["status"] for row in rows] == [*[PLANNED] * 2, FAILED, *[PLANNED] * 4]
    assert "its process ended" in rows[2]["reason"]
    assert deadly.started(marks)[2] == backends.TRIES
    monkeypatch.undo()
    rows, kept, made = planned(found, tmp_path / "r.db")
    assert (kept, made) == (6, 1)
    assert rows[2]["status"] == PLANNED


class Interrupted:
    """A back end that Ctrl-C stops after some cases."""

    workers = 1

    def __init__(self, after):
        self.after = after

    def rows(self, cases, books, options):
        for number, done in enumerate(backends.Here().rows(cases, books, options)):
            if number == self.after:
                raise KeyboardInterrupt
            yield done


def test_what_was_finished_before_ctrl_c_stays(tmp_path):
    found = sweep_of(tmp_path, RENTS)
    with pytest.raises(KeyboardInterrupt):
        planned(found, tmp_path / "r.db", Interrupted(2))
    assert len(kept_rows(tmp_path / "r.db")) == 2
    _, kept, made = planned(found, tmp_path / "r.db")
    assert (kept, made) == (2, 1)


@pytest.mark.parametrize("written", [True, False])
def test_what_is_kept_is_counted_truly_wherever_ctrl_c_comes(tmp_path, monkeypatch, written):
    cases = Cases(sweep_of(tmp_path, RENTS), PriceChoice(DAY, exactly=True, store=""))
    with open_results(tmp_path / "r.db") as results:
        counted, put = count(cases, results), results.put

        def interrupted(key, row):
            if len(counted.tally.planned) == 1 or written:
                put(key, row)
            if len(counted.tally.planned) == 2:
                raise KeyboardInterrupt

        monkeypatch.setattr(results, "put", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(cases, results, backends.Here(), counted)
        assert kept_of(counted.tally, results) == len(kept_rows(tmp_path / "r.db")) == 1 + written


def test_a_bug_stops_the_sweep_and_keeps_what_was_finished(tmp_path):
    class Broken(Interrupted):
        def rows(self, cases, books, options):
            yield next(iter(backends.Here().rows(cases, books, options)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        planned(sweep_of(tmp_path, RENTS), tmp_path / "r.db", Broken(1))
    assert len(kept_rows(tmp_path / "r.db")) == 1


def test_a_file_of_something_else_is_not_touched(tmp_path):
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(RentoptError, match="no file of sweep results"), open_results(other):
        pass
    (tmp_path / "text.db").write_text("not a database, however long it may be\n" * 40)
    with pytest.raises(RentoptError, match="cannot be used"), open_results(tmp_path / "text.db"):
        pass
    with pytest.raises(RentoptError, match="no folder"), open_results(tmp_path / "no" / "r.db"):
        pass
    assert other.read_bytes() == before


def test_the_first_note_of_a_name_stays(tmp_path):
    with open_results(tmp_path / "r.db") as kept:
        assert kept.noted("as_of", "2026-11-22") == "2026-11-22"
        assert kept.noted("as_of", "2026-11-23") == "2026-11-22"


def test_workers_leave_cores_to_each_other(tmp_path):
    """A second thread count in one process is what HiGHS refuses: it saw the first one."""
    from optimizer.sweep.document import PlanOptions
    from optimizer.sweep.rows import solve_options

    assert solve_options(PlanOptions(), threads=1).threads == 1
    code = (
        "from datetime import timedelta; import time\n"
        "from optimizer.milp.solver import SolveOptions, run_solver\n"
        "from optimizer.milp.linear_model import LinearModel\n"
        "m = LinearModel(); m.column('x', upper=3.0, cost=-1.0, whole=True)\n"
        "for s in ('HIGHS', 'GSCIP', 'CP_SAT'):\n"
        "    raw = run_solver(m, SolveOptions(solver=s, threads=1), time.monotonic() + 60)\n"
        "    print(s, raw.objective)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:3] == ["HIGHS -3.0", "GSCIP -3.0", "CP_SAT -3.0"], done.stderr


# -- the command -----------------------------------------------------------------------------


def test_the_command_plans_shows_and_goes_on_where_it_stopped(tmp_path, command):
    write_sweep(tmp_path, RENTS)
    done = command("--workers", 1, "--as-of", DAY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tiny.yaml: 3 cases of tiny.yaml (3 planned)\n")
    assert "buying something is best in 1 of 3 plans" in done.stdout
    assert "rentopt: 3 of 3 cases\n" in done.stderr
    again = command("--workers", 1, "--as-of", DAY, "--format", "json")
    assert again.stderr == "rentopt: all 3 cases were finished before\n"
    body = json.loads(again.stdout)
    assert [case["axes"]["rent"] for case in body["cases"]] == ["0.5", 1, 4]
    assert [case["status"] for case in body["cases"]] == ["planned"] * 3


def test_a_dry_run_counts_and_estimates_and_keeps_what_it_planned(tmp_path, command):
    write_sweep(tmp_path, RENTS)
    done = command("--dry-run", "--as-of", DAY, "--workers", 2)
    assert done.stdout.startswith("3 cases: 0 finished, 3 to plan\nabout ")
    assert "with 2 at a time" in done.stdout
    assert len(kept_rows(tmp_path / "sweep.results.db")) == 2
    assert command("--dry-run", "--as-of", DAY).stdout.startswith("3 cases: 2 finished, 1 to plan")


def test_a_sweep_taken_up_again_keeps_the_prices_of_its_first_day(tmp_path, command):
    write_sweep(tmp_path, RENTS)
    with open_results(tmp_path / "sweep.results.db") as kept:
        kept.noted("as_of", "2026-05-04")
        kept.noted("known_at", "2026-05-04T12:00:00+00:00")
    done = command("--workers", 1, "--format", "csv")
    assert "rentopt: going on with the prices of 2026-05-04" in done.stderr
    assert done.stdout.count(",2026-05-04,") == 3


def test_a_case_can_be_written_and_planned_by_itself(tmp_path, command):
    write_sweep(tmp_path, "  - {path: workloads.assistant.phases.0.users, list: [40, 80]}\n")
    assert command("--write-case", 2, "-o", "case.yaml").returncode == 0
    rows, _, _ = planned(sweep_of(tmp_path, "  - {path: load, list: [2]}\n"), tmp_path / "r.db")
    planned_alone = subprocess.run(
        [*MAIN, "plan", "case.yaml", "--as-of", str(DAY), "--format", "json", "--no-breakeven",
         "--gap", "1%"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    npv = Decimal(json.loads(planned_alone.stdout)["npv"])
    assert npv == pytest.approx(Decimal(rows[0]["npv"]), rel=Decimal("0.01"))
    assert command("--write-case", 3).returncode == 2


def test_ctrl_c_ends_all_processes_and_says_what_is_kept(tmp_path):
    write_sweep(tmp_path, "  - {path: prices.rent, grid: {start: 0.5, stop: 5, steps: 400}}\n")
    process = subprocess.Popen(
        [*MAIN, "sweep", "sweep.yaml", "--workers", "2"], cwd=tmp_path, text=True,
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    for line in process.stderr:
        if re.search(r"[1-9][0-9]* of 400", line):
            break
    os.killpg(process.pid, signal.SIGINT)
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 130
    said = re.search(r"rentopt: ([0-9]+) of 400 cases are kept in sweep\.results\.db", rest)
    assert said, rest
    assert "Traceback" not in rest
    assert len(kept_rows(tmp_path / "sweep.results.db")) == int(said[1])
    assert _gone(process.pid)


def _gone(session: int) -> bool:
    """Whether no process of a session is left, after a minute at most."""
    for _ in range(600):
        found = subprocess.run(
            ["ps", "-o", "stat=", "--sid", str(session)], capture_output=True, text=True
        ).stdout.split()
        if all(state.startswith("Z") for state in found):
            return True
        time.sleep(0.1)
    return False


def test_wrong_calls_are_told_before_anything_is_planned(tmp_path, command):
    write_sweep(tmp_path, RENTS)
    for arguments, said in (
        (("--format", "parquet"), "parquet needs a file"),
        (("--address", "auto"), "is of --backend ray"),
        (("--chart", "picture.bmp"), "ends in none of svg, png, pdf, txt"),
        (("--chart", "no/such/place.svg"), "no folder"),
    ):
        done = command(*arguments)
        assert done.returncode == 2
        assert said in " ".join(done.stderr.split()), done.stderr
    assert not (tmp_path / "sweep.results.db").exists()


def test_a_count_knows_the_faulty_cases_before_the_run(tmp_path):
    axes = """  - {path: horizon.days, list: [7 days, 5 days]}
  - {path: workloads.assistant.phases.0.end, list: [2026-12-05, 2026-12-07]}
"""
    found = sweep_of(tmp_path, axes)
    with open_results(tmp_path / "r.db") as kept:
        cases = Cases(found, PriceChoice(DAY, exactly=True, store=""))
        counted = count(cases, kept)
        assert (counted.tally.total, counted.tally.kept) == (4, 1)
        rows = run(cases, kept, backends.Here(), counted, at_most=1)
        assert [row and row["status"] for row in rows] == [PLANNED, None, None, FAULTY]
