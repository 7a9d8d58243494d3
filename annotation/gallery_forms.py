"""The filters and orders of a gallery, as its address holds them."""

from typing import Any

from django import forms
from django.http import QueryDict

from annotation.galleries import ANY_KIND, Asked
from annotation.gallery_orders import ROW_ORDERS, VOTE_ORDERS
from annotation.gallery_scores import metrics_of
from annotation.models import Study, Triplet
from codecs_eval.metrics.table import METRICS
from codecs_eval.named_codecs import codec_entry

ORDERS = {
    "judged": "most judged first",
    "split": "people most divided first",
    "error": "people most against a metric first",
    "time": "longest looked at first",
    "photo": "by photo",
}
assert set(ORDERS) == {*ROW_ORDERS, *VOTE_ORDERS}
ANY = ("", "any")


class GalleryForm(forms.Form):
    """Every field may be left out of the address."""

    sort = forms.ChoiceField(label="Order", choices=list(ORDERS.items()), required=False)
    metric = forms.ChoiceField(label="Metric", required=False)
    rate = forms.FloatField(label="Rate (bpp)", required=False)
    codec = forms.ChoiceField(label="Codec", required=False)
    pair = forms.CharField(label="Pair", required=False)
    source = forms.CharField(label="Photo", required=False, max_length=200)
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[*Triplet.Kind.choices, (ANY_KIND, "every kind")]
    )
    judged = forms.ChoiceField(
        label="Judged", required=False, choices=[ANY, ("1", "yes"), ("0", "not yet")]
    )
    n = forms.RegexField(
        r"^[0-9]{1,9}(-[0-9]{1,9})?$",
        label="Judgments",
        required=False,
        widget=forms.TextInput(attrs={"size": 7, "placeholder": "2 or 3-5"}),
    )

    def __init__(self, study: Study, data: QueryDict) -> None:
        # What the address leaves out stands in the form as what it means.
        given = {"sort": "judged", "kind": Triplet.Kind.MAIN, **data.dict()}
        super().__init__(given)
        # A word of Python's own, so no line above can say it.
        self.fields["with"] = forms.ChoiceField(
            label="Sessions",
            required=False,
            choices=[("", "without the excluded"), ("everybody", "everybody")],
        )
        codecs = [(name, codec_entry(name).label) for name in study.codecs]
        self._choose("codec", [ANY, *codecs])
        self.fields["pair"].widget = forms.Select(choices=[ANY, *_pairs(codecs)])
        rates = [(str(rate), f"{rate:g}") for rate in study.rates_bpp]
        self.fields["rate"].widget = forms.Select(choices=[ANY, *rates])
        scored = dict(metrics_of(study))
        # Of a metric that was given to some of the pictures alone, the address may ask too.
        metric = data.get("metric", "")
        if metric in METRICS:
            scored.setdefault(metric, METRICS[metric].label)
        self._choose("metric", [("", "none"), *scored.items()])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_pair(self) -> tuple[str, str] | None:
        names = [name.strip() for name in self.cleaned_data["pair"].split(",") if name.strip()]
        if not names:
            return None
        if len(names) != 2:
            raise forms.ValidationError(
                f"Found {len(names)} codecs; expected two with a comma between, as jpeg,webp."
            )
        return names[0], names[1]

    def clean_n(self) -> tuple[int, int] | None:
        low, _, high = self.cleaned_data["n"].partition("-")
        return (int(low), int(high or low)) if low else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("sort") == "error" and not cleaned.get("metric"):
            self.add_error("metric", "Choose the metric whose errors come first.")
        return cleaned

    def asked(self) -> Asked:
        """Of a form that is valid."""
        cleaned = self.cleaned_data
        judged = {"": None, "1": True, "0": False}[cleaned["judged"]]
        names = ("rate", "codec", "pair", "source", "metric", "sort", "kind", "n")
        return Asked(
            **{name: cleaned[name] for name in names},
            judged=judged,
            with_everybody=cleaned["with"] == "everybody",
        )


def _pairs(codecs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (f"{one},{two}", f"{one_label} and {two_label}")
        for at, (one, one_label) in enumerate(codecs)
        for two, two_label in codecs[at + 1 :]
    ]
