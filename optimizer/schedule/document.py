"""The schedule document: what a person writes, one class a section. Plain data, checked once.

Quantities are written with their units (`2B tokens`, `15 tokens/s`, `0.8 CNY/kWh`) and kept in the
unit that the field's type names (`optimizer.schedule.quantities`). Rules that span sections live in
`optimizer.schedule.load`, next to the places in the file that a fault must point to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from optimizer.schedule.quantities import (
    Count,
    Day,
    Days,
    Gigabytes,
    Gpu,
    GpuHours,
    Hardware,
    Hours,
    HoursOfDay,
    Kilowatts,
    MoneyAmount,
    MoneyPerKwh,
    MoneyPerMonth,
    Month,
    Months,
    NodeCount,
    Number,
    Requests,
    RequestsPerSecond,
    Seconds,
    Share,
    SharePerMonth,
    SharePerYear,
    TokenCount,
    Tokens,
    TokensPerSecond,
    Watts,
    Weekday,
)

Currency = Literal["CNY", "EUR", "USD"]
Precision = Literal[
    "bf16",
    "fp16",
    "fp8",
    "gptq-int8",
    "gptq-int8-g32",
    "gptq-int8-g64",
    "gptq-int8-channel",
    "bnb-int8",
    "gptq-int4",
    "gptq-int4-g32",
    "gptq-int4-g64",
    "gptq-int4-channel",
    "awq-int4",
    "awq-int4-g32",
    "awq-int4-g64",
    "nf4",
    "nf4-dq",
    "mxfp4",
    "q8_0",
    "q6_k",
    "q5_k_m",
    "q5_k_s",
    "q5_0",
    "q4_k_m",
    "q4_k_s",
    "q4_0",
    "iq4_nl",
    "iq4_xs",
    "q3_k_l",
    "q3_k_m",
    "q3_k_s",
    "q2_k",
]
"""Those of ``data/sizing``; a test holds them equal."""
Engine = Literal[
    "vllm", "sglang", "tensorrt-llm", "lmdeploy", "ollama", "llama.cpp", "transformers"
]
TrainingMethod = Literal["pretrain", "full", "lora", "qlora"]
TrainingPrecision = Literal["bf16", "fp8"]
TrainingOptimizer = Literal["adamw", "adamw-bf16", "adamw-8bit", "sgd"]
TrainingStrategy = Literal["auto", "ddp", "zero-1", "zero-2", "zero-3", "hsdp"]
Checkpointing = Literal["auto", "none", "selective", "full"]
Offload = Literal["none", "optimizer", "all"]
TrainingFramework = Literal["auto", "hf", "native", "tuned"]
Stack = Literal["cuda", "any"]


class Section(BaseModel):
    """Base of all sections: no unknown keys, no change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Horizon(Section):
    """The days the plan covers. Give `days` or `end`, not both."""

    start: Day = Field(description="First day, local date", examples=["2026-12-01"])
    days: Days | None = Field(None, description="Length, such as `365 days` or `2 weeks`")
    end: Day | None = Field(None, description="Last day, included")


class HardwareRule(Section):
    """Which hardware a workload may use. Names are families (A800) or ids (A100-PCIe-80GB)."""

    allow: list[str] = Field(default_factory=list, description="Only these, when not empty")
    forbid: list[str] = Field(default_factory=list, description="Never these")


class MeasuredRate(Section):
    """A throughput the user measured; it always beats the model."""

    on: Hardware = Field(description="Node it was measured on, such as `2xRTX4090`")
    tokens: TokensPerSecond = Field(description="Tokens per second of one replica or one node")
    users: Count | None = Field(None, ge=1, description="Concurrent users at that rate (services)")
    source: str = Field("measured by the user", description="Where the figure comes from")


