"""Run by test_sweep_ray.py in a process of its own: sweeps on a real cluster of two Ray nodes.

The first case of one sweep kills the process that plans it; during the other, a node is taken away.
Prints what came of them as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import deadly
from ray.cluster_utils import Cluster
from sweeps import comparable, planned, sweep_of

from optimizer.sweep import backends
from optimizer.sweep.backends import RayCluster
from optimizer.sweep.document import PlanOptions
from optimizer.sweep.rows import Row

MEMORY = 100_000_000
AXES = "  - {path: prices.rent, grid: {start: 0.5, stop: 1.6, step: 0.1}}\n"


def killed_once(
    schedule: Any, book: Any, rent: Any, options: PlanOptions, checks: tuple[str, str]
) -> Row:
    """Every fourth case kills its process the first time; the node of a case leaves a mark."""
    folder = os.environ[deadly.MARKS]
    if deadly._mark(rent, folder) == 1 and int(rent * 10) % 4 == 1:
        deadly._die()
    return deadly._on_node(schedule, book, rent, options, checks)


def main(folder: Path) -> None:
    marks = folder / "marks"
    marks.mkdir()
    os.environ[deadly.MARKS] = str(marks)
    here = Path(__file__).parent
    os.environ["PYTHONPATH"] = os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": MEMORY}
    )
    other = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    ray_backend = RayCluster(cluster.address)
    backends._on_node = killed_once
    sweep = sweep_of(folder, AXES)
    rows, _, made = planned(sweep, folder / "killed.db", ray_backend)
    backends._on_node = deadly._on_node
    left: list[Any] = [other]

    class NodeLost:
        """The cluster, one node of which goes after the second row."""

        workers = ray_backend.workers

        def rows(self, *asked: Any) -> Any:
            for number, done in enumerate(ray_backend.rows(*asked)):
                yield done
                if number == 1 and left:
                    cluster.remove_node(left.pop())

    survived, _, _ = planned(sweep, folder / "lost.db", NodeLost())
    ray_backend.close()
    cluster.shutdown()
    found = {
        "workers": NodeLost.workers,
        "made": made,
        "killed": sum(path.stat().st_size > 1 for path in marks.iterdir()),
        "rows": [comparable(row or {}) for row in rows],
        "survived": [comparable(row or {}) for row in survived],
    }
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
