"""Which accelerator a provider means: by name, memory and form factor, never by name alone where
one name is sold in two sizes. A100 is not A800, a 4090 neither a 4090D nor the 48 GB card."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from functools import cache

from providers.hardware import Accelerator, UnknownHardwareError, accelerator_id, accelerators

_MODULES = ("H20", "B200", "B300", "GH200", "GB200", "MI300X", "Gaudi2")
"""Sold only as modules with links of their own: no id says so, and a provider's word for the form
cannot mean another card. An H200 is one too, unless it is the NVL."""

TOLERANCE = 0.07
"""Of the size on the box: marketplaces report 24564 MiB for 24 GB, 46068 MiB for 48 GB."""
_CONTRADICTION = 0.12
"""Between the size in a name and the size in a field."""

_NOISE = re.compile(
    r"\b(NVIDIA|TESLA|GEFORCE|AMD|INSTINCT|GPU|INTEL|HABANA|GRAPHICS|GENERATION|BLACKWELL|HBM\d?E?)\b"
)
_SERVER = re.compile(r"\b(?<=6000 )(BLACKWELL )?(SERVER EDITION|S)\b")
"""The passively cooled RTX PRO 6000; Vast writes ``RTX PRO 6000 S``."""
_MEMORY = re.compile(r"\b(\d{2,3})\s?G(?:I?B)?\b")
_FORM = re.compile(r"\b(SXM|PCIE|NVL|HGX|OAM)\d?\b")
_FORMS = {"HGX": "SXM", "OAM": ""}
_BUILD = re.compile(r"\b(NVLINK|SPOT|EXT|WS|WORKSTATION EDITION|PRO(?! ?6000)|(?<=H20 )3E)\b")
"""What a provider adds to the name that does not make it another card."""


def gpu_id(name: str, memory_gb: Decimal | float | None = None, form: str = "") -> str | None:
    """The id of the accelerator a provider sells, or None where no known card fits.

    Args:
        name: as the provider writes it: ``NVIDIA H100 80GB HBM3``, ``A100_80G``, ``nvidia_l40s``.
        memory_gb: memory of ONE card as the provider reports it; None where it does not.
        form: form factor the provider states in another field: ``SXM5``, ``pcie``, ``NVL``.
    """
    known = accelerators().get(name)
    if known and (not memory_gb or _nearest([known], float(memory_gb))):
        return name
    words = re.sub(r"[\s_\-/()+]+", " ", name.upper().replace("HBM3E", "HBM3")).strip()
    words = _SERVER.sub("SERVER", words)
    said_form = _form_of(words) or _form_of(form.upper())
    if not said_form and re.search(r"\bH100 80 ?GB HBM3\b", words):
        said_form = "SXM"  # how the driver names the SXM5 card; the PCIe one says so
    said_size = _MEMORY.search(words)
    size = float(memory_gb) if memory_gb else float(said_size[1]) if said_size else None
    if size and said_size and abs(size / float(said_size[1]) - 1) > _CONTRADICTION:
        return None  # "A100_80GB" with 40 GB: one of the two is wrong, or means something else
    bare = words
    for pattern in (_MEMORY, _FORM, _NOISE, _BUILD):
        bare = pattern.sub(" ", bare)
    bare = " ".join(bare.split())
    cards = _family(bare) or (_family(f"{bare} {size:.0f}GB") if size else [])
    if size is None:
        sizes = {card.memory_gb for card in cards}
        cards = cards if len(sizes) == 1 else []
    else:
        cards = _nearest(cards, size)
    return _of_form(cards, said_form)


def total_or_each(name: str, memory_gb: Decimal, gpus: int, form: str = "") -> str | None:
    """`gpu_id` where the provider does not say whether memory is of all cards or of each."""
    return gpu_id(name, memory_gb / gpus, form) or gpu_id(name, memory_gb, form)


def interconnect(gpu: str, gpus: int) -> str:
    """How the cards of one machine talk, as far as the card alone tells."""
    card = accelerators()[gpu]
    if gpus == 1:
        return "none"
    if card.nvlink_gb_s == 0:
        return "pcie"
    return "nvlink" if _form_of_card(card) == "SXM" else "unknown"


def _form_of(text: str) -> str:
    found = _FORM.search(text)
    return _FORMS.get(found[1], found[1]) if found else ""


def _form_of_card(card: Accelerator) -> str:
    found = re.search(r"SXM|PCIE|NVL", card.id.upper())
    if found:
        return found[0]
    return "SXM" if card.family in (*_MODULES, "H200") else ""


@cache
def _family(bare: str) -> list[Accelerator]:
    """All cards that share the name once size and form are taken off it."""
    try:
        card = accelerators()[accelerator_id(bare)]
    except UnknownHardwareError:
        return []
    base = card.family.removesuffix("-48G").removesuffix("-32G")
    sizes = [base, f"{base}-48G", f"{base}-32G"]
    if card.family == "RTXPRO6000":  # workstation and server editions differ in speed
        return [card]
    return [other for other in accelerators().values() if other.family in sizes]


def _nearest(cards: Iterable[Accelerator], size: float) -> list[Accelerator]:
    # A B300 has 288 GB on the box; providers list the 262 or 268 that can be used.
    off = {
        card.id: abs(size - card.memory_gb) / card.memory_gb / (1.4 if card.family == "B300" else 1)
        for card in cards
    }
    least = min(off.values(), default=1.0)
    near = [card for card in cards if off[card.id] == least]
    return near if least <= TOLERANCE else []


def _of_form(cards: list[Accelerator], form: str) -> str | None:
    if cards and cards[0].family in _MODULES:
        form = "SXM"
    fitting = [card for card in cards if _form_of_card(card) == form]
    if not fitting and not form:
        # Not said: unambiguous when one card has that name and size, or when only one of them
        # is what the name means by itself (H200: not the NVL).
        fitting = [card for card in cards if _form_of_card(card) != "NVL"] or cards
    if not fitting and form:
        fitting = [card for card in cards if not _form_of_card(card) and card.nvlink_gb_s == 0]
        fitting = fitting if form == "PCIE" else []
    if len(fitting) > 1:  # what the bare name stands for in the alias table: H800 is the SXM5
        with suppress(UnknownHardwareError):
            usual = accelerator_id(f"{fitting[0].family} {fitting[0].memory_gb:g}GB")
            fitting = [card for card in fitting if card.id == usual]
    return fitting[0].id if len(fitting) == 1 else None
