"""The body of a new study, made of the design's own fields: what it has, the API takes."""

from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from ninja import Field as Said
from pydantic import create_model

from annotation.design.presets import PRESETS
from annotation.designing import SETTINGS, Design
from annotation.models import Study
from annotation.rest_schemas import Sent
from codecs_eval.run_kinds import listed_as_tuples

LARGEST = 2**31 - 1
SLUG = r"^[-a-zA-Z0-9_]+$"
_SAID: dict[str, dict[str, Any]] = {
    "title": {"min_length": 1, "max_length": 120, "description": "As its people read it."},
    "slug": {
        "min_length": 1,
        "max_length": 60,
        "pattern": SLUG,
        "description": "Short name, of letters, digits, - and _; part of its addresses.",
    },
    "collection": {
        "min_length": 1,
        "max_length": 80,
        "pattern": SLUG,
        "description": "Imported photos with an encoded ladder.",
    },
    "codecs": {"min_length": 2, "description": "Names from /api/v1/codecs, two or more."},
    "rates_bpp": {"min_length": 1, "description": "Target rates in bits per pixel, each > 0."},
    "question": {"max_length": 200, "description": "Empty: the words that belong to the mode."},
    "is_simulated": {"description": "For simulated observers, never for people."},
}


def _design_in() -> Any:
    hints = get_type_hints(Design)
    made: Any = {field.name: _asked(field, hints[field.name]) for field in fields(Design)}
    return create_model("DesignIn", __base__=Sent, __doc__="A study as it is asked for.", **made)


def design_of(sent: Any) -> Design:
    """Raises ValueError as Design does."""
    said = sent.model_dump(exclude_unset=True)
    values = {name: listed_as_tuples(value) for name, value in said.items()}
    if values.get("preset"):
        return Design.of_preset(values.pop("preset"), **values)
    return Design(**values)


def _asked(field: Field[Any], hint: Any) -> tuple[Any, Any]:
    """The type and the facts of one field of the body."""
    facts = dict(_SAID.get(field.name, {}))
    if field.name in SETTINGS or "description" not in facts:
        facts = {**_facts_of_column(field.name), **facts}
    default = ... if field.default is MISSING else _as_json(field.default)
    choices = _choices_of(field.name)
    kind: Any = Literal[tuple(choices)] if choices else _in_json(hint)
    return Annotated[kind, Said(**facts)], default


def _choices_of(name: str) -> list[str]:
    if name == "preset":
        return ["", *PRESETS]
    column = _column(name)
    return [str(key) for key, _ in column.choices or ()] if column is not None else []


def _column(name: str) -> "models.Field[Any, Any] | None":
    found = {field.name: field for field in Study._meta.get_fields()}.get(name)
    return found if isinstance(found, models.Field) else None


def _facts_of_column(name: str) -> dict[str, Any]:
    column = _column(name)
    if column is None:
        return {}
    label = str(column.verbose_name)
    facts: dict[str, Any] = {
        "description": f"{label[:1].upper()}{label[1:]}. {column.help_text}".strip()
    }
    if isinstance(column, models.IntegerField):
        facts |= {"ge": 0, "le": LARGEST}
    if isinstance(column, models.FloatField):
        facts |= {"ge": 0, "le": 1e9, "allow_inf_nan": False}
    if isinstance(column, models.CharField) and not column.choices:
        facts["max_length"] = column.max_length
    for rule in column.validators:
        # A column of the database brings its own limits along, wider than these.
        if isinstance(rule, MinValueValidator):
            facts["ge"] = max(facts["ge"], rule.limit_value)
        if isinstance(rule, MaxValueValidator):
            facts["le"] = min(facts["le"], rule.limit_value)
    return facts


def _in_json(hint: Any) -> Any:
    """tuple[str, ...] is a list in JSON."""
    if get_origin(hint) is not tuple:
        return hint
    inside = [part for part in get_args(hint) if part is not ...]
    part: Any = _in_json(inside[0])
    return list[part]


def _as_json(value: Any) -> Any:
    return [_as_json(part) for part in value] if isinstance(value, tuple) else value


DesignIn = _design_in()
