"""Every bundled row loads, and says where it comes from and from which day."""

import csv
from datetime import date
from decimal import Decimal

import pytest

from optimizer.model_cards import UnknownModelError, model_card, model_cards
from providers.bundled import data_path
from providers.hardware import accelerators, in_family
from providers.price_table import (
    read_hardware_offers,
    read_offers,
    read_rejected,
    read_running_costs,
    read_tokens,
    write_offers,
)
from providers.terms import Increment, PurchaseModel, Tier

MADE = date(2026, 11, 22)
RENTALS = ["bundled.csv", "china-2024-07.csv"]
TOKENS = ["tokens.csv", "tokens-china-2024-07.csv"]
PURCHASES = ["purchase_prices.csv", "purchase_prices_2024-07_china.csv"]


def rentals(name="bundled.csv"):
    return read_offers(data_path("prices", name))[0]


def raw(*parts):
    with data_path(*parts).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def priced_rows():
    for name in RENTALS:
        yield from rentals(name)
    for name in TOKENS:
        yield from read_tokens(data_path("prices", name))
    for name in PURCHASES:
        yield from read_hardware_offers(data_path("hardware", name))
    yield from read_running_costs(data_path("hardware", "running_costs.csv"))


def test_every_price_has_a_source_a_day_and_a_confidence():
    for row in priced_rows():
        assert row.source, row
        assert date(2020, 1, 1) <= row.observed_at <= MADE, row
        assert row.confidence in "ABC", row


def test_there_are_at_least_450_rental_offers_of_25_sellers():
    offers = rentals()
    assert len(offers) >= 450
    assert len({offer.provider for offer in offers}) >= 25


@pytest.mark.parametrize("seller", ["autodl", "ctyun", "gongjiyun", "smm", "aws", "runpod", "vast"])
def test_the_sellers_people_ask_for_are_there(seller):
    assert any(offer.provider == seller for offer in rentals())


@pytest.mark.parametrize("gpu", ["A800", "A100", "H800", "H100", "H200", "H20", "4090", "3090"])
def test_the_gpus_people_ask_for_can_be_rented(gpu):
    kept = [offer for offer in rentals() if offer.confidence != "C" and in_family(offer.gpu, gpu)]
    assert kept


@pytest.mark.parametrize("name", RENTALS)
def test_no_price_is_zero_and_no_sku_is_there_twice(name):
    offers = rentals(name)
    assert all(offer.price.amount > 0 for offer in offers)
    assert len({offer.sku for offer in offers}) == len(offers)


@pytest.mark.parametrize("name", RENTALS)
def test_a_table_is_written_as_the_writer_writes_it(name):
    path = data_path("prices", name)
    assert write_offers(read_offers(path)[0]) == path.read_bytes()


def test_a_gpu_hour_costs_cents_to_tens_of_dollars():
    """Catches cents read as dollars, and a machine's price read as a GPU's."""
    for offer in rentals():
        yuan = 7 if offer.price.currency == "CNY" else 1
        assert Decimal("0.03") < offer.per_gpu_hour.amount / yuan < 20, offer.sku


def test_spot_is_never_dearer_than_on_demand_for_one_machine_of_one_day():
    spot, on_demand = PurchaseModel.SPOT, PurchaseModel.ON_DEMAND
    prices = {
        (o.provider, o.instance_type, o.region, o.observed_at, o.purchase_model): o.price.amount
        for o in rentals()
    }
    for key, price in prices.items():
        if key[-1] is spot:
            assert price <= prices.get((*key[:-1], on_demand), price), key


def test_longer_commitments_are_no_dearer():
    committed = {}
    for o in rentals():
        if o.purchase_model is PurchaseModel.COMMITTED_USE:
            committed.setdefault((o.instance_type, o.region), {})[o.tenor.months] = o.price.amount
    assert committed
    for terms in committed.values():
        assert terms[36] <= terms[12]


def test_the_large_clouds_do_not_scale_their_instance_types():
    for offer in rentals():
        if offer.tier is Tier.HYPERSCALER:
            assert offer.max_gpus_per_host == offer.gpu_count, offer.sku


def test_a_price_that_scales_by_assumption_says_so():
    scaled = [offer for offer in rentals() if offer.max_gpus_per_host > offer.gpu_count]
    assert scaled
    assert all("assumed to scale" in offer.note for offer in scaled)


def test_a_lease_of_unknown_length_is_marked_as_assumed():
    leases = [offer for offer in rentals() if offer.provider == "smm"]
    assert len(leases) >= 8
    for lease in leases:
        assert (lease.purchase_model, lease.increment) == (
            PurchaseModel.RESERVED,
            Increment.MONTH,
        )
        assert (str(lease.tenor), lease.tier) == ("P1Y", Tier.WHOLESALE)
        assert "ASSUMPTION" in lease.note


def test_month_packages_are_prepaid_for_a_month():
    packages = [o for o in rentals() if o.purchase_model is PurchaseModel.PREPAID]
    assert {str(package.tenor) for package in packages} == {"P1M", "P30D"}
    assert all(package.prepaid and package.increment is Increment.MONTH for package in packages)


def test_what_could_not_be_used_says_why():
    rejected = read_rejected(data_path("prices", "rejected.csv"))
    reasons = " | ".join(row.reason for row in rejected)
    for reason in ("fraction of a GPU", "serverless", "auction", "superseded", "no date"):
        assert reason in reasons
    assert all(row.source for row in rejected)


