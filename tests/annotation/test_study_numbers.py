"""Numbers of the results page in words: never better than they are."""

import pytest

from annotation.templatetags.study_numbers import largest_p


@pytest.mark.parametrize(
    ("found", "said"),
    [([0.03, 0.2], "0.200"), ([0.03, None], "not tested"), ([None], "not tested"), ([], "–")],
)
def test_one_that_was_not_tested_is_told_before_the_p_of_the_others(
    found: list[float | None], said: str
) -> None:
    assert largest_p({"against": [{"p_adjusted": p} for p in found]}) == said
