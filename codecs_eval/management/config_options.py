"""Options of a command made from a configuration's fields, as the page's form is."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from django.core.management.base import CommandParser


def add_options(parser: CommandParser, config: type, presets: Mapping[str, Any]) -> None:
    """`--learning-rate 0.001`, `--warm-start / --no-warm-start`: None where not given."""
    for entry in fields(config):
        _add_option(parser, entry, presets)


def given_settings(config: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the command line named."""
    return {
        entry.name: _as_setting(options[entry.name])
        for entry in fields(config)
        if options[entry.name] is not None
    }


def _as_setting(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _add_option(parser: CommandParser, entry: Field[Any], presets: Mapping[str, Any]) -> None:
    name = "--" + entry.name.replace("_", "-")
    default = None if entry.default is MISSING else entry.default
    text = f"{entry.metadata.get('help', '')} ({_default_words(entry, presets)})"
    text = text.replace("%", "%%")
    if isinstance(default, bool):
        group = parser.add_mutually_exclusive_group()
        group.add_argument(name, dest=entry.name, action="store_true", default=None, help=text)
        group.add_argument(
            name.replace("--", "--no-"), dest=entry.name, action="store_false", default=None
        )
    elif isinstance(default, tuple):
        of_tuple: dict[str, Any] = {"choices": entry.metadata.get("choices")}
        if entry.type == tuple[float, ...]:
            of_tuple = {"type": float}
        parser.add_argument(name, dest=entry.name, nargs="*", help=text, **of_tuple)
    elif "choices" in entry.metadata:
        choices = entry.metadata["choices"]
        parser.add_argument(name, dest=entry.name, choices=choices, help=text)
    else:
        parser.add_argument(name, dest=entry.name, type=type(default), help=text)


def _default_words(entry: Field[Any], presets: Mapping[str, Any]) -> str:
    """The value a setting has where it is not given: mostly the same in every preset."""
    values = {name: getattr(preset, entry.name) for name, preset in presets.items()}
    if len(set(values.values())) == 1:
        return f"default {entry.default!r}" if entry.default == "" else f"default {entry.default}"
    return ", ".join(f"{name}: {value}" for name, value in values.items())
