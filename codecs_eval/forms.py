"""What people fill in to bring photos in."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from codecs_eval.codecs.sniffing import ACCEPTED, ENDINGS
from codecs_eval.models import SourceImage


class _ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class _ManyFilesField(forms.FileField):
    """Several files; each is judged when it is read, so that one bad file stops no other."""

    widget = _ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files: Sequence[Any] = data if isinstance(data, (list, tuple)) else [data]
        cleaned = [super(_ManyFilesField, self).clean(each, initial) for each in files or [None]]
        return [each for each in cleaned if each]


class ImportImagesForm(forms.ModelForm):
    """Its cleaned_data are the arguments of ingesting.import_uploads."""

    files = _ManyFilesField(  # type: ignore[assignment]  # Django moves fields off the class
        label="Photos",
        allow_empty_file=True,
        help_text=f"{ACCEPTED}; or zip archives of them.",
        widget=_ManyFilesInput(attrs={"accept": ",".join([*ENDINGS, ".zip"])}),
    )
    shrink_jpeg_born = forms.BooleanField(
        label="Shrink JPEG photos by two",
        required=False,
        help_text="Hides the traces of their earlier compression.",
    )

    class Meta:
        model = SourceImage
        fields = ["collection", "licence", "attribution"]
        help_texts = {
            "collection": "A short name for these photos: letters, digits, - and _.",
            "licence": "The terms under which you may show them, for example CC BY 4.0.",
            "attribution": "Whom to name wherever they are shown.",
        }
