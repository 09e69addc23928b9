"""Settings of the refresh jobs and the price store: flags > environment > project file > user file.

The project file is ``rentopt.toml`` in the working folder, the user file
``$XDG_CONFIG_HOME/rentopt/config.toml``; variables are ``RENTOPT_STORE``,
``RENTOPT_REFRESH__WORKERS`` and so on, two underscores for each table entered.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from providers.errors import DocumentError, Fault, RentoptError

PROJECT_FILE = "rentopt.toml"
_STRICT = ConfigDict(extra="forbid", frozen=True)


class ProviderConfig(BaseModel):
    """How one source is asked, where it differs from what its adapter does by itself."""

    model_config = _STRICT

    enabled: bool = True
    base_url: str = ""
    regions: tuple[str, ...] = ()
    options: Mapping[str, str] = Field(default_factory=dict)
    credentials: Mapping[str, str] = Field(default_factory=dict, repr=False)
    """Variable the adapter knows → ``env:OTHER_NAME`` or ``file:/path``. Never the secret itself:
    a config file is copied, committed and mailed."""
    pause_s: NonNegativeFloat | None = None
    """Least time between two requests; the adapter's own when left out."""


class RefreshConfig(BaseModel):
    """The job as a whole."""

    model_config = _STRICT

    workers: PositiveInt = 8
    """Sources asked at the same time."""
    deadline_minutes: PositiveFloat = 30.0
    """For all of them together."""
    connect_timeout_s: PositiveFloat = 5.0
    read_timeout_s: PositiveFloat = 30.0
    """Between two pieces of an answer."""
    answer_timeout_s: PositiveFloat = 90.0
    """For one whole answer."""
    keep_snapshots_days: PositiveInt = 400
    """Raw answers older than this are dropped; prices never are."""


class GateConfig(BaseModel):
    """What makes a new table suspicious."""

    model_config = _STRICT

    least_rows_share: float = Field(0.7, ge=0, le=1)
    biggest_move: float = Field(3.0, gt=1)
    """Times; a single price that moved further is held back."""
    biggest_median_move: float = Field(1.5, gt=1)
    most_held_share: float = Field(0.1, ge=0, le=1)


class NotifyConfig(BaseModel):
    """Who is told when something needs a person."""

    model_config = _STRICT

    webhook: str = ""
    command: tuple[str, ...] = ()
    """Program and arguments; gets the event as JSON on standard input."""
    on: tuple[Literal["failure", "quarantine", "decision"], ...] = (
        "failure",
        "quarantine",
        "decision",
    )


class Config(BaseSettings):
    """Everything a config file may hold."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="RENTOPT_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
    )

    store: str = ""
    """Path of a SQLite file or a PostgreSQL URL; empty: `default_store`."""
    max_age_hours: PositiveFloat = 36.0
    refresh: RefreshConfig = RefreshConfig()
    gates: GateConfig = GateConfig()
    providers: Mapping[str, ProviderConfig] = Field(default_factory=dict)
    notify: NotifyConfig = NotifyConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = (TomlConfigSettingsSource(settings_cls, path) for path in config_files())
        return (init_settings, env_settings, *files)

    @property
    def max_age(self) -> timedelta:
        return timedelta(hours=self.max_age_hours)

    @property
    def store_url(self) -> str:
        return self.store or str(default_store())

    def provider(self, name: str) -> ProviderConfig:
        return self.providers.get(name, ProviderConfig())


def config_files() -> list[Path]:
    """Those that exist, the one that wins first."""
    found = [Path(PROJECT_FILE), _folder("XDG_CONFIG_HOME", ".config") / "config.toml"]
    return [path for path in found if path.is_file()]


def default_store() -> Path:
    return _folder("XDG_DATA_HOME", ".local/share") / "prices.db"


def _folder(variable: str, below_home: str) -> Path:
    base = os.environ.get(variable, "")
    return (Path(base) if base else Path.home() / below_home) / "rentopt"


def load_config(**flags: Any) -> Config:
    """The settings in force; `flags` that are None are left out.

    Raises:
        DocumentError: a config file is no TOML, or a value is not allowed.
    """
    for path in config_files():
        _check_syntax(path)
    try:
        return Config(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise DocumentError([_fault(details) for details in error.errors()]) from None


def _check_syntax(path: Path) -> None:
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DocumentError([Fault(str(path), 0, 0, "", f"is no TOML: {error}")]) from None
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise DocumentError([Fault(str(path), 0, 0, "", problem)]) from None


def _fault(details: Any) -> Fault:
    """A fault with the file it is in; a variable of the environment may be to blame too."""
    path = [str(part) for part in details["loc"]]
    variable = "RENTOPT_" + "__".join(path).upper()
    where = next((str(file) for file in config_files() if _holds(file, path)), "")
    where = where or (variable if variable in os.environ else "settings")
    hint = "see docs/jobs.md for what may be set" if details["type"] == "extra_forbidden" else ""
    return Fault(where, 0, 0, ".".join(path), details["msg"], hint)


def _holds(file: Path, path: list[str]) -> bool:
    found: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    for step in path:
        if not isinstance(found, Mapping) or step not in found:
            return False
        found = found[step]
    return True


def credentials(config: ProviderConfig, name: str) -> dict[str, str]:
    """The environment an adapter sees: the process's own, and what its config adds.

    Raises:
        RentoptError: a named file cannot be read, or the config holds something else.
    """
    known = dict(os.environ)
    for variable, where in config.credentials.items():
        kind, _, rest = where.partition(":")
        if kind == "env":
            known[variable] = os.environ.get(rest, "")
        elif kind == "file":
            try:
                known[variable] = Path(rest).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise RentoptError(f"{name}: {variable}: '{rest}' cannot be read") from None
        else:
            raise RentoptError(
                f"providers.{name}.credentials.{variable} must be env:NAME or file:PATH; "
                "a secret itself does not belong in a config file"
            )
    return known
