"""`rentopt offers`: filters, what is printed, and what is said about the prices."""

import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest
import typer
from typer.testing import CliRunner

from optimizer.cli.offers import offers
from providers.errors import DocumentError
from providers.hardware import UnknownHardwareError

app = typer.Typer()
app.command("offers")(offers)


@app.command()
def other() -> None:
    """A second command, so that the first keeps its name."""


def run(*arguments, day="2026-11-22"):
    return CliRunner().invoke(app, ["offers", "--as-of", day, *arguments], catch_exceptions=False)


def document(*arguments, **more):
    done = run("--format", "json", "--limit", "0", *arguments, **more)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout, parse_float=Decimal)


def found(*arguments, **more):
    rows = document(*arguments, **more)["offers"]
    assert rows
    return rows


def test_the_cheapest_gpu_hour_comes_first():
    prices = [Decimal(row["per_gpu_hour"]["amount"]) for row in found("--gpu", "A800")]
    assert prices == sorted(prices)


def test_money_is_a_decimal_string_with_its_currency():
    row = found("--gpu", "A800", "--provider", "autodl")[0]
    assert row["price"] == {"amount": "4.98", "currency": "CNY"}
    assert row["per_gpu_hour"] == {"amount": "4.980000", "currency": "CNY"}


def test_a_gpu_is_found_by_family_and_by_id():
    families = {row["gpu"] for row in found("--gpu", "h100", "--confidence", "C")}
    assert {"H100-SXM5-80GB", "H100-PCIe-80GB", "H100-80GB"} <= families
    assert {row["gpu"] for row in found("--gpu", "H100 PCIe")} == {"H100-PCIe-80GB"}


def test_several_gpus_can_be_asked_for():
    gpus = {row["gpu"] for row in found("--gpu", "H800", "--gpu", "H20")}
    assert gpus == {"H800-SXM5-80GB", "H20-96GB", "H20-141GB"}


def test_a_count_of_gpus_takes_machines_and_sellers_per_gpu():
    rows = found("--gpu", "A100", "--count", "8")
    assert {row["gpus_on_one_host"] for row in rows} == {8}
    assert {1, 8} <= {row["gpu_count"] for row in rows}


def test_a_seller_per_gpu_does_not_make_a_large_clouds_type_bigger():
    for row in found("--gpu", "A100", "--count", "8", "--tier", "hyperscaler"):
        assert row["gpu_count"] == 8


def test_memory_provider_region_tier_and_model_narrow_the_list():
    assert min(row["memory_gb_per_gpu"] for row in found("--min-memory", "140")) >= 140
    assert {row["provider"] for row in found("--provider", "AutoDL")} == {"autodl"}
    assert {row["region"] for row in found("--region", "us-east")} == {
        "us-east-1",
        "us-east-2",
        "us-east4",
    }
    assert {row["tier"] for row in found("--tier", "wholesale")} == {"wholesale"}
    assert {row["purchase_model"] for row in found("--model", "spot")} == {"spot"}


@pytest.mark.parametrize(
    ("term", "tenors"),
    [
        ("hour", {None}),
        ("month", {"P1M", "P30D"}),
        ("year", {"P1Y"}),
        ("P3Y", {"P3Y"}),
        ("p1y", {"P1Y"}),
    ],
)
def test_a_term_is_a_word_or_a_tenor(term, tenors):
    assert {row["tenor"] for row in found("--term", term)} == tenors


def test_servers_by_the_day_are_found_in_the_table_of_july_2024():
    rows = found("--term", "day", "--table", "china-2024-07", day="2024-07-14")
    assert len(rows) == 4
    assert all("assumption" in row["flags"] for row in rows)


def test_no_offer_is_dearer_than_asked_for():
    rows = found("--gpu", "A100", "--max-price", "1.5", "--currency", "usd")
    assert all(Decimal(row["per_gpu_hour"]["amount"]) <= Decimal("1.5") for row in rows)
    assert {row["per_gpu_hour"]["currency"] for row in rows} == {"USD"}


def test_low_confidence_is_off_until_asked_for():
    assert "C" not in {row["confidence"] for row in found()}
    assert "C" in {row["confidence"] for row in found("--confidence", "C")}
    assert {row["confidence"] for row in found("--confidence", "A")} == {"A"}


def test_what_was_left_out_is_counted_under_its_reason():
    told = document("--gpu", "A800", "--max-price", "5")
    assert sum(told["excluded"].values()) + told["matching"] == told["in_table"]
    assert told["excluded"]["dearer than 5 CNY per GPU-hour"] >= 1
    assert any("confidence below B" in reason for reason in told["excluded"])


def test_the_exchange_rate_is_told_with_its_day_and_source():
    [rate] = document("--provider", "aws")["exchange_rates"]
    assert (rate["base"], rate["quote"], rate["day"]) == ("USD", "CNY", "2026-11-20")
    assert "not verified" in rate["source"]


