"""Which pairs a study asks about, from the rows of its ladder and its metrics' scores."""

from typing import Any

import pytest

from annotation import triplets
from annotation.conditions import cells_of
from annotation.models import Study
from annotation.pairs import MissingScores, pairs_of
from codecs_eval.models import Reconstruction, Score, SourceImage
from tests.factories import make_ladder, make_reconstruction, make_source, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

CODECS = ("avif", "jpeg", "webp")


def make_draft(**values: Any) -> Study:
    """Not saved: counting needs no row."""
    return Study(
        **{"collection": "kodak", "codecs": list(CODECS), "rates_bpp": [0.5, 1.0], **values}
    )


def score(metric: str, version: str = "1", **by_codec: float) -> None:
    """The same value for every copy of a codec, a little more at the higher rate."""
    for row in Reconstruction.objects.all():
        Score.objects.create(
            reconstruction=row,
            metric=metric,
            metric_version=version,
            value=by_codec[row.codec] + row.target_bpp / 100,
        )


def codecs_of(study: Study) -> set[tuple[str, ...]]:
    return {tuple(sorted((a.codec, b.codec))) for a, b in pairs_of(study).asked()}


def test_neighbours_follow_the_metric_whichever_way_it_points() -> None:
    make_ladder("kodak", n_sources=1, codecs=CODECS, rates_bpp=(0.5, 1.0))
    score("psnr", avif=30, jpeg=34, webp=32)
    score("lpips-alex", avif=0.3, jpeg=0.1, webp=0.2)
    wanted = {("avif", "webp"), ("jpeg", "webp")}
    for metric in ("psnr", "lpips-alex"):
        study = make_draft(pairing="neighbours", ranking_metric=metric)
        assert codecs_of(study) == wanted


def test_two_metrics_that_agree_in_opposite_units_dispute_nothing() -> None:
    make_ladder("kodak", n_sources=1, codecs=CODECS, rates_bpp=(0.5, 1.0))
    score("psnr", avif=30, jpeg=34, webp=32)
    score("dists", avif=0.3, jpeg=0.1, webp=0.2)
    study = make_draft(pairing="disputed", ranking_metric="psnr", rival_metric="dists")
    assert codecs_of(study) == set()


def test_the_pair_that_two_metrics_dispute_is_asked() -> None:
    make_ladder("kodak", n_sources=1, codecs=CODECS, rates_bpp=(0.5, 1.0))
    score("psnr", avif=30, jpeg=34, webp=32)
    score("ssim", avif=0.5, jpeg=0.8, webp=0.9)
    study = make_draft(pairing="disputed", ranking_metric="psnr", rival_metric="ssim")
    assert codecs_of(study) == {("jpeg", "webp")}
    assert len(list(pairs_of(study).asked())) == 2


def test_missing_scores_are_told_with_the_command_that_makes_them() -> None:
    make_ladder("kodak", n_sources=1, codecs=CODECS, rates_bpp=(0.5, 1.0))
    score("psnr", avif=30, jpeg=34, webp=32)
    Score.objects.first().delete()  # type: ignore[union-attr]
    study = make_draft(pairing="neighbours", ranking_metric="psnr")
    with pytest.raises(MissingScores, match="1 of 6 .*score --collection kodak --metrics psnr"):
        pairs_of(study)


def test_scores_of_two_versions_of_a_metric_are_never_mixed() -> None:
    make_ladder("kodak", n_sources=1, codecs=CODECS, rates_bpp=(0.5, 1.0))
    score("lpips-alex", version="1-fp16", avif=0.3, jpeg=0.1, webp=0.2)
    study = make_draft(pairing="neighbours", ranking_metric="lpips-alex")
    assert len(codecs_of(study)) == 2
    Score.objects.filter(reconstruction__codec="jpeg").update(metric_version="1")
    with pytest.raises(MissingScores, match="2 of 6"):
        pairs_of(study)


def test_what_missed_its_rate_needs_no_score() -> None:
    source = make_source("kodak")
    for codec, state in (("avif", "hit"), ("jpeg", "hit"), ("webp", "nearest")):
        make_reconstruction(source, codec, state=state)
    score("psnr", avif=30, jpeg=34, webp=32)
    Score.objects.filter(reconstruction__codec="webp").delete()
    study = make_draft(pairing="neighbours", ranking_metric="psnr", rates_bpp=[0.5])
    assert codecs_of(study) == {("avif", "jpeg")}


def test_pairs_beyond_the_tolerance_are_listed_with_both_rates_and_kept_on_request() -> None:
    source = make_source("kodak")
    for codec, bpp in (("avif", 0.5), ("jpeg", 0.51), ("webp", 0.52)):
        make_reconstruction(source, codec, bpp=bpp, tolerance=0.1)
    study = make_draft(rate_tolerance=0.05, rates_bpp=[0.5])
    found = pairs_of(study)
    assert codecs_of(study) == {("avif", "jpeg")}
    listed = [(row.first.bpp, row.second.bpp) for row in found.left_out_pairs()]
    assert listed == [(0.5, 0.52), (0.51, 0.52)]
    assert found.left_out_pairs()[0].difference == pytest.approx(0.04)
    study.keeps_different_rates = True
    assert len(codecs_of(study)) == 3
    assert pairs_of(study).left_out_pairs() == []


def test_neighbours_over_rates_are_planned_under_their_own_conditions() -> None:
    make_ladder("kodak", n_sources=2, codecs=CODECS, rates_bpp=(0.5, 1.0))
    for row in Reconstruction.objects.all():
        value = {"avif": 1, "jpeg": 2, "webp": 3}[row.codec] + 2.5 * (row.target_bpp > 0.6)
        Score.objects.create(reconstruction=row, metric="psnr", metric_version="1", value=value)
    study = make_study(
        collection="kodak", codecs=CODECS, rates_bpp=(0.5, 1.0), pairing="neighbours",
        ranking_metric="psnr", keeps_different_rates=True,
    )  # fmt: skip
    # avif .5 (1), jpeg .5 (2), webp .5 (3), avif 1 (3.5), jpeg 1 (4.5), webp 1 (5.5), per photo.
    assert study.triplets.count() == 2 * 5
    cells = cells_of(study)
    crossing = [
        (cells.conditions[one], cells.conditions[other])
        for one, other in cells.pairs
        if cells.conditions[one][0] != cells.conditions[other][0]
    ]
    assert crossing == [((0.5, "webp"), (1.0, "avif"))]


def test_planning_says_that_nothing_is_encoded_before_it_asks_for_scores() -> None:
    make_source("kodak")
    study = make_draft(pairing="neighbours", ranking_metric="psnr")
    with pytest.raises(ValueError, match="encode_ladder"):
        triplets.plan_of(study)
    assert SourceImage.objects.count() == 1
