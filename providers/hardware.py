"""Accelerators and nodes: what can be rented or bought, with the figures sizing needs."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from providers.bundled import data_path
from providers.errors import RentoptError


class UnknownHardwareError(RentoptError):
    """A GPU or node name that the hardware tables do not know."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One GPU, or one machine with memory shared by CPU and GPU. None: not known."""

    id: str
    vendor: str
    stack: str
    """Software it runs: cuda, rocm, metal, cann or habana."""
    memory_gb: float
    """Per GPU, decimal gigabytes as printed on the box."""
    bandwidth_gb_s: float | None
    fp16_tflops: float | None
    """Dense FP16/BF16 with FP32 accumulation."""
    fp8_tflops: float | None
    int8_tops: float | None
    tdp_w: float | None
    nvlink_gb_s: float
    """Both directions, between GPUs of one node; 0 without NVLink."""
    host_link_gb_s: float
    """One direction, to the host (PCIe); 0 for unified memory."""
    p2p: bool
    """Whether GPUs reach each other's memory over PCIe with the stock driver."""
    family: str
    """What people call it, whatever the form factor: A100, A800, RTX4090, M3Max."""
    source: str
    note: str

    @property
    def unified_memory(self) -> bool:
        return self.stack == "metal"


@dataclass(frozen=True, slots=True, order=True)
class NodeKind:
    """So many equal GPUs in one host. The unit of renting, buying and scheduling."""

    gpu: str
    """Id of an `Accelerator`."""
    count: int

    def __str__(self) -> str:
        return f"{self.count}x{self.gpu}"


_own: dict[str, Accelerator] = {}
"""Those of the user's own file, by id."""


def register(cards: Iterable[Accelerator]) -> None:
    """Make GPUs known beside the bundled ones, for as long as the process lives."""
    _own.update((card.id, card) for card in cards)
    accelerators.cache_clear()
    _aliases.cache_clear()


def is_bundled(name: str) -> bool:
    return name in _bundled()


@cache
def accelerators() -> dict[str, Accelerator]:
    """All known accelerators by id: the bundled ones, and those that were registered."""
    return _bundled() | _own


@cache
def _bundled() -> dict[str, Accelerator]:
    with data_path("hardware", "accelerators.csv").open(encoding="utf-8", newline="") as file:
        cards = [_accelerator(row) for row in csv.DictReader(file)]
    return {card.id: card for card in cards}


def _accelerator(row: dict[str, str]) -> Accelerator:
    def number(name: str) -> float | None:
        return float(row[name]) if row[name] else None

    return Accelerator(
        id=row["id"],
        vendor=row["vendor"],
        stack=row["stack"],
        memory_gb=float(row["memory_gb"]),
        bandwidth_gb_s=number("bandwidth_gb_s"),
        fp16_tflops=number("fp16_tflops"),
        fp8_tflops=number("fp8_tflops"),
        int8_tops=number("int8_tops"),
        tdp_w=number("tdp_w"),
        nvlink_gb_s=number("nvlink_gb_s") or 0.0,
        host_link_gb_s=number("host_link_gb_s") or 0.0,
        p2p=row["p2p"] == "yes",
        family=row["family"],
        source=row["source"],
        note=row["note"],
    )


@cache
def _aliases() -> dict[str, str]:
    names = {_squeeze(name): name for name in accelerators()}
    with data_path("hardware", "aliases.csv").open(encoding="utf-8", newline="") as file:
        names |= {_squeeze(row["alias"]): row["id"] for row in csv.DictReader(file)}
    return names


def _squeeze(name: str) -> str:
    """Case, blanks, dashes and the maker's name do not tell two products apart."""
    bare = re.sub(r"nvidia|geforce|tesla|apple", "", name.lower())
    return re.sub(r"[^a-z0-9.]", "", bare)


def accelerator_id(name: str) -> str:
    """The id for a name as people write it: ``4090``, ``RTX 4090``, ``A800``, ``H100 SXM``.

    Raises:
        UnknownHardwareError: with the nearest known names.
    """
    found = _aliases().get(_squeeze(name))
    if found is None:
        near = difflib.get_close_matches(_squeeze(name), _aliases(), n=3, cutoff=0.5)
        known = ", ".join(dict.fromkeys(_aliases()[item] for item in near))
        hint = f"; did you mean {known}?" if known else "; see `rentopt hardware`"
        raise UnknownHardwareError(f"'{name}' is no GPU in the hardware table{hint}")
    return found


def node_kind(text: str) -> NodeKind:
    """From ``8xA800``, ``2 x RTX 4090`` or ``H100`` (one GPU).

    Raises:
        UnknownHardwareError: the GPU is not in the hardware table, or the count is 0.
    """
    match = re.fullmatch(r"\s*(?:(\d+)\s*[x×*]\s*)?(.+?)\s*", text, re.IGNORECASE)
    if match is None or (match[1] is not None and int(match[1]) == 0):
        raise UnknownHardwareError(f"'{text}' is no node such as 8xA800 or 2xRTX4090")
    return NodeKind(accelerator_id(match[2]), int(match[1] or 1))


def in_family(gpu: str, wanted: str) -> bool:
    """Whether `gpu` (an id) is what `wanted` names: that very id, or any form of its family.

    A name with a memory size and no form factor, such as ``A100 80GB``, means every form of
    that size.
    """
    card, named = accelerators()[gpu], _aliases().get(_squeeze(wanted))
    if named == gpu or _squeeze(wanted) == _squeeze(card.family):
        return True
    if named != f"{card.family}-{card.memory_gb:g}GB":
        return False
    return accelerators()[named].family == card.family
