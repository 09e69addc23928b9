"""What a schedule says about training reaches the sizing of its gangs."""

import pytest

from optimizer.options.workloads import job_options
from optimizer.schedule.document import TrainingJob
from providers.hardware import node_kind

JOB = {"name": "tuning", "kind": "training", "model": "Qwen2-72B", "method": "full"}
NODE = [node_kind("8xA800-80GB")]


def options(**more):
    job = TrainingJob.model_validate({**JOB, "tokens": "100M tokens", **more})
    return job_options(job, NODE, as_of="2026-12-01")


def test_a_job_that_does_not_fit_is_rejected_with_both_figures():
    found, rejected, _ = options()
    assert not found
    assert "on each of 8 x A800-80GB, which have" in rejected[0].reason


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"optimizer": "adamw-8bit"}, "zero-3, full checkpointing"),
        ({"offload": "optimizer"}, "optimizer offloaded to"),
        ({"max_nodes": 4}, "zero-3"),
        ({"method": "lora", "checkpointing": "full"}, "full checkpointing"),
    ],
)
def test_what_it_allows_makes_it_fit(more, shown):
    found, _, _ = options(**more)
    assert found
    assert shown in found[0].provenance


def test_fp8_and_tuned_software_raise_the_rate_and_a_forced_strategy_never_does():
    def rate(**more):
        job = {**JOB, "model": "Llama-2-7B", "tokens": "100M tokens", **more}
        found, _, _ = job_options(
            TrainingJob.model_validate(job), [node_kind("8xH100-80GB")], as_of="2026-12-01"
        )
        return found[0].rate

    assert rate(framework="tuned", precision="fp8") > rate(framework="tuned") > rate()
    assert rate(strategy="zero-3", checkpointing="full") <= rate()
