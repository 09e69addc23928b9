"""The wheel carries its data: installed outside any checkout, it does the main job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built wheel installed into it, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    wheels = folder / "wheels"
    built = run(
        *pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, CHECKOUT, cwd=folder
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = wheels.glob("rentopt-*.whl")
    target = folder / "site"
    done = run(*pip, "install", "--no-deps", "--target", target, wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    return target


def rentopt(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from optimizer.cli.main import main; main()"
    return run(sys.executable, "-c", code, *arguments, cwd=cwd, PYTHONPATH=str(installed))


def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    code = "import optimizer, providers.bundled as b; print(optimizer.__file__, b.data_path())"
    told = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(installed))
    assert told.stdout.count(str(installed)) == 2, told.stdout + told.stderr


def test_a_starter_is_written_checked_planned_and_verified_from_an_empty_folder(
    installed: Path, tmp_path: Path
) -> None:
    written = rentopt(installed, tmp_path, "init", "training", "--output", "s.yaml")
    assert written.returncode == 0, written.stderr
    assert rentopt(installed, tmp_path, "validate", "s.yaml").returncode == 0
    planned = rentopt(
        installed, tmp_path, "plan", "s.yaml", "--format", "json", "--output", "plan.json"
    )
    assert planned.returncode == 0, planned.stderr
    verified = rentopt(installed, tmp_path, "verify", "plan.json", "s.yaml")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_installed_price_tables_are_the_ones_of_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    data = installed / "providers" / "_data"
    for path in sorted((CHECKOUT / "data").rglob("*.*")):
        assert (data / path.relative_to(CHECKOUT / "data")).read_bytes() == path.read_bytes(), path
