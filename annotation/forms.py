"""What a person types about a study, checked at the door."""

from typing import Any

from django import forms
from django.forms.models import fields_for_model

from annotation.designing import SECTIONS, SETTINGS, Design
from annotation.models import Study
from codecs_eval.models import SourceImage
from codecs_eval.named_codecs import all_entries

RATES = "0.23, 0.37, 0.67, 1.0"


def _codec_choices() -> list[tuple[str, str]]:
    return [(name, entry.label) for name, entry in all_entries().items()]


class StudyForm(forms.Form):
    title = forms.CharField(max_length=120)
    slug = forms.SlugField(
        max_length=60, label="Short name", help_text="Part of the address: /s/SHORT-NAME/"
    )
    collection = forms.ChoiceField(help_text="A collection with an encoded ladder.")
    codecs = forms.MultipleChoiceField(
        choices=_codec_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Every two of them are compared at each rate.",
    )
    rates_bpp = forms.CharField(
        initial=RATES, label="Rates (bpp)", help_text="Bits per pixel, separated by commas."
    )
    question = forms.CharField(
        required=False,
        max_length=200,
        help_text="Empty: the words that belong to the mode, in every language.",
    )
    preset = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in fields_for_model(Study, SETTINGS).items():
            # What is left empty keeps its default.
            field.required = False
            self.fields[name] = field
        collection = self.fields["collection"]
        assert isinstance(collection, forms.ChoiceField)
        collection.choices = [
            (row["collection"], f"{row['collection']} ({row['n_sources']} photos)")
            for row in SourceImage.objects.collections()
        ]

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The settings under their headings; what is compared begins with what has none."""
        first = [self[name] for name in self.declared_fields if name != "preset"]
        return [
            (title, (first if index == 0 else []) + [self[name] for name in names])
            for index, (title, names) in enumerate(SECTIONS.items())
        ]

    def clean_rates_bpp(self) -> tuple[float, ...]:
        text = self.cleaned_data["rates_bpp"]
        try:
            return tuple(float(word) for word in text.replace(";", ",").split(",") if word.strip())
        except ValueError:
            raise forms.ValidationError(
                f"Found {text!r}; expected numbers separated by commas, such as {RATES}."
            ) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                said = {name: value for name, value in cleaned.items() if value not in (None, "")}
                self.design = Design(**{**said, "codecs": tuple(cleaned["codecs"])})
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned


class FreezeForm(forms.Form):
    name = forms.CharField(max_length=120, help_text="Name of the dataset.")
    seed = forms.IntegerField(initial=1, min_value=0, help_text="Of the split by source.")
    test_share = forms.FloatField(
        initial=0.25, min_value=0.01, max_value=0.99, help_text="Share of sources held out."
    )