def test_a_fraction_of_a_gpu_or_a_serverless_price_is_not_on_offer():
    for offer in rentals():
        assert "serverless" not in offer.instance_type.lower()
        assert "40vram" not in offer.instance_type


def test_the_newer_price_of_a_machine_stands():
    [h100] = [offer for offer in rentals() if offer.sku == "runpod/H100-secure/any/on_demand"]
    assert (h100.price.amount, h100.observed_at) == (Decimal("3.99"), date(2026, 11, 9))


def test_the_servers_of_july_2024_cost_what_the_article_says():
    offers = rentals("china-2024-07.csv")
    assert len(offers) == 4
    for offer in offers:
        assert 1000 <= offer.price.amount <= 3000
        assert (offer.gpu_count, offer.increment, str(offer.tenor)) == (8, Increment.DAY, "P1D")
        assert "ASSUMPTION" in offer.note


def test_value_for_money_rises_from_a800_to_h100():
    by_family = {accelerators()[o.gpu].family: o for o in rentals("china-2024-07.csv")}
    value = [
        8
        * accelerators()[by_family[family].gpu].fp16_tflops
        / float(by_family[family].price.amount)
        for family in ("A800", "A100", "H800", "H100")
    ]
    assert value == sorted(value)
    assert len(set(value)) == 4


def test_the_purchase_prices_of_july_2024_are_the_articles():
    found = {
        str(offer.kind): offer.middle.amount
        for offer in read_hardware_offers(data_path("hardware", PURCHASES[1]))
    }
    assert found == {
        "1xM3Max-40c-128GB": 28000,
        "1xRTX4090": 15000,
        "2xRTX4090": 30000,
        "4xRTX4090": 60000,
        "2xA100-80GB": 150000,
        "1xM2Ultra-76c-192GB": 50000,
    }


def test_a_loose_date_became_its_last_day():
    rows = {row["as_of_text"]: row["observed_at"] for row in raw("hardware", PURCHASES[0])}
    assert rows["2026-05"] == "2026-05-31"
    assert rows["2025-12..2026-02"] == "2026-02-28"
    assert rows["2026-Q2"] == "2026-06-30"
    assert rows["before 2026-06-25"] == "2026-06-24"
    assert rows["2026"] == MADE.isoformat()


def test_the_token_prices_of_2024_hold_qwen2_72b():
    offers = read_tokens(data_path("prices", TOKENS[1]))
    found = {
        offer.provider: (offer.input_per_million.amount, offer.output_per_million.amount)
        for offer in offers
        if offer.model == "Qwen2-72B"
    }
    assert found == {
        "aliyun-bailian": (5, 10),
        "siliconflow": (Decimal("4.13"), Decimal("4.13")),
    }


def test_a_model_sold_per_token_is_known_by_its_card():
    offers = read_tokens(data_path("prices", TOKENS[0]))
    known = [offer for offer in offers if offer.model in model_cards()]
    assert len(known) >= 80
    assert len({offer.provider for offer in known if offer.model == "Llama-3.3-70B"}) >= 10
    for offer in offers:
        if "distill" in offer.provider_model.lower() or "hermes" in offer.provider_model.lower():
            assert offer.model not in model_cards()


def test_electricity_and_hosting_have_a_price():
    costs = read_running_costs(data_path("hardware", "running_costs.csv"))
    assert {(cost.unit, cost.value.currency) for cost in costs} == {
        ("kwh", "USD"),
        ("kwh", "CNY"),
        ("kw_month", "USD"),
    }


def test_every_model_card_agrees_with_its_published_size():
    for card in model_cards().values():
        assert card.source
        assert card.params_total_b == pytest.approx(card.published_params_b, rel=0.005)
        assert card.params_active_b <= card.params_total_b


@pytest.mark.parametrize("card", model_cards().values(), ids=lambda card: card.id)
def test_the_cache_of_a_model_follows_from_its_shape(card):
    per_layer = card.mla_kv_dim or 2 * card.kv_heads * card.head_dim
    assert card.kv_bytes_per_token_16bit == 2 * card.layers * per_layer


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("Qwen2-72B-Instruct", "Qwen2-72B"),
        ("Qwen/Qwen2.5-72B-Instruct", "Qwen2.5-72B"),
        ("meta-llama/Llama-2-70b-chat-hf", "Llama-2-70B"),
        ("meta-llama/Meta-Llama-3-70B", "Llama-3-70B"),
        ("llama-3.1-70b", "Llama-3.1-70B"),
    ],
)
def test_a_model_is_found_by_its_hub_name(name, card):
    assert model_card(name).id == card


@pytest.mark.parametrize("name", ["Qwen2-72B-Instruct-GPTQ-Int4", "Qwen2-27B"])
def test_a_model_unknown_or_quantised_is_refused_with_the_nearest_name(name):
    with pytest.raises(UnknownModelError, match=f"'{name}' is no model.*did you mean .*Qwen2"):
        model_card(name)


def test_the_page_of_sources_names_every_file_with_its_number_of_rows():
    page = data_path("SOURCES.md").read_text(encoding="utf-8")
    for folder in ("hardware", "models", "fx", "prices", "scenarios"):
        for path in data_path(folder).glob("*.csv"):
            assert f"| `{folder}/{path.name}` | {len(raw(folder, path.name))} |" in page
