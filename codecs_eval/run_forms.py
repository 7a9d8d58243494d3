"""Forms for runs, made of their configuration's own fields: the dataclass asks and validates."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from django import forms
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from codecs_eval import encoding, runs
from codecs_eval.models import Dataset, Run
from codecs_eval.named_codecs import probe_every
from codecs_eval.run_kinds import KINDS, load
from codecs_eval.saliency.table import SALIENCY
from codecs_eval.training.config import PRESETS

Choices = Sequence[tuple[str, str]]

# Asked at first sight; a configuration's other fields wait in the fold-out.
FIRST = {
    "encode_ladder": ("codecs", "rates_bpp", "tolerance"),
    "train_metric": (
        "mode",
        "backbone",
        "warm_start",
        "ridge",
        "epochs_flat",
        "epochs_decay",
        "folds",
    ),
    "agreement": ("metrics", "sources", "hold_out"),
    "compare_codecs": ("codecs", "collection", "rates_bpp"),
    "train_codec": (
        "collection",
        "size",
        "steps",
        "start",
        "metric",
        "metric_weight",
        "saliency",
        "saliency_weight",
    ),
    "saliency": ("model",),
    "downstream": ("codecs", "rates_bpp", "model", "coco_file"),
    "study_results": ("metrics", "anchor"),
}
# The fold-out of a long form, in parts; a setting that stands in none comes last.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "train_metric": {
        "Votes": ("head", "vote_weighting", "noise", "combine_with"),
        "Steps": ("learning_rate", "batch_size", "seed"),
        "Steps of tune and scratch": ("trunk_learning_rate", "accumulation", "clip_norm", "bf16"),
        "When to stop": ("early_stopping", "validation_share"),
    },
    "train_codec": {
        "Steps": ("batch_size", "crop_px", "learning_rate", "entropy_learning_rate", "bf16"),
        "Rates": ("ladder_px",),
        "When what happens": ("metric_from", "held_out", "measure_every", "seed"),
    },
    "agreement": {"Scores from a file": ("scores_file", "scores_name", "scores_better")},
}
# Below this many triplets the paper's recipe forgets more than it learns.
SMALL_DATA_TRIPLETS = 20_000


class NumbersField(forms.CharField):
    """Numbers with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return ", ".join(f"{number:g}" for number in value)
        return value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        try:
            return tuple(float(part) for part in text.split(",") if part.strip())
        except ValueError:
            raise forms.ValidationError(
                f"Found {text!r}; expected numbers with commas between them, for example 0.23, 1."
            ) from None


