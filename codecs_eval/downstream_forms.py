"""The form of a downstream report: codecs, rates, a model, and perhaps a COCO file."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from codecs_eval import coco_importing, detecting
from codecs_eval.downstream.coco import read_coco
from codecs_eval.models import Run
from codecs_eval.named_codecs import probe_every
from codecs_eval.run_forms import RunForm


class DownstreamForm(RunForm):
    """The COCO file comes as an upload; the configuration names it in the store."""

    def __init__(self, *args: Any, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self.fields["coco_file"] = forms.FileField(
            label="COCO file",
            required=False,
            help_text="instances.json of these photos, matched by file name. Without one, finds "
            "are compared with those in the uncompressed photos.",
        )

    def settings(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        chosen = {key: value for key, value in cleaned.items() if key != "coco_file"}
        upload = cleaned["coco_file"]
        return {**chosen, "annotations": _kept(upload) if upload else ""}

    def check(self) -> None:
        detecting.check(self.config)

    def create_run(self, user: User) -> Run:
        return detecting.create_report(self.config, self.title, user)


def downstream_form(
    collection: str,
    data: Mapping[str, Any] | None = None,
    files: MultiValueDict[str, UploadedFile] | None = None,
) -> RunForm:
    available = [(probe.name, probe.label) for probe in probe_every() if probe.is_available]
    return DownstreamForm(
        "downstream",
        data,
        files,
        given={"collection": collection, "annotations": ""},
        choices={"codecs": available, "model": detecting.choices()},
        initial={"codecs": [name for name, _ in available]},
        title=f"Downstream report of {collection}",
    )


def _kept(upload: UploadedFile) -> str:
    """Raises ValueError for what is no COCO file, in its own words."""
    limit = settings.MAX_UPLOAD_FILE_BYTES
    if (upload.size or 0) > limit:
        raise ValueError(
            f"{upload.name}: found {upload.size:,} bytes, expected at most {limit:,}; use "
            "manage.py downstream --coco."
        )
    data = upload.read()
    return coco_importing.keep(data, read_coco(data, name=str(upload.name), with_masks=False))
