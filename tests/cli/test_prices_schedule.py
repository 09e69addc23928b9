"""`rentopt prices schedule`."""

import re
import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from optimizer.cli.prices.schedule import schedule
from providers.config import load_config
from providers.errors import RentoptError

MANUAL = Path(__file__).parents[2] / "docs" / "jobs.md"
app = typer.Typer(add_completion=False)
app.command()(schedule)
ALL = ("--cron", "--systemd", "--kubernetes", "--github")
FILES = {
    "--cron": ["rentopt.crontab"],
    "--systemd": ["rentopt-prices.service", "rentopt-prices.timer"],
    "--kubernetes": ["rentopt-cronjob.yaml"],
    "--github": ["rentopt-prices.yml"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOGNAME", "ada")
    return tmp_path


@pytest.fixture
def keys(folder):
    file = folder / "keys.env"
    file.write_text("LAMBDA_API_KEY=planted-secret\nRENTOPT_STORE='postgresql://a:planted@db/p'\n")
    file.chmod(0o600)
    return file


def run(*arguments):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def refusal(*arguments):
    with pytest.raises(RentoptError) as caught:
        run(*arguments)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize("kind", ALL)
def test_one_kind_is_printed_and_written_alike(kind, folder):
    printed = run(kind, "--at", "04:17", "--tz", "Asia/Shanghai", "--command", "/opt/rentopt")
    assert (printed.exit_code, printed.stderr) == (0, "")
    units = folder / "deep" / "units"
    done = run(
        *(kind, "--at", "04:17", "--tz", "Asia/Shanghai", "--command", "/opt/rentopt"),
        *("--output", str(units)),
    )
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.endswith("; how to install each is at its top\n")
    assert sorted(file.name for file in units.iterdir()) == FILES[kind]
    for name in FILES[kind]:
        text = (units / name).read_text()
        assert text in printed.stdout
        assert (len(FILES[kind]) > 1) == (f"# ==> {name} <==\n{text}" in printed.stdout)


def test_all_kinds_can_be_had_at_once(folder):
    names = [name for kind in ALL for name in FILES[kind]]
    assert re.findall(r"# ==> (.*) <==", run(*ALL).stdout) == names


def test_every_kind_names_the_time_and_its_zone():
    printed = run(*ALL, "--at", "05:09", "--tz", "Europe/Berlin").stdout
    assert "CRON_TZ=Europe/Berlin\nSHELL=/bin/sh\n9 5 * * * " in printed
    assert "OnCalendar=*-*-* 05:09:00 Europe/Berlin\n" in printed
    assert 'schedule: "9 5 * * *"\n  timeZone: "Europe/Berlin"\n' in printed
    assert '- cron: "9 5 * * *"\n      timezone: "Europe/Berlin"\n' in printed
    assert printed.count("every night at 05:09 Europe/Berlin.") == 4


def test_the_minute_left_out_is_always_the_same_one_and_the_zone_utc():
    first, second = run("--cron").stdout, run("--cron").stdout
    assert first == second
    assert re.search(r"at 0[45]:\d[1-46-9] UTC", first)


def test_paths_go_where_they_are_needed(folder):
    printed = run(
        *("--cron", "--command", "/opt/rentopt", "--store", "/srv/p.db"),
        *("--metrics-file", "/srv/m.prom", "--env-file", "/srv/keys.env"),
    ).stdout
    assert "/opt/rentopt prices refresh --metrics-file /srv/m.prom --store /srv/p.db " in printed
    assert "set -a; . /srv/keys.env; set +a" in printed
    assert f"export XDG_DATA_HOME={folder}/data" in printed


def test_a_service_is_its_makers_or_has_a_user_of_its_own():
    assert "\nUser=ada\n" in run("--systemd").stdout
    other = run("--systemd", "--user", "carol-of-elsewhere").stdout
    assert "ReadWritePaths=/home/carol-of-elsewhere/.local/share/rentopt\n" in other
    assert "EnvironmentFile=-/home/carol-of-elsewhere/.config/rentopt/keys.env\n" in other
    own = run("--systemd", "--user", "root").stdout
    assert "\nDynamicUser=yes\n" in own
    assert "EnvironmentFile=-/etc/rentopt/keys.env\n" in own


def test_names_of_keys_are_used_and_their_values_never(keys):
    done = run(*ALL, "--env-file", str(keys))
    assert "planted" not in done.stdout + done.stderr
    assert "LAMBDA_API_KEY: ${{ secrets.LAMBDA_API_KEY }}" in done.stdout
    assert f"--from-env-file={keys}" in done.stdout
    assert "PersistentVolumeClaim" not in done.stdout
    assert done.stderr == ""


def test_keys_that_others_may_read_are_warned_of(keys):
    keys.chmod(0o644)
    said = run("--cron", "--env-file", str(keys)).stderr
    assert said == f"rentopt: warning: others may read {keys}; run: chmod 600 {keys}\n"


def test_keys_of_another_machine_need_not_be_here_but_for_github():
    assert "EnvironmentFile=/srv/k.env\n" in run("--systemd", "--env-file", "/srv/k.env").stdout
    assert "cannot be read: No such file" in refusal("--github", "--env-file", "/srv/k.env")


def test_files_that_are_there_are_kept_unless_forced(folder):
    (folder / "rentopt-prices.timer").write_text("mine\n")
    said = refusal("--systemd", "--output", str(folder))
    assert "rentopt-prices.timer there already; --force overwrites" in said
    assert not (folder / "rentopt-prices.service").exists()
    assert run("--systemd", "--output", str(folder), "--force").exit_code == 0
    assert "[Timer]" in (folder / "rentopt-prices.timer").read_text()
    mode = (folder / "rentopt-prices.service").stat().st_mode
    assert not mode & (stat.S_IXUSR | stat.S_IWOTH)


def test_a_folder_that_cannot_be_one_is_named(folder):
    (folder / "file").write_text("")
    assert "cannot be written: " in refusal("--cron", "--output", str(folder / "file" / "units"))


def test_none_chosen_names_all():
    assert refusal() == "say which: --cron, --systemd, --kubernetes, --github"


def test_a_password_in_the_stores_address_is_refused():
    said = refusal("--cron", "--store", "postgresql://ada:planted@db/p")
    assert "put RENTOPT_STORE=URL into the file of keys" in said
    assert "planted" not in said


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--at", "25:00"], "'25:00' is no time of day; write it like 03:17"),
        (["--at", "noon"], "'noon' is no time of day"),
        (["--tz", "Mars/Olympus"], "'Mars/Olympus' is no time zone"),
    ],
)
def test_a_time_that_is_none_is_a_fault_of_usage(arguments, reason):
    done = run("--cron", *arguments)
    assert done.exit_code == 2
    assert reason in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())


def test_the_settings_in_the_manual_are_sound_and_name_all_there_are(folder):
    settings = re.search(r"```toml\n(.*?)```", MANUAL.read_text(), re.DOTALL)[1]
    (folder / "rentopt.toml").write_text(settings)
    config = load_config()
    assert config.provider("aws").regions == ("us-east-1", "eu-central-1")
    assert config.provider("fx").options["frankfurter_url"].endswith("/frankfurter")
    for part in (config, config.refresh, config.gates, config.notify):
        for name in type(part).model_fields:
            assert re.search(rf"^\[?{name}\b", settings, re.MULTILINE), name
    for name in type(config.provider("aws")).model_fields:
        assert f"{name} = " in settings, name


def test_the_manual_explains_every_option():
    import typer.main

    command = typer.main.get_command(app)
    for option in command.params:
        assert option.opts[0] in MANUAL.read_text(), option.opts[0]