class WorkloadBase(Section):
    """What every workload has."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Unique name")
    needs: Stack = Field("cuda", description="Software stack: `cuda`, or `any` that fits")
    hardware: HardwareRule = Field(
        default_factory=HardwareRule, description="Which hardware it may use"
    )
    min_gpus: Count = Field(1, ge=1, description="Fewest GPUs of one replica or node")
    measured: list[MeasuredRate] = Field(
        default_factory=list, description="Measured throughput, wins over the model"
    )
    spot: bool = Field(False, description="May run on capacity that can be taken away")


class JobBase(WorkloadBase):
    """Batch work: it must be done between release and deadline."""

    release: Day | None = Field(None, description="First day it may run; the horizon's first")
    deadline: Day | None = Field(None, description="Last day it may run; the horizon's last")
    interruptible: bool = Field(True, description="May pause between days and resume")
    min_nodes: Count = Field(1, ge=1, description="Fewest nodes it may run on at once")
    max_nodes: Count = Field(1, ge=1, description="Most nodes it may run on at once")
    after: list[str] = Field(default_factory=list, description="Jobs that must be finished first")
    checkpoint: Hours = Field(0.5, description="Time between checkpoints")
    restart: Hours = Field(0.25, description="Time to restart after an interruption")
    data: Gigabytes = Field(0.0, description="Data to move in and out, once")


class TrainingJob(JobBase):
    """Training by tokens, or by GPU-hours on a named GPU."""

    kind: Literal["training"] = Field(description="Training by tokens or GPU-hours")
    model: str | None = Field(None, description="LLM to train, or its config.json")
    method: TrainingMethod = Field("lora", description="What is trained: all weights or adapters")
    tokens: TokenCount | None = Field(None, description="Tokens to train on, all epochs")
    gpu_hours: GpuHours | None = Field(None, description="Work on `gpu`, such as `800 GPU-hours`")
    gpu: Gpu | None = Field(None, description="GPU that `gpu_hours` are counted on")
    sequence_tokens: Count = Field(4096, ge=1, description="Length of a training sequence")
    micro_batch: Count = Field(1, ge=1, description="Sequences a GPU processes at once")
    accumulation: Count = Field(8, ge=1, description="Micro-steps between gradient exchanges")
    precision: TrainingPrecision = Field("bf16", description="Of the large multiplications")
    optimizer: TrainingOptimizer = Field("adamw", description="States kept per trained weight")
    strategy: TrainingStrategy = Field("auto", description="How states are divided over GPUs")
    checkpointing: Checkpointing = Field("auto", description="Activations computed twice")
    offload: Offload = Field("none", description="What may live in host memory")
    framework: TrainingFramework = Field("auto", description="Kind of software that trains")
    lora_rank: Count = Field(16, ge=1, description="Rank of adapters")


class BatchInferenceJob(JobBase):
    """Offline inference over a fixed number of requests."""

    kind: Literal["batch_inference"] = Field(description="Offline inference")
    model: str = Field(description="LLM to run, see `rentopt models`, or its config.json")
    precision: Precision = Field("bf16", description="Number format of the weights")
    engine: Engine = Field("vllm", description="Inference server")
    requests: Requests = Field(description="Requests in all, such as `200k requests`")
    prompt_tokens: Count = Field(1000, ge=1, description="Mean prompt of a request")
    output_tokens: Count = Field(300, ge=1, description="Mean answer to a request")


class Phase(Section):
    """A stretch of days with one load at its peak hour."""

    start: Day | None = Field(None, description="First day; the horizon's first")
    end: Day | None = Field(None, description="Last day, included; the horizon's last")
    users: Annotated[Number, Field(ge=0)] | None = Field(
        None, description="Concurrent users that are being answered"
    )
    requests: RequestsPerSecond | None = Field(None, description="Such as `2 requests/s`")


class Bucket(Section):
    """Requests of one size: a cell of a histogram of prompts by answers."""

    prompt_tokens: Tokens = Field(description="Prompt of a request, or a range: `250-500`")
    output_tokens: Tokens = Field(description="Answer to a request, or a range: `100-250`")
    share: Share = Field(description="Of all requests; the shares of a mix add up to 100 %")
    throughput: dict[Hardware, RequestsPerSecond] = Field(
        default_factory=dict,
        description="Measured requests/s of this size alone on one node, within the floor;"
        " 0 where it cannot serve them; wins over the model",
    )

    @property
    def label(self) -> str:
        return f"{self.prompt_tokens}/{self.output_tokens}"


class ServiceWorkload(WorkloadBase):
    """Online inference: the load must be carried in every hour."""

    kind: Literal["service"] = Field(description="Online inference")
    model: str = Field(description="LLM to serve, see `rentopt models`, or its config.json")
    precision: Precision = Field("bf16", description="Number format of the weights")
    engine: Engine = Field("vllm", description="Inference server")
    phases: list[Phase] = Field(min_length=1, description="Stretches of days with one load")
    prompt_tokens: Count = Field(1000, ge=1, description="Mean prompt of a request")
    output_tokens: Count = Field(300, ge=1, description="Mean answer to a request")
    mix: list[Bucket] = Field(
        default_factory=list, description="Sizes of requests, instead of one mean size"
    )
    histogram: Path | None = Field(None, description="Table file of the mix, such as a CSV")
    hours: dict[HoursOfDay, Share] = Field(
        default_factory=dict, description="Share of the phase's load by hours, the rest is 0"
    )
    weekdays: dict[Weekday, Share] = Field(
        default_factory=dict, description="Share of the load on that weekday, the rest is 100 %"
    )
    growth: SharePerMonth = Field(0.0, description="Of the load, month on month from phase start")
    floor: TokensPerSecond = Field(15.0, description="Least tokens/s each user must see")
    ttft: Seconds | None = Field(None, description="Longest time to first token")
    headroom: Share = Field(0.2, description="Spare capacity over the load")
    min_replicas: Count = Field(1, ge=1, description="Replicas in every hour with any load")
    api: Literal["no", "allowed", "only"] = Field("no", description="Token APIs may serve it")


Workload = Annotated[TrainingJob | BatchInferenceJob | ServiceWorkload, Field(discriminator="kind")]


class OwnedHardware(Section):
    """Bought earlier: its price is sunk, its electricity is not."""

    node: Hardware = Field(description="Node owned, such as `2xRTX4090`")
    count: NodeCount = Field(1, description="How many nodes of this kind")
    available: Day | None = Field(None, description="First day it can be used")
    busy_power: Watts | None = Field(None, description="Of one node at full load, before PUE")
    idle_power: Watts | None = Field(None, description="Of one node that waits, before PUE")
    rack_units: Count = Field(0, ge=0, description="Of one node")
    hosting: MoneyPerMonth | None = Field(None, description="Of one node")


class Purchase(Section):
    """Hardware that may be bought."""

    node: Hardware = Field(description="Node to buy, such as `4xRTX4090`")
    price: MoneyAmount = Field(description="Of one complete node, with host")
    tax_included: bool = Field(True, description="Whether the price contains VAT")
    max: NodeCount = Field(4, description="Most nodes to own of this kind")
    lead_time: Days = Field(0, description="From payment to first use")
    busy_power: Watts | None = Field(None, description="Of one node at full load, before PUE")
    idle_power: Watts | None = Field(None, description="Of one node that waits, before PUE")
    maintenance: SharePerYear = Field(0.0, description="Of the price, each year owned")
    hosting: MoneyPerMonth | None = Field(None, description="Of one node")
    rack_units: Count = Field(0, ge=0, description="Of one node")
    residual: dict[Months, Share] = Field(
        default_factory=dict, description="Resale value by age; money.residual when empty"
    )
    source: str = Field("", description="Where the price comes from")


class HardwareSection(Section):
    """Hardware of one's own: bought earlier, or on the shopping list."""

    owned: list[OwnedHardware] = Field(default_factory=list, description="Bought earlier")
    buy: list[Purchase] = Field(default_factory=list, description="What may be bought")
    file: str | None = Field(None, description="Table of GPUs of one's own, beside the schedule")


