"""GPU names as providers write them, with what else they say of the card."""

from __future__ import annotations

from decimal import Decimal

import pytest

from providers.gpu_names import gpu_id, interconnect, total_or_each
from providers.hardware import accelerators

MIB = 1 / 1024


@pytest.mark.parametrize(
    ("name", "memory", "form", "expected"),
    [
        ("NVIDIA H100 80GB HBM3", 80, "", "H100-SXM5-80GB"),
        ("H100 SXM", 81559 * MIB, "", "H100-SXM5-80GB"),
        ("H100-PCIe", 80, "", "H100-PCIe-80GB"),
        ("H100 NVL", 95830 * MIB, "", "H100-NVL-94GB"),
        ("H100", 94, "", "H100-NVL-94GB"),
        ("H100", 80, "", "H100-80GB"),
        ("H100_80GB", 80, "SXM5", "H100-SXM5-80GB"),
        ("H100_sxm5", 80, "sxm5", "H100-SXM5-80GB"),
        ("H200", 141, "", "H200-141GB"),
        ("NVIDIA H200 NVL", 143771 * MIB, "", "H200-NVL-141GB"),
        ("H20", 96, "", "H20-96GB"),
        ("H20", 141, "", "H20-141GB"),
        ("H800", 80, "", "H800-SXM5-80GB"),
        ("A100", None, "", None),
        ("A100 (40 GB SXM4)", None, "", "A100-SXM4-40GB"),
        ("A100 (80 GB SXM4)", None, "", "A100-SXM4-80GB"),
        ("NVIDIA A100 80GB PCIe", 80, "", "A100-PCIe-80GB"),
        ("A100-80G-PCIe-NVLink", None, "", "A100-PCIe-80GB"),
        ("A100_80G", 80, "pcie", "A100-PCIe-80GB"),
        ("A100-80GB", 80, "", "A100-80GB"),
        ("A100 PCIE", 40960 * MIB, "", "A100-PCIe-40GB"),
        ("A800 PCIE", 81920 * MIB, "", "A800-PCIe-80GB"),
        ("A800-SXM4-80GB", None, "", "A800-SXM4-80GB"),
        ("A800", 40, "", None),
        ("A100_80GB", 40, "", None),
        ("A100-80GB", 81559 * MIB, "", "A100-80GB"),
        ("NVIDIA GeForce RTX 4090", 24, "", "RTX4090"),
        ("RTX 4090", 24564 * MIB, "", "RTX4090"),
        ("RTX 4090", 49140 * MIB, "", "RTX4090-48G"),
        ("RTX4090", 48, "", "RTX4090-48G"),
        ("RTX4090", 24, "", "RTX4090"),
        ("RTX 4090D", 24564 * MIB, "", "RTX4090D"),
        ("4090D", 48, "", "RTX4090D-48G"),
        ("RTX 4090", None, "", None),
        ("RTX 4090 D", 24, "", "RTX4090D"),
        ("RTX 5090 D", 32, "", None),
        ("RTX 6000D", 84, "", None),
        ("vGPU-48GB", 48, "", "RTX4090-48G"),
        ("vGPU-48GB-350W", 48, "", None),
        ("vGPU-32GB", 32, "", "RTX4080S-32G"),
        ("vGPU-48GB", 24, "", None),
        ("H20-NVLink", 96, "", "H20-96GB"),
        ("H20-NVLink", 141, "", "H20-141GB"),
        ("A100-PCIE-40GB", 40, "", "A100-PCIe-40GB"),
        ("V100-32GB", 32, "", "V100-SXM2-32GB"),
        ("V100S", 32, "", None),
        ("Ascend 910B", 64, "", "Ascend910B-64GB"),
        ("RTX 3090 Ti", 24, "", "RTX3090Ti"),
        ("nvidia_l40s", 48, "", "L40S"),
        ("L4", 22888 * MIB, "", "L4"),
        ("A40", 46068 * MIB, "", "A40"),
        ("A10 (24 GB PCIe)", None, "", "A10"),
        ("B300 SXM6 262GB", 262, "", "B300-288GB"),
        ("B200", 180, "", "B200-180GB"),
        ("GH200", 96, "pcie", "GH200-96GB"),
        ("V100 (16 GB)", None, "", "V100-SXM2-16GB"),
        ("Tesla V100", 32, "", "V100-SXM2-32GB"),
        ("V100 PCIe", 16, "", None),
        ("RTX PRO 6000 S", 97887 * MIB, "", "RTXPRO6000-BSE"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 96, "", "RTXPRO6000-BSE"),
        ("RTX PRO 6000 WS", 97887 * MIB, "", "RTXPRO6000"),
        ("RTX PRO 6000 Max-Q", 96, "", None),
        ("NVIDIA RTX 6000 Ada Generation", 48, "", "RTX6000Ada"),
        ("Q RTX 6000", 24, "", None),
        ("AMD Instinct MI300X OAM", 192, "", "MI300X"),
        ("RTX 2080 Ti", 22528 * MIB, "", "RTX2080Ti-22G"),
        ("RTX 2080 Ti", 11264 * MIB, "", None),
        ("unknown", 0, "", None),
        ("", None, "", None),
    ],
)
def test_a_card_is_known_by_name_memory_and_form(name, memory, form, expected):
    assert gpu_id(name, memory, form) == expected


@pytest.mark.parametrize(
    "card", [c for c in accelerators().values() if c.stack != "metal"], ids=lambda card: card.id
)
def test_every_card_is_found_by_its_own_id(card):
    assert gpu_id(card.id, card.memory_gb) == card.id


def test_memory_of_all_cards_and_of_each_is_told_apart():
    assert total_or_each("A100_80GB", Decimal(80), 2, "SXM4") == "A100-SXM4-80GB"
    assert total_or_each("RTX 4090", Decimal(192), 8) == "RTX4090"
    assert total_or_each("H100_80GB", Decimal(80), 8, "SXM5") == "H100-SXM5-80GB"
    assert total_or_each("H100_80GB", Decimal(640), 8, "SXM5") == "H100-SXM5-80GB"


@pytest.mark.parametrize(
    ("gpu", "gpus", "expected"),
    [
        ("H100-SXM5-80GB", 1, "none"),
        ("H100-SXM5-80GB", 8, "nvlink"),
        ("H200-141GB", 8, "nvlink"),
        ("H100-80GB", 8, "unknown"),
        ("A100-PCIe-80GB", 4, "pcie"),
        ("RTX4090", 2, "pcie"),
    ],
)
def test_how_cards_talk_follows_from_the_card(gpu, gpus, expected):
    assert interconnect(gpu, gpus) == expected
