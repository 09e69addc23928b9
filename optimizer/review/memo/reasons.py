"""What the optimiser writes in English, in the memo's language where it is of a known kind."""

from __future__ import annotations

import re

from optimizer.review.memo.words import Lang, Words

_KINDS = {
    # why hardware cannot do a workload
    "not_allowed": r"not among the hardware the workload allows",
    "too_few": r"has (?P<has>\d+) GPUs?, the workload asks for (?P<asks>\d+)",
    "too_big": r"weights of (?P<size>\S+ GB) do not fit (?P<on>.+?) "
               r"\((?P<each>\S+ GB) each, (?P<room>\S+ GB) usable\)",
    "training": r"(?P<how>\S+) training of (?P<model>.+) takes (?P<size>\S+ GB) on each of "
                r"(?P<on>.+), which have (?P<room>\S+ GB) for it",
    "and_more": r"(?P<names>[^' ]+(?:, [^' ]+)*) and (?P<more>\d+) more",
    "other_stack": r"runs (?P<stack>\S+), the workload needs (?P<needs>\S+)",
    # why offers were left out
    "dominated": r"dominated by another offer",
    "confidence": r"low confidence",
    "no_use": r"no workload can use that node",
    "provider": r"provider not wanted",
    "region": r"region not wanted",
    "tier": r"tier not wanted",
    "model": r"purchase model not wanted",
    "spot": r"spot, and no workload allows it",
    "without": r"left out on request \(--without\)",
    # why there is no plan of a kind
    "runs_nowhere_more": r"'(?P<name>.+)' does not run on what is owned or may be bought; "
                         r"it needs (?P<kinds>.+) and (?P<more>\d+) more",
    "runs_nowhere": r"'(?P<name>.+)' does not run on what is owned or may be bought; "
                    r"it needs (?P<kinds>.+)",
    "too_late": r"'(?P<name>.+)' has load from (?P<first>\S+), and nothing for it is usable "
                r"before (?P<ready>\S+)",
    "owns_nothing": r"the schedule owns nothing and may buy nothing",
    # warnings
    "old": r"the price of (?P<sku>.+) is (?P<days>\d+) days old; renew it before signing",
    "doubtful": r"the price of (?P<sku>.+) is of low confidence",
    "modelled": r"speed is modelled, not measured, for (?P<names>.+); measure before committing",
    "no_tariff": r"no electricity price is given \(money\.electricity\): .+",
    "no_residual": r"no residual value is given \(money\.residual\): .+",
    "host_memory": r"(?P<sku>.+): its host has (?P<has>\S+) GB of memory, less than the "
                   r"(?P<needs>\S+) GB of its GPUs",
    "no_vat": r"(?P<sku>.+): its source does not say whether the price includes VAT",
}  # fmt: skip
"""Key of its text → how the optimiser writes it."""


def translated(words: Words, text: str) -> str | None:
    """The text in the memo's language; None: it is left in English, and must be marked so."""
    if words.lang is Lang.EN:
        return text
    for key, pattern in _KINDS.items():
        found = re.fullmatch(pattern, text)
        if found:
            return words(f"reason_{key}", **found.groupdict())
    return None