class Rule(Section):
    """Names to use or to avoid."""

    allow: list[str] = Field(default_factory=list, description="Only these, when not empty")
    forbid: list[str] = Field(default_factory=list, description="Never these")


class FreeQuota(Section):
    """Capacity somebody gives for nothing, within limits."""

    name: str = Field(min_length=1, description="Unique name, for the plan")
    node: Hardware = Field(description="Node given, such as `8xA100`")
    nodes: NodeCount = Field(1, description="Most nodes at once")
    hours_per_month: Hours = Field(description="Node-hours free in a calendar month")
    start: Day | None = Field(None, description="First day; the horizon's first")
    end: Day | None = Field(None, description="Last day, included; the horizon's last")


class Market(Section):
    """Which prices and sellers the plan may use."""

    table: str = Field("current", description="Bundled price table: `current`, `china-2024-07`")
    quotes: list[Path] = Field(
        default_factory=list, description="Own quotes: CSV, YAML, XLSX or Parquet"
    )
    providers: Rule = Field(default_factory=Rule, description="Sellers")
    regions: Rule = Field(default_factory=Rule, description="Regions")
    tiers: Rule = Field(
        default_factory=Rule,
        description="Sellers' kinds: `hyperscaler`, `specialist`, `marketplace`, `wholesale`,"
        " `own_quote`",
    )
    purchase_models: Rule = Field(
        default_factory=Rule,
        description="Deals: `on_demand`, `spot`, `reserved`, `savings_plan`, `committed_use`,"
        " `capacity_block`, `prepaid`",
    )
    confidence: Literal["A", "B", "C"] = Field("B", description="Lowest confidence used")
    rent: bool = Field(True, description="Whether renting is allowed at all")
    stock: Annotated[Count, Field(ge=1)] | None = Field(
        None, description="Most instances of one offer at once, where the offer names no limit"
    )
    spot_interruptions_per_day: Annotated[Number, Field(ge=0)] = Field(
        1.0, description="Expected interruptions of a spot node"
    )
    transfer: MoneyAmount | None = Field(None, description="Price of moving one GB to rented nodes")
    free_quotas: list[FreeQuota] = Field(default_factory=list, description="Free capacity")


