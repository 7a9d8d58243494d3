"""What a person types to let other programs in, or to have them told."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from annotation import team
from codecs_eval.models import ApiToken, Event
from codecs_eval.reaching import LONGEST_URL
from codecs_eval.tokens import LONGEST_NAME

DAYS = [(7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year")]
EVENTS = [(value, f"{value}: {label}") for value, label in Event.choices if value != Event.PING]
SCOPES = [(value, f"{value}: {label}") for value, label in ApiToken.Scope.choices]


class TokenForm(forms.Form):
    name = forms.CharField(max_length=LONGEST_NAME, help_text="What it is for.")
    scopes = forms.MultipleChoiceField(
        choices=SCOPES,
        widget=forms.CheckboxSelectMultiple,
        initial=[ApiToken.Scope.STUDIES_READ, ApiToken.Scope.RESULTS_READ],
        label="May",
    )
    days = forms.TypedChoiceField(choices=DAYS, coerce=int, initial=90, label="For")


class WebhookForm(forms.Form):
    url = forms.CharField(
        max_length=LONGEST_URL,
        label="Address",
        help_text="http:// or https://; a POST with JSON goes there.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        choices=EVENTS, widget=forms.CheckboxSelectMultiple, label="Tell of"
    )
    study = forms.ChoiceField(required=False, help_text="Runs that belong to no study come too.")

    def __init__(self, user: User, sent: Any = None) -> None:
        super().__init__(sent)
        studies = team.visible_to(user).real().values_list("slug", "title")
        choices = [("", "all that I may read"), *studies]
        study = self.fields["study"]
        assert isinstance(study, forms.ChoiceField)
        study.choices = choices
