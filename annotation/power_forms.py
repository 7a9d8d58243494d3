"""What is asked before a simulation: how small a difference, how sure, on how many observers."""

from django import forms

from annotation.dry_running import MOST_OBSERVERS


class PowerForm(forms.Form):
    """In per cent, as people say it."""

    share = forms.FloatField(
        initial=55, min_value=50.5, max_value=99, label="Share to tell from 50 (%)"
    )
    alpha = forms.FloatField(
        initial=5, min_value=0.1, max_value=50, label="Wrongly found at most (α, %)"
    )
    power = forms.FloatField(initial=80, min_value=10, max_value=99, label="Found at least (%)")

    @property
    def shares(self) -> dict[str, float]:
        return {name: self.cleaned_data[name] / 100 for name in ("share", "alpha", "power")}


class DryRunForm(forms.Form):
    observers = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_OBSERVERS,
        label="Simulated observers",
        help_text="Empty: as many as the design needs.",
    )
