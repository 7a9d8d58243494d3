"""What a person says about a file of judgments that they bring in."""

from typing import Any

from django import forms
from django.conf import settings

from annotation.import_formats import FORMATS
from annotation.import_run import ENDINGS


class UploadForm(forms.Form):
    """Step 1: the file; nothing of it is stored as rows yet."""

    file = forms.FileField(
        label="File",
        help_text="A table (CSV, JSON lines, Parquet), or a zip of an export or of a layout with "
        "images.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(ENDINGS)}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.MAX_UPLOAD_FILE_BYTES:
            raise forms.ValidationError(
                f"Found {file.size:,} bytes; expected {settings.MAX_UPLOAD_FILE_BYTES:,} at most. "
                "Bring larger files in with manage.py import_judgments."
            )
        return file


class ConfirmForm(forms.Form):
    """Step 2: what becomes of it."""

    name = forms.CharField(
        max_length=120,
        required=False,
        help_text="Of the new study or dataset; empty: what the file says, or is called.",
    )
    study = forms.CharField(
        max_length=120,
        required=False,
        label="Study in the file",
        help_text="Only where the file holds several: the short name of one.",
    )
    licence = forms.CharField(
        max_length=200, initial="not stated", help_text="Of the images, where there are any."
    )
    attribution = forms.CharField(max_length=200, required=False)


class AgainForm(forms.Form):
    """How the file is read for its report."""

    file_format = forms.ChoiceField(
        label="Format",
        required=False,
        choices=[("", "what it looks like"), *((name, f.label) for name, f in FORMATS.items())],
    )
    n_raters = forms.IntegerField(
        label="Raters a triplet",
        required=False,
        min_value=0,
        max_value=10_000,
        help_text="BAPPS without votes.csv: how many people a share stands for (2 in train, 5 in "
        "val).",
    )
