"""Accelerators by the names that people write."""

import csv

import pytest

from providers.bundled import data_path
from providers.hardware import (
    NodeKind,
    UnknownHardwareError,
    accelerator_id,
    accelerators,
    in_family,
    node_kind,
)

CARDS = sorted(accelerators())


def aliases():
    with data_path("hardware", "aliases.csv").open(encoding="utf-8", newline="") as file:
        return [(row["alias"], row["id"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_found_by_its_own_id_in_any_case(card):
    assert accelerator_id(card) == accelerator_id(card.lower()) == card


def test_every_alias_means_what_its_row_says():
    assert {alias: accelerator_id(alias) for alias, _ in aliases()} == dict(aliases())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("4090", "RTX4090"),
        ("NVIDIA GeForce RTX 4090", "RTX4090"),
        ("A100", "A100-80GB"),
        ("A100 80GB PCIe", "A100-PCIe-80GB"),
        ("A100-SXM4-80GB", "A100-SXM4-80GB"),
        ("a800", "A800-80GB"),
        ("H100", "H100-80GB"),
        ("NVIDIA H100 80GB HBM3", "H100-SXM5-80GB"),
        ("H800", "H800-SXM5-80GB"),
        ("H20", "H20-96GB"),
        ("MacBook Pro M3 Max 128GB", "M3Max-40c-128GB"),
        ("Apple M2 Ultra", "M2Ultra-76c-192GB"),
        ("vGPU-48GB", "RTX4090-48G"),
        ("Ascend 910B", "Ascend910B-64GB"),
    ],
)
def test_a_name_as_people_write_it_finds_its_card(written, meant):
    assert accelerator_id(written) == meant


def test_an_unknown_card_is_refused_with_the_nearest_names():
    with pytest.raises(UnknownHardwareError, match=r"'H80O' is no GPU.*did you mean H800-SXM5"):
        accelerator_id("H80O")


def test_a_name_like_nothing_known_is_sent_to_the_list():
    with pytest.raises(UnknownHardwareError, match="see `rentopt hardware`"):
        accelerator_id("!!")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("8xA800", NodeKind("A800-80GB", 8)),
        ("2 x RTX 4090", NodeKind("RTX4090", 2)),
        ("4×3090", NodeKind("RTX3090", 4)),
        ("H100", NodeKind("H100-80GB", 1)),
    ],
)
def test_a_node_is_a_count_and_a_card(text, kind):
    assert node_kind(text) == kind


@pytest.mark.parametrize("text", ["0xA800", "", "8x"])
def test_a_node_without_a_card_is_refused(text):
    with pytest.raises(UnknownHardwareError):
        node_kind(text)


@pytest.mark.parametrize("card", CARDS)
def test_a_node_is_read_as_it_is_written(card):
    kind = NodeKind(card, 8)
    assert node_kind(str(kind)) == kind


def test_a_family_holds_every_form_of_a_card():
    forms = {card for card in accelerators() if in_family(card, "A100")}
    assert {"A100-SXM4-80GB", "A100-PCIe-40GB", "A100-80GB"} <= forms
    assert not any(card.startswith("A800") for card in forms)


def test_a_name_with_a_size_and_no_form_factor_means_every_form_of_that_size():
    forms = {card for card in accelerators() if in_family(card, "A100 80GB")}
    assert forms == {"A100-SXM4-80GB", "A100-PCIe-80GB", "A100-80GB"}


def test_a_form_of_a_card_is_that_form_alone():
    assert {c for c in accelerators() if in_family(c, "A100 PCIe 80GB")} == {"A100-PCIe-80GB"}


def test_a_cut_down_or_modified_4090_is_another_product():
    assert {card for card in accelerators() if in_family(card, "4090")} == {"RTX4090"}


@pytest.mark.parametrize("card", accelerators().values(), ids=lambda card: card.id)
def test_figures_of_a_card_are_possible_and_have_a_source(card):
    assert card.source
    assert 8 <= card.memory_gb <= 1024
    figures = (card.bandwidth_gb_s, card.fp16_tflops, card.fp8_tflops, card.int8_tops, card.tdp_w)
    assert all(figure is None or figure > 0 for figure in figures)
    assert card.stack in ("cuda", "rocm", "metal", "cann", "habana")
    assert card.nvlink_gb_s >= 0
    assert card.unified_memory == (card.vendor == "Apple")


def test_an_optional_bridge_is_no_nvlink():
    bridged = [card for card in accelerators().values() if "optional NVLink" in card.note]
    assert {card.id for card in bridged} >= {"RTX3090", "A100-PCIe-80GB", "H100-PCIe-80GB"}
    assert {card.nvlink_gb_s for card in bridged} == {0.0}


def test_the_export_versions_differ_from_their_models_in_the_link():
    cards = accelerators()
    names = ("A800-80GB", "A100-80GB", "H800-SXM5-80GB", "H100-80GB")
    assert [cards[name].nvlink_gb_s for name in names] == [400, 600, 400, 900]
    assert cards["A800-80GB"].fp16_tflops == pytest.approx(cards["A100-80GB"].fp16_tflops, rel=0.01)
    assert cards["H800-SXM5-80GB"].fp16_tflops == cards["H100-80GB"].fp16_tflops


def test_a_4090_has_about_twice_the_compute_of_a_3090():
    cards = accelerators()
    assert cards["RTX4090"].fp16_tflops / cards["RTX3090"].fp16_tflops == pytest.approx(2.3, 0.1)
