"""Sweeps on a real local Ray cluster of two nodes that loses processes and a node on the way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ray_cluster import AXES
from sweeps import comparable, planned, sweep_of, write_sweep

from optimizer.sweep.backends import RayCluster
from providers.errors import RentoptError

HERE = Path(__file__).parent
MAIN = [sys.executable, "-c", "from optimizer.cli.main import main; main()"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ray")
    done = subprocess.run(
        [sys.executable, str(HERE / "ray_cluster.py"), str(folder)], capture_output=True,
        text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "found.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    rows, _, _ = planned(sweep_of(folder, AXES), folder / "r.db")
    return [comparable(row) for row in rows]


def test_a_killed_worker_of_a_cluster_loses_nothing(cluster, alone):
    assert cluster["workers"] == 2
    assert cluster["made"] == len(alone) == 12
    assert cluster["killed"] == 3
    assert cluster["rows"] == alone


def test_a_lost_node_of_a_cluster_loses_nothing(cluster, alone):
    assert cluster["survived"] == alone


def test_a_cluster_is_started_where_none_is_named(tmp_path):
    write_sweep(tmp_path, "  - {path: prices.rent, list: [0.5, 1]}\n")
    done = subprocess.run(
        [*MAIN, "sweep", "sweep.yaml", "--backend", "ray", "--workers", "2"], cwd=tmp_path,
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 cases of tiny.yaml (2 planned)" in done.stdout


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_an_address_where_no_cluster_answers_is_a_sentence(address):
    with pytest.raises(RentoptError, match=f"no Ray cluster answers at {address}"):
        RayCluster(address)
