"""Puts a configuration together: a TOML file, ``EVENTGATE_…`` variables and secret files, validated.

What is said on the command line wins over the environment, that over secret files, those over the TOML file.
Touches files and the environment, at start only.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError

from eventgate.config.sections import Configuration
from eventgate.errors import ConfigurationError, FieldError

PREFIX = "EVENTGATE_"
_SECRET_WORDS = ("url", "password", "secret", "token")


class _Gathered(BaseSettings, Configuration):
    """A Configuration put together from its sources; ``_file`` is the parsed TOML, ``_secrets`` a directory."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", secrets_dir_missing="error")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings
        assert isinstance(init_settings, InitSettingsSource)
        told = dict(init_settings.init_kwargs)
        file, directory = told.pop("_file"), told.pop("_secrets")
        secrets = NestedSecretsSettingsSource(
            file_secret_settings, secrets_dir=directory, env_prefix="", secrets_nested_delimiter="__"
        )
        return (InitSettingsSource(settings_cls, told), env_settings, secrets, InitSettingsSource(settings_cls, file))


def load(path: Path | None = None, told: Mapping[str, Any] | None = None) -> Configuration:
    """Put the configuration together from the file ``path`` (``EVENTGATE_CONFIG`` by default) and everything else.

    ``told`` is what the command line said, nested as the file is.
    Raises ConfigurationError naming source, key, what was expected and what came, all mistakes at once.
    """
    if path is None and (named := os.environ.get(f"{PREFIX}CONFIG")):
        path = Path(named)
    file = _read(path) if path else {}
    strangers = _unknown_variables()
    if strangers:
        raise ConfigurationError("environment", strangers)
    try:
        sources: dict[str, Any] = {"_file": file, "_secrets": os.environ.get(f"{PREFIX}SECRETS")}
        gathered = _Gathered(**sources, **(told or {}))
    except ValidationError as error:
        raise _explain(error, path, file) from None
    except SettingsError as error:
        raise ConfigurationError("environment", [FieldError(PREFIX, "unreadable", str(error))]) from None
    return Configuration.model_validate(gathered.model_dump())


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            str(path), [FieldError("the file", "unreadable", f"expected TOML: {reason}")]
        ) from None


def _unknown_variables() -> list[FieldError]:
    """Variables that look like ours and name no section: a slip that would otherwise pass in silence."""
    sections = [name.upper() for name in Configuration.model_fields]
    return [
        FieldError(name, "unknown", f"no such section; expected one of {', '.join(sections)}")
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and "__" in name and name.removeprefix(PREFIX).split("__")[0] not in sections
    ]


def _explain(error: ValidationError, path: Path | None, file: Mapping[str, Any]) -> ConfigurationError:
    problems, sources = [], set()
    for each in error.errors(include_url=False):
        keys = [str(key) for key in each["loc"]]
        variable = PREFIX + "__".join(keys).upper()
        from_environment = any(variable == name or variable.startswith(f"{name}__") for name in os.environ)
        sources.add("environment" if from_environment else str(path or "command line"))
        pointer = variable if from_environment else ".".join(_named(keys, file))
        problems.append(
            FieldError(pointer, each["type"], _sentence(each["msg"], each["type"], keys, each.get("input")))
        )
    return ConfigurationError(" and ".join(sorted(sources)), problems)


def _named(keys: list[str], file: Mapping[str, Any]) -> list[str]:
    """The way to a key, with a sink's name instead of its number, as everywhere else."""
    match keys:
        case ["sinks", number, key, *rest] if key != "name":
            there = dict(enumerate(file.get("sinks", ())))  # what a secret file says of sinks is not in it
            name = there.get(int(number), {}).get("name")
            return ["sinks", name if isinstance(name, str) else number, key, *rest]
    return keys


def _sentence(message: str, kind: str, keys: list[str], came: object) -> str:
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(keys[-1], _names_beside(keys), 1)
        return "there is no such key" + (f"; did you mean {near[0]}?" if near else "")
    if kind == "missing":
        return "expected a value, found none"
    if kind == "tuple_type":
        message = "expected a list"
    if kind.startswith("uuid"):
        message = "expected an id, as in 0199c1f0-0000-7000-8000-000000000000"
    sentence = message.removeprefix("Value error, ").replace("Input should be", "expected", 1)
    plain = isinstance(came, str | int | float) and not any(word in keys[-1] for word in _SECRET_WORDS)
    return f"{sentence}, found {came!r}" if plain else sentence


def _names_beside(keys: list[str]) -> list[str]:
    fields = Configuration.model_fields
    if len(keys) == 1:
        return list(fields)
    section = fields[keys[0]].annotation
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
