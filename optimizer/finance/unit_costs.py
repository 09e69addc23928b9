"""Costs of one unit of what is produced: GPU-hours, tokens, training runs."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from optimizer.finance.energy import HOURS_IN_YEAR
from optimizer.finance.refusal import FinanceError

SECONDS_IN_HOUR = 3600
MILLION = 1_000_000


def per_delivered_gpu_hour(yearly: Decimal, gpus: int, use: Decimal) -> Decimal:
    """Of a GPU-hour that does work: ``cost / (8760 G u)``.

    Accounting with straight-line capital costs, economic with capital recovery: say which.

    Raises:
        FinanceError: nothing is delivered.
    """
    if use <= 0:
        raise FinanceError("a fleet that is never used has no cost of a delivered hour")
    return yearly / (HOURS_IN_YEAR * gpus * use)


def per_useful_hour(total: Decimal, paid: Decimal, failed: Decimal, idle: Decimal) -> Decimal:
    """Of an hour that is neither idle nor lost to a failed run. Compare providers on this.

    Raises:
        FinanceError: no hour is left.
    """
    useful = paid - failed - idle
    if useful <= 0:
        raise FinanceError("no useful hour is left after failures and idle time")
    return total / useful


def tokens_per_hour(tokens_per_s: Decimal, useful_share: Decimal = Decimal(1)) -> Decimal:
    return tokens_per_s * SECONDS_IN_HOUR * useful_share


def per_million_tokens(
    gpu_hour: Decimal, gpus: int, tokens_per_s: Decimal, useful_share: Decimal
) -> Decimal:
    """``G c / (tps 3600 f) 10^6``; input and output apart where they cost different time.

    Args:
        tokens_per_s: of the whole node.
        useful_share: of the hours paid for.
    """
    return gpu_hour * gpus / tokens_per_hour(tokens_per_s, useful_share) * MILLION


def per_request(
    input_per_million: Decimal, output_per_million: Decimal, prompt: Decimal, output: Decimal
) -> Decimal:
    """``I p_i + O p_o``."""
    return (input_per_million * prompt + output_per_million * output) / MILLION


def blended_per_million(
    input_per_million: Decimal, output_per_million: Decimal, prompt: Decimal, output: Decimal
) -> Decimal:
    """Price of a token of either kind at this mix; without the mix an average says nothing."""
    paid = input_per_million * prompt + output_per_million * output
    return paid / (prompt + output)


def even_million_tokens(
    fixed: Decimal, api_per_million: Decimal, own_per_million: Decimal
) -> Decimal:
    """Millions of tokens a period from which a fixed cost beats the API: ``F / (p - c)``.

    Raises:
        FinanceError: the tokens are no cheaper than one's own.
    """
    if api_per_million <= own_per_million:
        raise FinanceError("tokens bought cost no more than one's own, so none pay back")
    return fixed / (api_per_million - own_per_million)


def per_training_run(
    gpu_hour: Decimal, gpus: int, hours: Decimal, failed_share: Decimal = Decimal(0)
) -> Decimal:
    """``G h c / (1 - f)``, with the share f of the hours computed again after failures."""
    return gpu_hour * gpus * hours / (1 - failed_share)


def billed(used_s: Decimal, unit_s: int, per_unit: Decimal) -> Decimal:
    """Bill of a use in whole units of a second, a minute, an hour, a day: ``ceil(t / u) p``."""
    return (used_s / unit_s).to_integral_value(ROUND_CEILING) * per_unit


def cheaper_per_day(hours: Decimal, per_hour: Decimal, per_day: Decimal) -> tuple[str, Decimal]:
    """Whether so many hours of a day are cheaper by the hour or by the day, and what they cost."""
    by_hour = hours * per_hour
    return ("hour", by_hour) if by_hour <= per_day else ("day", per_day)
