"""What a person types about a study, checked at the door."""

from typing import Any

from django import forms

from annotation.designing import Design
from annotation.models import Study
from codecs_eval.codecs.table import CODECS
from codecs_eval.models import SourceImage

RATES = "0.23, 0.37, 0.67, 1.0"


class StudyForm(forms.Form):
    title = forms.CharField(max_length=120)
    slug = forms.SlugField(
        max_length=60, label="Short name", help_text="Part of the address: /s/SHORT-NAME/"
    )
    collection = forms.ChoiceField(help_text="A collection with an encoded ladder.")
    codecs = forms.MultipleChoiceField(
        choices=[(name, entry.label) for name, entry in CODECS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text="Every two of them are compared at each rate.",
    )
    rates_bpp = forms.CharField(
        initial=RATES, label="Rates (bpp)", help_text="Bits per pixel, separated by commas."
    )
    crop = forms.ChoiceField(choices=Study.Crop.choices, initial=Study.Crop.CENTRE)
    crop_px = forms.IntegerField(
        initial=384, min_value=64, max_value=4096, label="Side of the crop (px)"
    )
    judgments_per_triplet = forms.IntegerField(initial=3, min_value=1, max_value=1000)
    session_length = forms.IntegerField(
        initial=30, min_value=1, max_value=2000, help_text="Trials in one session."
    )
    allow_not_sure = forms.BooleanField(
        required=False, label='Offer "not sure"', help_text="Off: a choice is forced."
    )
    seed = forms.IntegerField(initial=1, min_value=0, help_text="Of the order and of the crops.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        collection = self.fields["collection"]
        assert isinstance(collection, forms.ChoiceField)
        collection.choices = [
            (row["collection"], f"{row['collection']} ({row['n_sources']} photos)")
            for row in SourceImage.objects.collections()
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
                self.design = Design(**{**cleaned, "codecs": tuple(cleaned["codecs"])})
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned


class FreezeForm(forms.Form):
    name = forms.CharField(max_length=120, help_text="Name of the dataset.")
    seed = forms.IntegerField(initial=1, min_value=0, help_text="Of the split by source.")
    test_share = forms.FloatField(
        initial=0.25, min_value=0.01, max_value=0.99, help_text="Share of sources held out."
    )
