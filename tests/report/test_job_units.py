"""The units of the refresh job: what the real tools say of them, and what they do when run."""

from __future__ import annotations

import re
import stat
import subprocess
from dataclasses import replace
from datetime import time

import lint_tools
import pytest
from ruamel.yaml import YAML

from optimizer.report.job_units import UNITS, RefreshJob, key_names, night_time
from providers.errors import RentoptError

JOB = RefreshJob(
    at=time(4, 17),
    zone="Asia/Shanghai",
    command="/usr/bin/true",
    data="/home/ada/.local/share/rentopt",
    keys="/home/ada/.config/rentopt/keys.env",
    user="ada",
)
JOBS = {
    "of a user": JOB,
    "of its own user": replace(JOB, user="root", keys="/etc/rentopt/keys.env"),
    "on a server": replace(
        JOB, key_names=("LAMBDA_API_KEY", "RENTOPT_STORE"), keys_must_exist=True
    ),
    "with every path named": replace(
        JOB,
        store="/srv/prices/100%/gpu.db",
        metrics="/var/lib/node/rentopt.prom",
        data_home="/srv/data",
        image="registry.example:5000/rentopt@sha256:" + "0" * 64,
    ),
    "with a server's address": replace(JOB, store="postgresql://db.example/prices?sslmode=require"),
}
CHECKS = {
    "systemd-analyze": ("systemd", lint_tools.systemd_analyze),
    "systemd-analyze security": ("systemd", lint_tools.exposure),
    "systemd-analyze calendar": ("systemd", lint_tools.calendar),
    "crontab": ("cron", lint_tools.crontab),
    "shellcheck": ("cron", lint_tools.shellcheck),
    "shellcheck of the workflow": ("github", lint_tools.shellcheck),
    "check-jsonschema": ("github", lint_tools.check_jsonschema),
    "the schema of Kubernetes": ("kubernetes", lint_tools.kubernetes),
}
USABLE = [check for check in CHECKS if lint_tools.usable([check.split()[0]])]
SPOILED = {
    "systemd-analyze": ("Type=oneshot", "Type=oneshoot"),
    "systemd-analyze security": ("CapabilityBoundingSet=", ""),
    "systemd-analyze calendar": ("Asia/Shanghai", "Asia/Tokyo"),
    "crontab": ("17 4 *", "77 4 *"),
    "shellcheck": ("umask 077", "umask $1"),
    "shellcheck of the workflow": ('"$GITHUB_PATH"', "$GITHUB_PATH"),
    "check-jsonschema": ("permissions:", "permission:"),
    "the schema of Kubernetes": ("concurrencyPolicy:", "concurencyPolicy:"),
}


def write(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.mark.parametrize("check", USABLE)
@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_the_tool_finds_no_fault(check, job, tmp_path):
    kind, lint = CHECKS[check]
    write(tmp_path, UNITS[kind](job))
    code, said = lint(tmp_path)
    assert (code, re.findall(r"warning|Unknown|ignoring", said)) == (0, []), said


@pytest.mark.parametrize("check", USABLE)
def test_the_tool_would_find_a_fault(check, tmp_path):
    kind, lint = CHECKS[check]
    right, wrong = SPOILED[check]
    files = UNITS[kind](JOB)
    assert any(right in text for text in files.values())
    write(tmp_path, {name: text.replace(right, wrong) for name, text in files.items()})
    code, said = lint(tmp_path)
    assert code != 0 or "Failed to parse" in said


class Machine:
    """Runs the line of a crontab in a shell of its own, with a stand-in for rentopt."""

    def __init__(self, folder):
        self.folder = folder / "it's 100% here"
        self.folder.mkdir()
        self.script = self.folder / "rentopt"
        self.keys = self.folder / "keys.env"
        self.keys.write_text("A_KEY='s3cr3t $HOME'\n")
        self.data = self.folder / "data"
        self.job = replace(
            JOB,
            command=str(self.script),
            data=str(self.data),
            keys=str(self.keys),
        )
        self.answers(0)

    def answers(self, code, body='printf "%s\\n" "$@" "key $A_KEY" "umask $(umask)"'):
        self.script.write_text(f"#!/bin/sh\n{body}\nexit {code}\n")
        self.script.chmod(0o755)

    def run(self, **changes):
        text = UNITS["cron"](replace(self.job, **changes))["rentopt.crontab"]
        line = lint_tools.cron_command(text)
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            capture_output=True,
            text=True,
            timeout=30,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder)},
        )
        return done.returncode, done.stdout, done.stderr

    @property
    def log(self):
        return (self.data / "refresh.log").read_text()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_the_line_runs_the_refresh_with_the_keys(machine):
    assert machine.run() == (0, "", "")
    arguments = ["prices", "refresh", "--metrics-file", f"{machine.data}/rentopt.prom"]
    assert machine.log.splitlines() == [*arguments, "key s3cr3t $HOME", "umask 0077"]
    assert stat.S_IMODE((machine.data / "refresh.log").stat().st_mode) == 0o600


