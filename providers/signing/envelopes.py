"""Error envelopes: what an answer is by the error code in it, whatever its HTTP status.

Alibaba throttles with 400, Tencent refuses keys with 200, Huawei says "not sold" with 400.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from providers.http import Verdict


def code_of(document: object, path: tuple[str, ...]) -> str:
    """The error code below `path`; empty where there is none."""
    for step in path:
        document = document.get(step) if isinstance(document, Mapping) else None
    return document if isinstance(document, str) else ""


def by_code(
    *path: str, busy: str = "", refused: str = "", answer: str = ""
) -> Callable[[int, bytes], Verdict]:
    """A judge of answers by the error code below `path`.

    Args:
        busy: regular expression of codes that mean: later.
        refused: of codes that mean: not with this key.
        answer: of codes that answer the question, such as "not sold here".
    """
    verdicts = ((busy, Verdict.BUSY), (refused, Verdict.REFUSED), (answer, Verdict.ANSWER))

    def judge(_status: int, body: bytes) -> Verdict:
        try:
            code = code_of(json.loads(body), path)
        except (ValueError, RecursionError):
            return Verdict.AS_ITS_STATUS
        for pattern, verdict in verdicts:
            if code and pattern and re.match(pattern, code):
                return verdict
        return Verdict.AS_ITS_STATUS

    return judge
