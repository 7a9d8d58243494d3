"""The study builder's form: what a person types about a study, checked at the door."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from django import forms
from django.forms.models import fields_for_model

from annotation.design.presets import texts_for
from annotation.designing import SECTIONS, SETTINGS, TEXTS, Design
from annotation.models import Study
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import SourceImage
from codecs_eval.named_codecs import all_entries

RATES = "0.23, 0.37, 0.67, 1.0"
# Codec names have no blank.
BETWEEN = " "

# Which fields matter only beside what another one says: name -> "other=value value".
WHEN = {
    "anchor_codec": "pairing=anchor",
    "chosen_pairs": "pairing=chosen",
    "ranking_metric": "pairing=neighbours disputed",
    "rival_metric": "pairing=disputed",
    "n_disputed": "pairing=disputed",
    "crop_px": "crop=centre random differ salient",
    "flicker_hz": "mode=flicker",
    "min_switches": "mode=toggle_original toggle_copies flicker",
    "shortest_view_ms": "mode=toggle_original toggle_copies flicker",
    "smallest_crop_px": "when_small=crop",
    "ask_acuity": "ask_card=on",
}
OPENING = ("title", "slug", "collection", "codecs", "rates_bpp")


def _codec_choices() -> list[tuple[str, str]]:
    return [(name, entry.label) for name, entry in all_entries().items()]


def _pair_choices() -> list[tuple[str, str]]:
    return [
        (BETWEEN.join((one, other)), f"{label} and {other_label}")
        for (one, label), (other, other_label) in combinations(_codec_choices(), 2)
    ]


def _metric_choices() -> list[tuple[str, str]]:
    return [("", "none"), *((name, entry.label) for name, entry in METRICS.items())]


class StudyForm(forms.Form):
    """Every setting of a study; what is left empty keeps its default."""

    title = forms.CharField(max_length=120)
    slug = forms.SlugField(
        max_length=60, label="Short name", help_text="Part of the address: /s/SHORT-NAME/"
    )
    collection = forms.ChoiceField(help_text="A collection with an encoded ladder.")
    codecs = forms.MultipleChoiceField(choices=_codec_choices, widget=forms.CheckboxSelectMultiple)
    rates_bpp = forms.CharField(
        initial=RATES, label="Rates (bpp)", help_text="Bits per pixel, separated by commas."
    )
    preset = forms.CharField(required=False, widget=forms.HiddenInput)
    question = forms.CharField(required=False, max_length=200)
    instructions = forms.CharField(required=False, widget=forms.Textarea({"rows": 4}))
    consent = forms.CharField(required=False, widget=forms.Textarea({"rows": 4}))
    pay_per_hour = forms.FloatField(
        required=False,
        min_value=0,
        max_value=10_000,
        label="Pay an hour",
        help_text="In your currency, for the cost beside; it is not stored.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        for name, field in fields_for_model(Study, SETTINGS).items():
            field.required = False
            self.fields[name] = field
        self._offer_names()
        for name, condition in WHEN.items():
            self.fields[name].widget.attrs["data-when"] = condition
        for name in TEXTS:
            self.fields[name].help_text = "Own words are shown in English only."

    def _offer_names(self) -> None:
        """Codecs, metrics and collections to choose from, where the model has bare text."""
        known: dict[str, Any] = {
            name: self.fields[name] for name in ("anchor_codec", "ranking_metric", "rival_metric")
        }
        codecs = [("", "none"), *_codec_choices()]
        for name, choices in (
            ("anchor_codec", codecs),
            ("ranking_metric", _metric_choices()),
            ("rival_metric", _metric_choices()),
        ):
            field = known[name]
            self.fields[name] = forms.ChoiceField(
                choices=choices, required=False, label=field.label, help_text=field.help_text
            )
        self.fields["chosen_pairs"] = forms.MultipleChoiceField(
            choices=_pair_choices,
            required=False,
            label="Named pairs",
            widget=forms.CheckboxSelectMultiple,
        )
        collection = self.fields["collection"]
        assert isinstance(collection, forms.ChoiceField)
        collection.choices = [
            (row["collection"], f"{row['collection']} ({row['n_sources']} photos)")
            for row in SourceImage.objects.collections()
        ]

    def design_of(self, study: Study) -> Design:
        """What was typed, for who answers this study: people or simulated observers."""
        return replace(self.design, is_simulated=study.is_simulated)

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        sections = [(title, list(names)) for title, names in SECTIONS.items()]
        sections.insert(-1, ("What people read", list(TEXTS)))
        sections[-1][1].append("pay_per_hour")
        named = [("The study", list(OPENING)), *sections]
        return [(title, [self[name] for name in names]) for title, names in named]

    @property
    def known_texts(self) -> Mapping[str, str]:
        """The words that belong to the mode and polarity said in the form."""
        mode = self["mode"].value() or Study.Mode.SIDE_BY_SIDE
        polarity = self["polarity"].value() or Study.Polarity.CLOSER
        is_known = mode in Study.Mode.values and polarity in Study.Polarity.values
        return texts_for(mode, polarity)["en"] if is_known else {}

    def clean_rates_bpp(self) -> tuple[float, ...]:
        text = self.cleaned_data["rates_bpp"]
        try:
            return tuple(float(word) for word in text.replace(";", ",").split(",") if word.strip())
        except ValueError:
            raise forms.ValidationError(
                f"Found {text!r}; expected numbers separated by commas, such as {RATES}."
            ) from None

    def clean_chosen_pairs(self) -> tuple[tuple[str, str], ...]:
        pairs = (text.split(BETWEEN) for text in self.cleaned_data["chosen_pairs"])
        return tuple((one, other) for one, other in pairs)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                said = {
                    name: value
                    for name, value in cleaned.items()
                    if value not in (None, "") and name != "pay_per_hour"
                }
                self.design = Design(**{**said, "codecs": tuple(cleaned["codecs"])})
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned


def as_typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """A study's values (`designing.typed_in`) as the form shows them."""
    place = {name: index for index, name in enumerate(all_entries())}
    return {
        **values,
        "codecs": list(values["codecs"]),
        "rates_bpp": ", ".join(f"{rate:g}" for rate in values["rates_bpp"]),
        "chosen_pairs": [
            BETWEEN.join(sorted(pair, key=lambda name: place.get(name, len(place))))
            for pair in values["chosen_pairs"]
        ],
    }