class NamesField(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> tuple[str, ...]:
        return tuple(super().clean(value))


def config_field(field: Field[Any], hint: Any, choices: Choices | None) -> forms.Field:
    """The form's field for one field of a configuration."""
    facts = field.metadata
    if choices is None and "choices" in facts:
        choices = [(str(value), str(value)) for value in facts["choices"]]
    if choices is None and get_origin(hint) is Literal:
        choices = [(value, value) for value in get_args(hint)]
    stated: dict[str, Any] = {
        "label": facts.get("label") or _sentence(field.name),
        "help_text": facts.get("help", ""),
        "initial": None if field.default is MISSING else field.default,
    }
    if hint == tuple[float, ...]:
        return NumbersField(**stated)
    if hint == tuple[str, ...]:
        # What may be left out by default may be left out here. The help of a list that may not
        # be is about typing names; here they are ticked.
        is_optional = field.default == ()
        stated["help_text"] = stated["help_text"] if is_optional else ""
        return NamesField(choices=choices or [], required=not is_optional, **stated)
    if choices is not None:
        return forms.ChoiceField(choices=choices, required=not facts.get("may_be_empty"), **stated)
    if hint is bool:
        return forms.BooleanField(required=False, **stated)
    limits: dict[str, Any] = {"min_value": facts.get("low"), "max_value": facts.get("high")}
    if hint is int:
        return forms.IntegerField(**limits, **stated)
    if hint is float:
        widget = forms.NumberInput(attrs={"step": "any"})
        return forms.FloatField(widget=widget, **limits, **stated)
    if hint is str:
        return forms.CharField(required=not facts.get("may_be_empty"), **stated)
    raise TypeError(f"found a field {field.name} of type {hint}; no form field asks for that")


class RunForm(forms.Form):
    """A run about to be launched. `given` are the settings that the page has decided already."""

    def __init__(
        self,
        kind: str,
        data: Mapping[str, Any] | None = None,
        files: MultiValueDict[str, UploadedFile] | None = None,
        *,
        given: Mapping[str, Any] | None = None,
        choices: Mapping[str, Choices] | None = None,
        dataset: Dataset | None = None,
        initial: Mapping[str, Any] | None = None,
        title: str = "",
    ) -> None:
        super().__init__(data, files, initial=dict(initial or {}), prefix=kind, label_suffix="")
        self.kind = kind
        self.dataset = dataset
        self.given = dict(given or {})
        self.title = title or KINDS[kind].label
        self.config: Any = None
        # Recipes that the page offers to begin with; each is a link.
        self.presets: list[dict[str, Any]] = []
        config_class: Any = load(KINDS[kind].config)
        self.config_class = config_class
        hints = get_type_hints(config_class)
        for field in fields(config_class):
            if field.name not in self.given:
                self.fields[field.name] = config_field(
                    field, hints[field.name], (choices or {}).get(field.name)
                )

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name in FIRST[self.kind]]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in FIRST[self.kind]]

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The other fields under their headings; one group without a heading where none is said."""
        wanted = GROUPS.get(self.kind, {})
        grouped = [
            (heading, [self[name] for name in names if name in self.fields])
            for heading, names in wanted.items()
        ]
        named = {name for names in wanted.values() for name in names}
        rest = [field for field in self.other_fields if field.name not in named]
        grouped.append(("More" if wanted else "", rest))
        return [(heading, fields) for heading, fields in grouped if fields]

    @property
    def is_wrong_inside(self) -> bool:
        """An error in the fold-out: it must be open then."""
        return any(field.errors for field in self.other_fields)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.config = self.config_class(**{**self.given, **self.settings(cleaned)})
                self.check()
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned

    def settings(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """What the configuration is made of, from what was typed. Raises ValueError."""
        return dict(cleaned)

    def check(self) -> None:
        """What the configuration alone cannot know. Raises ValueError."""
        if self.kind == "encode_ladder":
            encoding.check_available(self.config)

    def create_run(self, user: User) -> Run:
        """A queued run; whoever calls this rings the queue's bell after the commit."""
        return runs.create(
            self.kind, self.config, title=self.title[:200], dataset=self.dataset, user=user
        )


def ladder_form(collection: str, data: Mapping[str, Any] | None = None) -> RunForm:
    available = [(probe.name, probe.label) for probe in probe_every() if probe.is_available]
    return RunForm(
        "encode_ladder",
        data,
        given={"collection": collection},
        choices={"codecs": available},
        initial={"codecs": [name for name, _ in available]},
        title=f"Ladder of {collection}",
    )


def saliency_form(collection: str, data: Mapping[str, Any] | None = None) -> RunForm:
    return RunForm(
        "saliency",
        data,
        given={"collection": collection},
        choices={"model": [(entry.name, entry.label) for entry in SALIENCY.values()]},
        title=f"Saliency of {collection}",
    )


def preset_for(dataset: Dataset) -> str:
    return "small_data" if dataset.n_triplets < SMALL_DATA_TRIPLETS else "reference"


def train_form(
    dataset: Dataset, data: Mapping[str, Any] | None = None, preset: str = ""
) -> RunForm:
    """Begins at the settings of `preset`, or of the one that fits the dataset's size."""
    fitting = preset_for(dataset)
    chosen = preset if preset in PRESETS else fitting
    form = RunForm(
        "train_metric",
        data,
        dataset=dataset,
        initial=PRESETS[chosen].to_json(),
        title=f"Metric trained on {dataset.name}",
    )
    # A form that was sent holds what was typed, of no preset any more.
    form.presets = [
        {
            "name": name,
            "is_chosen": data is None and name == chosen,
            "is_fitting": name == fitting,
        }
        for name in PRESETS
    ]
    return form


def _sentence(name: str) -> str:
    """rates_bpp becomes "Rates, bpp"."""
    stem, is_rate, _ = name.partition("_bpp")
    return stem.replace("_", " ").capitalize() + (", bpp" if is_rate else "")
