"""What a configuration's fields say of themselves: they make the form and refuse what is wrong."""

from dataclasses import Field, field
from typing import Any


def number(default: Any, low: float, high: float, label: str, help_text: str) -> Any:
    return field(
        default=default, metadata={"label": label, "help": help_text, "low": low, "high": high}
    )


def choice(default: str, choices: tuple[str, ...], label: str, help_text: str) -> Any:
    return field(default=default, metadata={"label": label, "help": help_text, "choices": choices})


def switch(default: bool, label: str, help_text: str) -> Any:
    return field(default=default, metadata={"label": label, "help": help_text})


def text(default: str, label: str, help_text: str) -> Any:
    """May stay empty."""
    return field(
        default=default, metadata={"label": label, "help": help_text, "may_be_empty": True}
    )


def check_setting(entry: Field[Any], value: Any) -> None:
    """Raise ValueError where a value, or one of a tuple's, is not what its field takes."""
    kind: Any = entry.type
    if isinstance(value, tuple):
        kind = float if entry.type == tuple[float, ...] else str
    for one in value if isinstance(value, tuple) else (value,):
        _check(entry.name, one, kind, entry.metadata)


def _check(name: str, value: Any, kind: Any, facts: Any) -> None:
    expected: type | tuple[type, ...] = (int, float) if kind is float else kind
    is_stray_bool = isinstance(value, bool) and expected is not bool
    if not isinstance(value, expected) or is_stray_bool:
        raise ValueError(f"found {name} {value!r}; expected a value of type {kind}")
    if "choices" in facts and value not in facts["choices"]:
        raise ValueError(f"found {name} {value!r}; expected one of {', '.join(facts['choices'])}")
    if "low" in facts and not facts["low"] <= value <= facts["high"]:
        raise ValueError(f"found {name} {value}; expected {facts['low']} to {facts['high']}")
