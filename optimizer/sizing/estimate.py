"""The questions a plan asks: what one replica carries, what a gang trains, how fast.

Order of trust: the user's own measurement, a published one of the same case, an interpolation
between two published ones, the model.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.model_cards import model_card
from optimizer.sizing.gang import size_training
from optimizer.sizing.measured import InferenceRow
from optimizer.sizing.memory import MemoryBreakdown, serving_memory
from optimizer.sizing.rates import era
from optimizer.sizing.replica import Replica, replica
from optimizer.sizing.results import BY_USER, MeasuredRate, Serving, SpeedAt, Training, Unfit
from optimizer.sizing.throughput import inference_speed
from optimizer.sizing.training.relative import relative_training_speed
from providers.hardware import accelerators

__all__ = [
    "MeasuredRate",
    "Serving",
    "SpeedAt",
    "Training",
    "Unfit",
    "relative_training_speed",
    "size_batch",
    "size_service",
    "size_training",
    "speed_at",
]


def size_service(
    model: str,
    precision: str,
    engine: str,
    gpu: str,
    gpus: int,
    *,
    prompt_tokens: int,
    output_tokens: int,
    floor_tokens_per_s: float,
    ttft_s: float | None,
    measured: Sequence[MeasuredRate] = (),
    own_rows: tuple[InferenceRow, ...] = (),
    as_of: str = "",
    lengths_stated: bool = True,
    kv_precision: str = "bf16",
    offload_layers: int = 0,
) -> Serving | Unfit:
    """Most users that one replica answers at once, each at `floor_tokens_per_s` or more.

    Memory holds every sequence at its full length: a long prompt that arrives when the cache has
    taken all memory would stop the server. Measured numbers of users stand even so.

    `measured` are rates of the schedule, for this workload; `own_rows` the user's table of
    measurements (`optimizer.sizing.measured.own.read_measurements`), which goes before the
    published one; `as_of` an ISO date: the engine as it was then, else the newest.
    With `lengths_stated` false the lengths are defaults that nobody asked for, and measurements
    whose source states none stand for them too.
    """
    own = [rate for rate in measured if (rate[0], rate[1]) == (gpu, gpus)]
    lengths = {"prompt_tokens": prompt_tokens, "output_tokens": output_tokens}
    if own:
        return _service_by_user(
            model, precision, engine, gpu, gpus, floor_tokens_per_s, own, **lengths
        )
    made = replica(
        model,
        precision,
        engine,
        gpu,
        gpus,
        prompt_tokens,
        output_tokens,
        era(engine, as_of),
        own_rows,
        lengths_stated,
        kv_precision=kv_precision,
        offload_layers=offload_layers,
    )
    if isinstance(made, Unfit):
        return made
    alone = 1.0 / made.token_s(1)
    if alone < floor_tokens_per_s:
        return Unfit(
            f"one user alone gets {alone:.1f} tokens/s, and {floor_tokens_per_s:g} were asked for"
        )
    if ttft_s is not None and made.ttft_s(1) > ttft_s:
        return Unfit(
            f"time to first token is {made.ttft_s(1):.2f} s, and {ttft_s:g} s was asked for"
        )

    def good(users: int) -> bool:
        paced = made.token_s(users) * floor_tokens_per_s <= 1.0
        return paced and (ttft_s is None or made.ttft_s(users) <= ttft_s)

    users, beyond = 1, made.admitted + 1
    while beyond - users > 1:  # both limits only tighten as users grow
        middle = (users + beyond) // 2
        users, beyond = (middle, beyond) if good(middle) else (users, middle)
    return _serving(made, users, made.memory(min(users, made.capacity)))


def size_batch(
    model: str,
    precision: str,
    engine: str,
    gpu: str,
    gpus: int,
    *,
    prompt_tokens: int,
    output_tokens: int,
    measured: Sequence[MeasuredRate] = (),
    own_rows: tuple[InferenceRow, ...] = (),
    as_of: str = "",
    lengths_stated: bool = True,
) -> Serving | Unfit:
    """Throughput of one replica on offline work: as many sequences as the cache holds."""
    own = [rate for rate in measured if (rate[0], rate[1]) == (gpu, gpus)]
    if own:
        best = max(own, key=lambda rate: rate[2])
        users = best[3] or 1
        return _by_user(model, precision, engine, best, users, prompt_tokens, output_tokens)
    made = replica(
        model,
        precision,
        engine,
        gpu,
        gpus,
        prompt_tokens,
        output_tokens,
        era(engine, as_of),
        own_rows,
        lengths_stated,
    )
    if isinstance(made, Unfit):
        return made
    users = made.mean_capacity
    memory = serving_memory(
        made.card,
        precision,
        engine,
        made.gpu,
        gpus,
        users=users,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens // 2,
    )
    return _serving(made, users, memory)


def speed_at(
    model: str,
    precision: str,
    engine: str,
    gpu: str,
    gpus: int,
    users: int,
    *,
    prompt_tokens: int,
    output_tokens: int,
    own_rows: tuple[InferenceRow, ...] = (),
    as_of: str = "",
    lengths_stated: bool = True,
    kv_precision: str = "bf16",
    offload_layers: int = 0,
) -> SpeedAt | Unfit:
    """The pace that `users` see; those beyond what memory and engine hold wait their turn."""
    made = replica(
        model,
        precision,
        engine,
        gpu,
        gpus,
        prompt_tokens,
        output_tokens,
        era(engine, as_of),
        own_rows,
        lengths_stated,
        kv_precision=kv_precision,
        offload_layers=offload_layers,
    )
    return made if isinstance(made, Unfit) else made.at(users, made.admitted)


def _serving(made: Replica, users: int, memory: MemoryBreakdown) -> Serving:
    pace = made.at(users, users)
    return Serving(
        gpu=made.gpu.id,
        gpus=made.gpus,
        users=users,
        requests_per_s=pace.output_tokens_per_s / made.output_tokens,
        output_tokens_per_s=pace.output_tokens_per_s,
        tokens_per_s_per_user=pace.tokens_per_s_per_user,
        ttft_s=pace.ttft_s,
        memory=memory,
        label=pace.label,
        provenance=pace.provenance,
        band=pace.band,
        modelled_tokens_per_s_per_user=pace.modelled_tokens_per_s_per_user,
    )


def _service_by_user(
    model: str,
    precision: str,
    engine: str,
    gpu: str,
    gpus: int,
    floor_tokens_per_s: float,
    own: Sequence[MeasuredRate],
    *,
    prompt_tokens: int,
    output_tokens: int,
) -> Serving | Unfit:
    """The largest measured number of users that keeps the floor."""
    levels = [(rate, rate[3] or max(int(rate[2] / floor_tokens_per_s), 1)) for rate in own]
    kept = [(rate, users) for rate, users in levels if rate[2] / users >= floor_tokens_per_s]
    if not kept:
        rate, users = max(levels, key=lambda level: level[0][2] / level[1])
        return Unfit(
            f"{rate[2] / users:.1f} tokens/s per user were measured on {gpus} x {gpu} at {users} "
            f"users, and {floor_tokens_per_s:g} were asked for"
        )
    rate, users = max(kept, key=lambda level: (level[1], level[0][2]))
    return _by_user(model, precision, engine, rate, users, prompt_tokens, output_tokens)


def _by_user(
    model: str,
    precision: str,
    engine: str,
    rate: MeasuredRate,
    users: int,
    prompt_tokens: int,
    output_tokens: int,
) -> Serving:
    gpu, gpus, tokens_per_s, _ = rate
    card, accelerator = model_card(model), accelerators()[gpu]
    speed = inference_speed(card, precision, engine, accelerator, gpus)
    lengths = {"prompt_tokens": prompt_tokens, "output_tokens": output_tokens}
    memory = serving_memory(
        card,
        precision,
        engine,
        accelerator,
        gpus,
        users=users,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
    )
    return Serving(
        gpu=gpu,
        gpus=gpus,
        users=users,
        requests_per_s=tokens_per_s / output_tokens,
        output_tokens_per_s=tokens_per_s,
        tokens_per_s_per_user=tokens_per_s / users,
        ttft_s=speed.ttft_s(users, **lengths) if speed else 0.0,
        memory=memory,
        label="measured",
        provenance=BY_USER,
    )