def test_old_prices_are_flagged():
    old = "older than 90 d"
    rows = found("--provider", "azure")
    assert {old in row["flags"] for row in rows} == {True, False}
    assert all((old in row["flags"]) == (row["age_days"] > 90) for row in rows)


def test_tax_is_told_three_ways():
    flags = {flag for row in found() for flag in row["flags"] if "tax" in flag}
    assert flags == {"tax included", "before tax", "tax not stated"}


def test_rows_are_sorted_as_asked():
    assert [row["age_days"] for row in found("--sort", "age")] == sorted(
        row["age_days"] for row in found()
    )
    providers = [row["provider"] for row in found("--sort", "provider")]
    assert providers == sorted(providers)


def test_the_limit_holds_and_the_rest_is_counted():
    done = run("--gpu", "H100", "--limit", "3")
    assert "3 shown of" in done.stdout
    assert done.stdout.count("H100-") >= 3
    assert "oldest price shown: " in done.stdout
    assert "price table: current; age and validity as of 2026-11-22" in done.stdout


def test_a_piped_table_has_no_colour_and_cuts_nothing_off():
    done = run("--limit", "0")
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout
    assert "cn-northwest-b" in done.stdout
    header = done.stdout.splitlines()[0]
    for title in ("GPU", "provider", "region", "tier", "billing", "CNY/GPU-hour", "flags"):
        assert title in header


def test_csv_keeps_the_footer_off_stdout():
    done = run("--gpu", "A800", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert rows
    assert set(rows[0]) >= {"GPU", "provider", "CNY/GPU-hour"}
    assert "shown of" in done.stderr


def test_markdown_is_a_table_with_a_list_below():
    lines = run("--gpu", "A800", "--format", "md").stdout.splitlines()
    assert lines[0].startswith("| # | GPU |")
    assert lines[1].startswith("| ---: |")
    assert any(line.startswith("- price table: current") for line in lines)


QUOTE = """provider,instance_type,gpu,gpu_count,purchase_model,increment,tenor,price,currency,\
observed_at,source
[red]mine[/red],8x A800,A800,8,prepaid,month,P1M,8000,CNY,2026-11-20,mail
"""


def test_a_users_quote_is_listed_as_it_is_written(tmp_path):
    path = tmp_path / "quotes.csv"
    path.write_text(QUOTE, encoding="utf-8")
    done = run("--gpu", "A800", "--quotes", str(path))
    assert "[red]mine[/red]" in done.stdout.splitlines()[1]
    assert "own_quote" in done.stdout.splitlines()[1]


def test_a_faulty_quotes_file_is_refused_with_its_faults(tmp_path):
    path = tmp_path / "quotes.csv"
    path.write_text(QUOTE.replace("A800,8", "A8OO,8"), encoding="utf-8")
    with pytest.raises(DocumentError, match=r"quotes\.csv:2:3: gpu: 'A8OO' is no GPU"):
        run("--quotes", str(path))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--term", "mnth"], "did you mean month?"),
        (["--provider", "autodll"], "did you mean autodl?"),
        (["--currency", "RMB"], "one of CNY, EUR, USD"),
        (["--max-price", "cheap"], "is not a number"),
        (["--max-price", "0"], "is not a price above 0"),
        (["--tier", "cloud"], "'hyperscaler'"),
        (["--as-of", "yesterday"], "does not match the format"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_with_exit_code_2(arguments, said):
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())


def test_an_unknown_gpu_is_refused_with_the_nearest():
    with pytest.raises(UnknownHardwareError, match="did you mean H800"):
        run("--gpu", "H80O")


def test_nothing_found_is_told_not_hidden():
    told = document("--gpu", "H800", "--tier", "hyperscaler")
    assert (told["offers"], told["matching"]) == ([], 0)
    assert "0 shown of 0 that match" in run("--gpu", "H800", "--tier", "hyperscaler").stdout


def test_asking_for_help_imports_nothing_heavy():
    code = (
        "import sys; import optimizer.cli.offers, optimizer.cli.hardware, optimizer.cli.models;"
        "print({'pandas', 'ortools', 'boto3', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "set()"


def test_a_summary_counts_the_offers_of_a_kind_and_spreads_their_prices():
    rows = document("--gpu", "H100", "--summary")["groups"]
    one = next(row for row in rows if int(row["offers"]) > 2)
    prices = [Decimal(one[name]) for name in ("least", "p10", "median", "most")]
    assert prices == sorted(prices)
    assert sum(int(row["offers"]) for row in rows) == document("--gpu", "H100")["matching"]


def test_a_quantile_lies_between_its_neighbours():
    from optimizer.report.market_summary import quantile

    values = [Decimal(1), Decimal(2), Decimal(4)]
    assert [quantile(values, Decimal(share)) for share in ("0", "0.1", "0.5", "1")] == [
        Decimal(1),
        Decimal("1.2"),
        Decimal(2),
        Decimal(4),
    ]
