"""Programs that check files, and what becomes of a test where one is not installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

PACKAGES = {
    "systemd-analyze": "systemd",
    "crontab": "cron",
    "shellcheck": "shellcheck",
    "soffice": "libreoffice-calc",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
}
"""Program → Debian package."""
WANTED = bool(os.environ.get("RENTOPT_TEST_TOOLS"))
"""Set by the gate: there a missing program is a failure."""
FOCUS_VALIDATOR = os.environ.get("RENTOPT_TEST_FOCUS_VALIDATOR", "")
"""The program of the package focus-validator, which needs an environment of its own."""
MISSING = [tool for tool in PACKAGES if not shutil.which(tool)]


def place(tool):
    """Where a program is."""
    return shutil.which(tool)


def usable(tools):
    """Those to test with: where it is not the gate that tests, without what is missing."""
    return [tool for tool in tools if WANTED or tool not in MISSING]


def left_out():
    """For the header of a run."""
    lines = []
    if MISSING and not WANTED:
        packages = " ".join(PACKAGES[tool] for tool in MISSING)
        lines.append(f"files are not checked with {', '.join(MISSING)}: apt-get install {packages}")
    if not FOCUS_VALIDATOR:
        lines.append("FOCUS rows are not checked with focus-validator (docs/review.md)")
    return lines


def run(*command, **options):
    """What a program says, and whether it is content."""
    if command[0] in MISSING:
        raise AssertionError(
            f"{command[0]} is not installed: apt-get install {PACKAGES[command[0]]}"
        )
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=60, **options
    )
    return done.returncode, done.stdout + done.stderr


def systemd_analyze(folder):
    """Both units together: the timer looks for its service beside it."""
    return run(
        "systemd-analyze", "verify", *sorted(folder.glob("*.service")), *folder.glob("*.timer")
    )


def exposure(folder):
    """systemd's own judgement of what a service could do to the machine: 0 nothing, 10 all."""
    service = folder / "rentopt-prices.service"
    return run("systemd-analyze", "security", "--offline=true", "--threshold=15", service)


def calendar(folder):
    timer = (folder / "rentopt-prices.timer").read_text()
    when = re.search(r"OnCalendar=(.*)", timer)[1]
    code, said = run("systemd-analyze", "calendar", when, env=os.environ | {"TZ": "UTC"})
    return int(code or "20:17:00 UTC" not in said), said


def crontab(folder):
    """-T in newer crons, -n in Debian 12's; neither needs a daemon, nor changes anything."""
    (file,) = folder.glob("*.crontab")
    code, said = run("crontab", "-T", file)
    return run("crontab", "-n", file) if "invalid option" in said else (code, said)


def shellcheck(folder):
    """Every line that a shell will read. SC1091: the file of keys is not here to be followed."""
    code, said = 0, ""
    for number, (shell, script) in enumerate(shell_lines(folder)):
        file = folder / f"line{number}.sh"
        file.write_text(script + "\n")
        found, output = run("shellcheck", "-s", shell, "-e", "SC1091", file)
        code, said = max(code, found), said + output
    return code, said


def shell_lines(folder):
    """(shell, text) of each script in crontabs and workflows."""
    from ruamel.yaml import YAML

    for file in folder.glob("*.crontab"):
        yield "dash", cron_command(file.read_text())
    for file in folder.glob("*.yml"):
        for step in YAML(typ="safe").load(file)["jobs"]["refresh"]["steps"]:
            if "run" in step:
                yield "bash", step["run"]


def cron_command(text):
    """What cron gives to the shell."""
    return text.splitlines()[-1].split(None, 5)[5].replace(r"\%", "%")


def check_jsonschema(folder):
    return run(
        *(sys.executable, "-m", "check_jsonschema"),
        *("--builtin-schema", "vendor.github-workflows", *folder.glob("*.yml")),
    )


def kubernetes(folder):
    """Against the published schema of Kubernetes, in which unknown fields are faults."""
    import json
    from pathlib import Path

    from jsonschema import Draft202012Validator
    from ruamel.yaml import YAML

    schema = json.loads((Path(__file__).parent / "report/kubernetes-v1.31-strict.json").read_text())
    faults = [
        f"{error.json_path}: {error.message}"
        for file in folder.glob("*.yaml")
        for document in YAML(typ="safe").load_all(file)
        for error in Draft202012Validator(
            schema | {"$ref": f"#/$defs/{_TYPES[document['kind']]}"}
        ).iter_errors(document)
    ]
    return len(faults), "\n".join(faults)


_TYPES = {
    "CronJob": "io.k8s.api.batch.v1.CronJob",
    "PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
}
