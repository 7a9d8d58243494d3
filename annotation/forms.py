"""What a person types about a study's data, checked at the door."""

from django import forms


class FreezeForm(forms.Form):
    name = forms.CharField(max_length=120, help_text="Name of the dataset.")
    seed = forms.IntegerField(initial=1, min_value=0, help_text="Of the split by source.")
    test_share = forms.FloatField(
        initial=0.25, min_value=0.01, max_value=0.99, help_text="Share of sources held out."
    )
