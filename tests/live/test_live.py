"""The first day with internet: does each source still answer as our recordings say?

RENTOPT_LIVE=1 pytest tests/live -s
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from asking import askable, asked, both
from shapes import drift, news, to_json

from providers.http import Http
from providers.live import Settings

SHAPES = Path(__file__).parent / "shapes"


@pytest.mark.parametrize("name", askable(os.environ))
def test_a_live_answer_has_the_shape_of_our_recording(name):
    recorded, live = both(name, asked(name, Settings(environment=os.environ, http=Http())))
    SHAPES.mkdir(exist_ok=True)
    (SHAPES / f"{name}.json").write_text(to_json(live), encoding="utf-8")
    for path in news(recorded, live):
        print(f"{name}: not in our recording: {path}")
    found = [f"contract drift: {name}{said}" for said in drift(recorded, live)]
    print("\n".join(found))
    assert found == []