def test_the_line_says_what_failed_and_is_silent_where_another_is_at_work(machine):
    machine.answers(5, "echo vast failed")
    assert machine.run()[1:] == ("vast failed\n", "")
    machine.answers(6, "echo another refresh is at work")
    assert machine.run() == (0, "", "")


def test_the_line_does_nothing_while_the_last_one_runs(machine):
    machine.run()
    lock = machine.data / "refresh.cron.lock"
    machine.answers(0, "echo a second one")
    with subprocess.Popen(
        ["flock", str(lock), "sh", "-c", "echo held; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        holder.stdout.readline()
        assert machine.run() == (0, "", "")
        assert "a second one" not in machine.log
        holder.stdin.close()
    machine.run()
    assert machine.log == "a second one\n"


def test_keys_asked_for_must_be_there_and_others_need_not(machine):
    machine.keys.unlink()
    assert machine.run() == (0, "", "")
    assert "key \n" in machine.log
    code, _, said = machine.run(keys_must_exist=True)
    assert code != 0
    assert "keys.env" in said


def test_the_line_passes_the_store_and_its_folder(machine):
    store = f"{machine.folder}/store/gpu.db"
    machine.answers(0, 'echo "$@" "$XDG_DATA_HOME"')
    machine.run(store=store, data_home="/srv/da ta", metrics="/run/rentopt.prom")
    said = (machine.folder / "store" / "refresh.log").read_text()
    assert said == f"prices refresh --metrics-file /run/rentopt.prom --store {store} /srv/da ta\n"


def cronjob(job):
    (text,) = UNITS["kubernetes"](job).values()
    return list(YAML(typ="safe").load_all(text))


def test_the_pod_may_do_little():
    job, volume = cronjob(JOB)
    assert (job["spec"]["schedule"], job["spec"]["timeZone"]) == ("17 4 * * *", "Asia/Shanghai")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["startingDeadlineSeconds"] == 12 * 3600
    work = job["spec"]["jobTemplate"]["spec"]
    assert (work["activeDeadlineSeconds"], work["backoffLimit"]) == (2700, 0)
    pod = work["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"] == {"memory": "1Gi"}
    assert container["envFrom"] == [{"secretRef": {"name": "rentopt-keys", "optional": True}}]
    assert "/var/lib/rentopt/rentopt.prom" in container["command"]
    claim = {"claimName": volume["metadata"]["name"]}
    assert pod["volumes"][0] == {"name": "store", "persistentVolumeClaim": claim}


def test_a_store_on_a_server_needs_no_volume_but_a_folder_for_the_lock():
    for job in (JOBS["on a server"], JOBS["with a server's address"]):
        (document,) = cronjob(job)
        pod = document["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert pod["volumes"][0] == {"name": "store", "emptyDir": {}}
        assert pod["containers"][0]["volumeMounts"][0]["mountPath"] == "/var/lib/rentopt"


def steps(job):
    (text,) = UNITS["github"](job).values()
    document = YAML(typ="safe").load(text)
    assert document["permissions"] == {"contents": "read"}
    assert document["concurrency"] == {"group": "rentopt-prices", "cancel-in-progress": False}
    schedule = [{"cron": "17 4 * * *", "timezone": "Asia/Shanghai"}]
    assert document["on"]["schedule"] == schedule
    assert document["jobs"]["refresh"]["timeout-minutes"] == 45
    return document["jobs"]["refresh"]["steps"]


def test_every_action_of_the_workflow_is_pinned_to_a_commit():
    used = [step["uses"] for step in steps(JOB) if "uses" in step]
    assert len(used) == 3
    assert all(re.fullmatch(r"actions/[a-z/]+@[0-9a-f]{40}", action) for action in used)


def test_the_workflow_gives_secrets_to_the_steps_that_need_them():
    found = {step.get("name"): step.get("env") for step in steps(JOBS["on a server"])}
    assert found["Refresh"] == {
        "LAMBDA_API_KEY": "${{ secrets.LAMBDA_API_KEY }}",
        "RENTOPT_STORE": "${{ secrets.RENTOPT_STORE }}",
    }
    assert found["Status"] == {"RENTOPT_STORE": "${{ secrets.RENTOPT_STORE }}"}
    assert found["Install"] is None


def test_the_workflow_keeps_the_store_between_runs_only_where_it_is_a_file():
    names = [step.get("name") for step in steps(JOB)]
    assert names == [None, "Install", "Fetch the store", "Refresh", "Status", "Keep the store"]
    names = [step.get("name") for step in steps(JOBS["on a server"])]
    assert names == [None, "Install", "Refresh", "Status"]


def test_the_minute_is_ones_own_stable_and_none_of_the_round_ones():
    times = [night_time(f"user{number}@host") for number in range(500)]
    assert all(moment.hour in (4, 5) and moment.minute % 5 for moment in times)
    assert len(set(times)) > 90
    assert night_time("ada@engine") == night_time("ada@engine") == time(4, 56)


def test_only_the_names_of_keys_are_read(tmp_path):
    file = tmp_path / "keys.env"
    file.write_text(
        "# two keys\nA_KEY=s3cr3t=x\n\nexport B_KEY='t'\n  C=\nA_KEY=again\nnot a line\n"
    )
    assert key_names(file) == ("A_KEY", "B_KEY", "C")
    with pytest.raises(RentoptError, match=r"none\.env cannot be read: No such file"):
        key_names(tmp_path / "none.env")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(RentoptError, match="no text"):
        key_names(file)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"command": "/bin/rentopt\nrm -r /"}, "has a line break"),
        ({"store": "postgresql://ada:s3cr3t@db/prices"}, "has a password"),
        ({"store": "postgresql://db/prices?user=a&password=s3cr3t"}, "has a password"),
        ({"store": "postgresql://[db/prices"}, "the store's URL is none"),
        ({"user": "ada;rm"}, "is no name of a user"),
    ],
)
def test_what_has_no_place_in_a_unit_is_refused(changes, reason):
    with pytest.raises(RentoptError, match=reason) as refusal:
        replace(JOB, **changes)
    assert "s3cr3t" not in str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("cron", {"command": "rentopt"}, "cron needs the whole path: --command rentopt"),
        ("systemd", {"keys": "keys.env"}, "systemd needs the whole path: --env-file keys.env"),
        ("kubernetes", {"store": "p.db"}, "Kubernetes needs the whole path: --store p.db"),
        ("systemd", {"user": "root", "store": "/srv/a/p.db"}, "name with --user who may write"),
        ("systemd", {"user": "root", "metrics": "/srv/p.prom"}, "name with --user who may write"),
        ("systemd", {"keys": "/srv/my keys"}, "takes no spaces and quotes in a path"),
    ],
)
def test_what_a_scheduler_could_not_do_is_refused(kind, changes, reason):
    with pytest.raises(RentoptError, match=reason):
        UNITS[kind](replace(JOB, **changes))


def test_a_service_may_write_only_where_its_store_is():
    service = UNITS["systemd"](JOBS["with every path named"])["rentopt-prices.service"]
    assert "ReadWritePaths=/srv/prices/100%% /var/lib/node\n" in service
    assert "ProtectSystem=strict\n" in service
    assert "User=ada\n" in service
    assert "--store /srv/prices/100%%/gpu.db\n" in service
    own = UNITS["systemd"](JOBS["of its own user"])["rentopt-prices.service"]
    assert "DynamicUser=yes\n" in own
    assert "ReadWritePaths" not in own
    assert "EnvironmentFile=-/etc/rentopt/keys.env\n" in own
    named = UNITS["systemd"](JOBS["on a server"])["rentopt-prices.service"]
    assert f"EnvironmentFile={JOB.keys}\n" in named


def test_a_command_with_odd_characters_stays_one_word():
    job = replace(JOB, command="/opt/my rent$opt/bin/rentopt")
    service = UNITS["systemd"](job)["rentopt-prices.service"]
    assert 'ExecStart="/opt/my rent$$opt/bin/rentopt" prices refresh' in service
