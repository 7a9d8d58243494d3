"""The colour plates: who can read them, by the cones that each kind of colour vision has."""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.design.digits import DIGITS, distance_to_digit
from annotation.design.plates import (
    ALL_ANSWERS,
    FAMILIES,
    LMS_OF_RGB,
    NO_DIGIT,
    Plate,
    colour_pair,
    digits_of,
    make_plates,
    read_plates,
)

L, M, S = 0, 1, 2
# The cones that are left: what a protanope, a deuteranope and a person with all three see.
SEEN_BY = {"protan": [M, S], "deutan": [L, S], "all": [L, M, S]}


def cones_of(plate: Plate) -> NDArray[np.float64]:
    """(n, 3): L, M, S of each dot as it is drawn, 8 bits a channel."""
    encoded = np.array([list(bytes.fromhex(colour[1:])) for colour in plate.colours]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear @ LMS_OF_RGB.T


def is_figure(plate: Plate) -> NDArray[np.bool_]:
    return distance_to_digit(plate.dots[:, :2], plate.digit) <= 0.125


def gap_between(plate: Plate, cones: list[int]) -> float:
    """How far the figure's mean is from the ground's in these cones, in spreads of the dots."""
    seen = np.log(cones_of(plate)[:, cones])
    figure, ground = seen[is_figure(plate)], seen[~is_figure(plate)]
    return float(np.max(np.abs(figure.mean(axis=0) - ground.mean(axis=0)) / ground.std(axis=0)))


def hue_gap(plate: Plate, cones: list[int]) -> float:
    """The same in ratios of cones: light and dark alone have none."""
    seen = np.log(cones_of(plate)[:, cones])
    ratio = seen[:, 0] - seen[:, -1] if len(cones) == 2 else seen[:, 0] - seen[:, 1]
    spread = float(ratio[~is_figure(plate)].std())
    gap = float(ratio[is_figure(plate)].mean() - ratio[~is_figure(plate)].mean())
    return abs(gap) / max(spread, 1e-3)


@pytest.mark.parametrize("seed", [1, 77])
@pytest.mark.parametrize("family", ["protan", "deutan"])
def test_a_plate_is_hidden_from_whom_it_asks_about_and_open_to_others(
    family: str, seed: int
) -> None:
    for plate in (plate for plate in make_plates(seed) if plate.family == family):
        assert gap_between(plate, SEEN_BY[family]) < 0.35
        assert hue_gap(plate, SEEN_BY["all"]) > 10


def test_a_control_plate_is_open_to_everybody() -> None:
    for plate in (plate for plate in make_plates(5) if plate.family == "control"):
        for cones in SEEN_BY.values():
            assert hue_gap(plate, cones) > 10


@pytest.mark.parametrize("family", ["protan", "deutan"])
def test_figure_and_ground_differ_in_one_cone_alone(family: str) -> None:
    figure, ground = (LMS_OF_RGB @ colour for colour in colour_pair(family))
    others = SEEN_BY[family]
    assert figure[others] == pytest.approx(ground[others], rel=1e-6)
    missing = ({L, M, S} - set(others)).pop()
    assert max(figure[missing], ground[missing]) > 1.4 * min(figure[missing], ground[missing])


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ValueError, match="Found plate family 'tritan'"):
        colour_pair("tritan")


def test_dots_lie_in_the_disc_and_touch_no_other() -> None:
    plate = make_plates(9)[0]
    x, y, radius = plate.dots.T
    assert (np.hypot(x, y) + radius <= 1 + 1e-9).all()
    apart = np.hypot(x[:, None] - x, y[:, None] - y) - radius[:, None] - radius
    np.fill_diagonal(apart, 1)
    assert apart.min() > 0
    assert 250 < len(plate.dots) == len(plate.colours)


def test_a_seed_gives_its_plates_again_and_another_seed_others() -> None:
    once, again, other = make_plates(3), make_plates(3), make_plates(4)
    assert [plate.colours for plate in once] == [plate.colours for plate in again]
    assert digits_of(3) != digits_of(4)
    assert tuple(plate.digit for plate in other) == digits_of(4)


def test_every_digit_has_strokes_of_its_own_within_the_disc() -> None:
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 81), np.linspace(-1, 1, 81)), -1).reshape(-1, 2)
    inked = {digit: distance_to_digit(grid, digit) <= 0.125 for digit in DIGITS}
    for digit, ink in inked.items():
        assert 0.05 < ink.mean() < 0.25
        assert np.linalg.norm(grid[ink], axis=1).max() < 0.95
        others = [inked[other] for other in DIGITS if other != digit]
        assert min((ink ^ other).sum() for other in others) > 0.2 * ink.sum()
    assert (inked["9"] == inked["6"][::-1]).all()


@pytest.mark.parametrize("digit", ["", "0", "66", "x"])
def test_what_is_no_digit_of_ours_is_refused(digit: str) -> None:
    with pytest.raises(ValueError, match="expected one of 2, 3"):
        distance_to_digit(np.zeros((1, 2)), digit)


def misread(seed: int, places: list[int]) -> list[str]:
    answers = list(digits_of(seed))
    for place in places:
        answers[place] = NO_DIGIT if place % 2 else "0"
    return answers


def places_of(family: str) -> list[int]:
    return [place for place, found in enumerate(FAMILIES) if found == family]


def test_a_quarter_of_the_colour_plates_may_be_misread_and_no_more() -> None:
    coloured = places_of("protan") + places_of("deutan")
    assert len(coloured) == 8
    assert read_plates(6, misread(6, coloured[:2])).is_passed
    seen = read_plates(6, misread(6, coloured[:3]))
    assert (seen.is_passed, seen.n_wrong, seen.n_plates) == (False, 3, 8)


def test_misread_controls_are_counted_and_fail_nobody() -> None:
    seen = read_plates(6, misread(6, places_of("control")))
    assert (seen.is_passed, seen.n_wrong, seen.n_wrong_control) == (True, 0, 2)


def test_what_is_misread_is_told_by_its_kind() -> None:
    seen = read_plates(2, misread(2, places_of("deutan")))
    assert (seen.n_wrong_protan, seen.n_wrong_deutan, seen.is_passed) == (0, 4, False)


def test_another_number_of_answers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Found 3 answers to the plates; expected 10\."):
        read_plates(1, ["2", "3", "4"])
    assert set(digits_of(1)) < set(ALL_ANSWERS)