class TariffBand(Section):
    """Hours of the day with one price of electricity."""

    hours: list[HoursOfDay] = Field(min_length=1, description="Spans such as `21:00-06:00`")
    price: MoneyPerKwh = Field(description="Price in those hours, such as `0.35 CNY/kWh`")


class TaxAssumptions(Section):
    """Tax on profit, for the review of a purchase; the plan is made before tax."""

    rate: Share = Field(description="Of profit; enough of it is supposed")
    depreciation: str | None = Field(
        None, description="Rule of `rentopt assumptions depreciation`, at once or in equal parts"
    )
    years: Annotated[Number, Field(gt=0)] | None = Field(
        None, description="Instead of a rule: deducted in equal parts over so many years"
    )


class MoneyAssumptions(Section):
    """What money costs and what owning costs beside the purchase."""

    discount_rate: SharePerYear = Field(0.0, description="Annual effective")
    electricity: MoneyPerKwh | list[TariffBand] | None = Field(
        None, description="One price, or bands that cover the day (peak, flat, valley)"
    )
    pue: Annotated[Number, Field(ge=1)] = Field(1.0, description="Power usage effectiveness")
    power_policy: Literal["always_on", "off_when_idle"] = Field(
        "always_on", description="Whether idle owned nodes are switched off"
    )
    idle_share: Share = Field(0.15, description="Idle power as share of busy power, if not given")
    residual: dict[Months, Share] = Field(
        default_factory=dict, description="Resale value by age, as share of the price paid"
    )
    resale_cost: Share = Field(0.0, description="Of the resale value")
    terms_past_horizon: Literal["full", "credit"] = Field(
        "full", description="A term that outlives the horizon: charged whole, or pro rata"
    )
    vat: Literal["ignore", "recoverable", "cost"] = Field(
        "ignore", description="`ignore` takes prices as quoted"
    )
    vat_rate_services: Share = Field(0.06, description="VAT on rent and services")
    vat_rate_goods: Share = Field(0.13, description="VAT on hardware")
    fx: dict[str, Annotated[Number, Field(gt=0)]] = Field(
        default_factory=dict, description="Fixed rates, such as `USD/CNY: 7.1`"
    )
    tax: TaxAssumptions | None = Field(None, description="Tax on profit, for reviews")


class Limits(Section):
    """What the plan may not exceed."""

    budget_per_month: MoneyPerMonth | None = Field(None, description="Rent, purchases, all costs")
    budget: dict[Month, MoneyAmount] = Field(
        default_factory=dict, description="Of single months (2027-03), wins over budget_per_month"
    )
    cash: MoneyAmount | None = Field(None, description="Most that may be spent, net, at any time")
    power: Kilowatts | None = Field(None, description="Of the site, busy nodes, before PUE")
    rack_units: Annotated[Count, Field(ge=0)] | None = Field(None, description="Of the site")
    max_providers: Annotated[Count, Field(ge=1)] | None = Field(
        None, description="Most sellers of nodes and tokens in the whole plan"
    )


class ScheduleDocument(Section):
    """A schedule: what must run, on which days, with which means."""

    rentopt: Literal[1] = Field(description="Version of this format")
    name: str = Field("", description="Title for the reports")
    horizon: Horizon = Field(description="The days the plan covers")
    currency: Currency = Field(description="Currency of all results")
    workloads: list[Workload] = Field(min_length=1, description="What must run")
    measurements: Path | None = Field(
        None, description="Table of speeds of inference you measured, such as a CSV"
    )
    hardware: HardwareSection = Field(
        default_factory=HardwareSection, description="Hardware owned, and what may be bought"
    )
    market: Market = Field(default_factory=Market, description="Prices and sellers to use")
    money: MoneyAssumptions = Field(
        default_factory=MoneyAssumptions, description="What money and owning cost"
    )
    limits: Limits = Field(default_factory=Limits, description="What may not be exceeded")
