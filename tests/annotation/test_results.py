"""A study's results: counted by hand, turned round where asked the other way, never better."""

import json
from typing import Any, cast

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation import results_reading, serving
from annotation.freezing import FreezeConfig, freeze_dataset
from annotation.models import Judgment, Session, Study
from annotation.results_reading import read_rows
from annotation.simulating import simulate
from codecs_eval.agreement.dataset import read_dataset
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.report import evaluate_dataset
from codecs_eval.measuring import measured
from codecs_eval.models import Reconstruction, Run
from tests.annotation.results_made import (
    Silent,
    add_triplet,
    judge,
    prefers,
    results,
    sit,
    unsure,
)
from tests.factories import (
    make_answer,
    make_judgments,
    make_picture,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

MANY = {"judgments_per_triplet": 99}


def codecs_at(told: dict[str, Any], rate: float = 0.5, choice: str = "screened") -> dict[str, Any]:
    found = next(row for row in told[choice]["rates"] if row["rate_bpp"] == rate)
    return {row["codec"]: row for row in found["codecs"]}


def six_observers(**values: Any) -> Study:
    """One triplet: four choose webp, one jpeg, one is not sure."""
    study = make_study(n_sources=1, allow_not_sure=True, **MANY, **values)
    for _ in range(4):
        sit(study, prefers("webp", "jpeg"))
    sit(study, prefers("jpeg", "webp"))
    sit(study, unsure)
    return study


def test_wins_losses_and_ties_are_counted_as_by_hand() -> None:
    told = results(six_observers())
    webp, jpeg = (codecs_at(told)[name] for name in ("webp", "jpeg"))
    assert (webp["n_won"], webp["n_lost"], webp["n_tied"]) == (4, 1, 1)
    assert (jpeg["n_won"], jpeg["n_lost"], jpeg["n_tied"]) == (1, 4, 1)
    assert webp["n_judgments"] == webp["n_observers"] == 6
    assert webp["share"]["value"] == pytest.approx(4.5 / 6)
    assert webp["share"]["low"] < 4.5 / 6 < webp["share"]["high"]
    assert webp["place"]["value"] > 0 > jpeg["place"]["value"]
    counts = told["screened"]["counts"]
    assert (counts["n_judgments"], counts["n_tied"], counts["n_sources"]) == (6, 1, 1)


def test_asked_which_differs_more_the_chosen_one_loses() -> None:
    told = results(six_observers(polarity="differs"))
    assert codecs_at(told)["webp"]["n_lost"] == 4
    assert codecs_at(told)["jpeg"]["n_won"] == 4
    assert told["study"]["polarity"] == "differs"


def test_excluded_sessions_are_left_out_beside_everybody_with_their_reasons() -> None:
    study = six_observers()
    excluded = sit(study, prefers("jpeg", "webp"))
    excluded.screenings.create(verdict="excluded", reasons=["answers too fast"], suspicion=0.99)
    Session.objects.filter(pk=excluded.pk).update(verdict="excluded")
    told = results(study)
    assert codecs_at(told)["jpeg"]["n_won"] == 1
    assert codecs_at(told, choice="everybody")["jpeg"]["n_won"] == 2
    assert told["screened"]["counts"]["n_observers"] == 6
    assert told["everybody"]["counts"]["n_observers"] == 7
    (row,) = told["excluded"]
    assert (row["session"], row["n_judgments"]) == (str(excluded.pk), 1)
    assert row["reasons"] == ["answers too fast"]
    by_rule = {row["rule"]: row for row in told["left_out"]}
    assert by_rule["sessions excluded by screening"]["n_judgments"] == 1
    assert by_rule["sessions excluded by screening"]["n_observers"] == 1


def test_without_an_excluded_session_both_choices_are_the_same() -> None:
    told = results(six_observers())
    assert told["excluded"] == []
    assert told["screened"] == told["everybody"]


def test_undone_warm_up_and_repeated_answers_do_not_count() -> None:
    study = make_study(n_sources=1, **MANY)
    triplet = study.triplets.get()
    session = make_session(study)
    (judgment,) = make_judgments(session, 1)
    serving.record(session, [make_answer(judgment.trial, "right", supersedes=judgment.pk)])
    other = make_session(study)
    judge(other, triplet, "first", is_warm_up=True)
    judge(session, triplet, "first", is_repeat=True)
    rows = read_rows(study)
    assert len(rows.counted()) == 1
    assert len(rows.with_repeats()) == 2
    taken = {row["rule"]: row["n_judgments"] for row in rows.left_out}
    assert taken["changed by the observer (undone)"] == 1
    assert taken["warm-up trials"] == 1
    assert taken["repeats (they measure consistency)"] == 1


def test_what_counts_is_what_every_analysis_counts() -> None:
    study = six_observers()
    Session.objects.filter(pk=study.sessions.first().pk).update(verdict="excluded")
    counted = Judgment.objects.of_study(study).counted()
    assert len(read_rows(study).counted()) == counted.count() == 5


def test_rows_are_the_same_in_batches_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    study = six_observers()
    whole = read_rows(study).table
    monkeypatch.setattr(results_reading, "BATCH", 4)
    assert read_rows(study).table.equals(whole)


def test_codecs_that_are_not_told_apart_share_the_first_rank() -> None:
    study = make_study(n_sources=1, **MANY)
    for codecs in (("webp", "jpeg"), ("jpeg", "webp")) * 4:
        sit(study, prefers(*codecs))
    (rate,) = results(study)["screened"]["rates"]
    assert rate["closest"]["is_tied"]
    assert set(rate["closest"]["codecs"]) == {"jpeg", "webp"}
    assert not rate["pairs"][0]["is_different"]


def test_a_codec_that_everybody_prefers_is_alone_the_closest() -> None:
    study = make_study(n_sources=3, **MANY)
    for _ in range(9):
        sit(study, prefers("webp", "jpeg"))
    (rate,) = results(study)["screened"]["rates"]
    assert rate["closest"]["codecs"] == ["webp"]
    assert rate["pairs"][0]["is_different"]
    # What never lost stands where the prior puts it: that is said, and no interval is shown.
    assert any("never lost" in said for said in rate["warnings"])
    assert codecs_at({"screened": {"rates": [rate]}})["webp"]["place"]["low"] is None


def test_pairs_of_two_rates_or_sizes_stand_at_no_rate_and_are_counted() -> None:
    study = six_observers(rate_tolerance=0.04)
    source = study.triplets.get().source
    fine = make_reconstruction(source, "webp", 1.0)
    coarse = source.reconstructions.get(codec="jpeg")
    large = make_reconstruction(source, "avif", 0.5, bpp=0.55)
    session = make_session(study)
    judge(session, add_triplet(study, coarse, fine), "first")
    judge(session, add_triplet(study, coarse, large), "first")
    told = results(study)["screened"]
    assert told["counts"]["n_judgments"] == 8
    assert [rate["rate_bpp"] for rate in told["rates"]] == [0.5]
    assert told["rates"][0]["counts"]["n_judgments"] == 6
    assert told["not_in_a_rate"] == {
        "two_targets": 1, "apart": 1, "without_rate": 0, "one_codec": 0,
    }  # fmt: skip
    assert set(codecs_at({"screened": told})) == {"jpeg", "webp"}


def test_rates_that_were_never_compared_have_no_common_scale() -> None:
    study = make_study(rates_bpp=(0.5, 1.0), n_sources=1, **MANY)
    for _ in range(6):
        sit(study, prefers("webp", "jpeg"))
    joint = results(study)["screened"]["joint"]
    assert joint["items"] == [] and joint["bd_rate"] == []
    assert "never compared" in joint["reason"]


def test_two_files_of_one_codec_at_one_rate_are_not_on_the_common_scale() -> None:
    study = make_study(n_sources=1, **MANY)
    (pair,) = study.triplets.all()
    twin = Reconstruction.objects.get(pk=pair.first_id)
    twin.pk, twin.codec_version = None, "another"
    twin.save(force_insert=True)
    same = add_triplet(study, pair.first, twin)
    for _ in range(6):
        session = make_session(study)
        judge(session, pair, "first")
        judge(session, same, "first")
    told = results(study)["screened"]
    assert told["not_in_a_rate"]["one_codec"] == 6
    assert told["joint"]["n_judgments"] == 6
    assert len(told["joint"]["items"]) == 2


def test_comparisons_across_rates_give_one_scale_and_a_bd_rate() -> None:
    rates = (0.25, 0.5, 1.0)
    study = make_study(rates_bpp=rates, n_sources=4, judgments_per_triplet=99)
    for source in {triplet.source for triplet in study.triplets.all()}:
        by_rate = {
            (row.codec, row.target_bpp): row for row in source.reconstructions.order_by("pk")
        }
        for low, high in zip(rates[:-1], rates[1:], strict=True):
            for codec in ("jpeg", "webp"):
                add_triplet(study, by_rate[codec, low], by_rate[codec, high])
    rng = np.random.default_rng(1)

    def choose(triplet: Any) -> str:
        # webp is worth half an octave more; now and then somebody errs.
        worth = [
            np.log2(side.bpp) + (0.5 if side.codec == "webp" else 0)
            for side in (triplet.first, triplet.second)
        ]
        p = 1 / (1 + np.exp(-1.5 * (worth[0] - worth[1])))
        return "first" if rng.random() < p else "second"

    for _ in range(20):
        session = make_session(study)
        for triplet in study.triplets.select_related("first", "second"):
            judge(session, triplet, choose(triplet))
    joint = results(study)["screened"]["joint"]
    assert joint["reason"] is None
    places = {(row["codec"], row["rate_bpp"]): row["place"]["value"] for row in joint["items"]}
    assert places["webp", 1.0] > places["webp", 0.5] > places["webp", 0.25]
    (saving,) = joint["bd_rate"]
    assert saving["codec"] == "webp"
    # Half an octave is 29 % of the rate.
    assert saving["low"] < -29.3 < saving["high"]


def test_observers_are_told_with_few_of_them_and_without_an_interval() -> None:
    study = make_study(n_sources=2, **MANY)
    for _ in range(3):
        sit(study, prefers("webp", "jpeg"))
    told = results(study)["screened"]
    webp = codecs_at({"screened": told})["webp"]
    assert webp["share"]["value"] == 1 and webp["share"]["low"] is None
    assert "3 observers" in webp["share"]["reason"]
    assert any("BT.500" in said for said in told["rates"][0]["warnings"])


def test_repeats_and_agreement_are_of_people_and_not_of_sides() -> None:
    study = make_study(n_sources=2, **MANY)
    triplets = list(study.triplets.all())
    for index in range(6):
        session = make_session(study)
        for triplet in triplets:
            judge(session, triplet, "first")
            judge(session, triplet, "first" if index else "second", is_repeat=True)
    people = results(study)["screened"]["people"]
    assert people["n_repeats"] == 12
    assert people["repeats"]["value"] == pytest.approx(10 / 12)
    assert people["agreement"]["value"] == 1
    for name in ("alpha", "agreement"):
        assert (people[name]["n_judgments"], people[name]["n_observers"]) == (12, 6)
    assert [row["agreement"] for row in people["observers"]] == [1] * 6


def test_a_study_without_a_judgment_that_counts_is_refused() -> None:
    with pytest.raises(ValueError, match="no judgment that counts"):
        results(make_study())
    with pytest.raises(ValueError, match="expected one of jpeg, webp"):
        results(six_observers(slug="other"), anchor="avif")


def test_a_known_order_is_found_again_through_simulated_observers() -> None:
    for index in range(6):
        original = make_picture(index, width=96, height=96)
        source = make_source("plain", f"photo-{index}", pixels=original)
        for codec, strength in (("avif", 12), ("webp", 30), ("jpeg", 75)):
            noise = np.random.default_rng(index).normal(0, strength, original.shape)
            damaged = np.clip(original + noise, 0, 255).astype(np.uint8)
            make_reconstruction(source, codec, pixels=damaged)
    study = make_study(
        collection="plain", codecs=("jpeg", "webp", "avif"), is_simulated=True,
        session_length=18, **MANY,
    )  # fmt: skip
    simulate(study, n_observers=15, seed=3)
    told = results(study, metrics=("psnr",))
    assert told["is_simulated"] is True
    found = codecs_at(told)
    places = {name: row["place"]["value"] for name, row in found.items()}
    assert places["avif"] > places["webp"] > places["jpeg"]
    assert told["screened"]["rates"][0]["closest"]["codecs"][0] == "avif"
    everything = told["metrics"]["cells"][0]
    (psnr,) = everything["metrics"]
    # The metric and the observers see the same order of damage.
    assert psnr["agreement"] > 0.75
    assert psnr["agreement"] <= everything["people"]["oracle"]["value"] + 1e-9
    pairs = {tuple(cell["pair"]) for cell in told["metrics"]["cells"] if cell["pair"]}
    assert pairs == {("jpeg", "webp"), ("jpeg", "avif"), ("webp", "avif")}


def test_a_metric_that_cannot_be_had_is_named_and_the_others_stay() -> None:
    told = results(six_observers(), metrics=("psnr", "ms-ssim"))["metrics"]
    # Crops of 64 px are too small for five scales.
    assert [row["name"] for row in told["metrics"]] == ["psnr"]
    assert any("ms-ssim was left out" in note for note in told["notes"])


def test_judgments_of_a_part_of_the_crop_say_nothing_of_metrics() -> None:
    study = six_observers()
    first = Judgment.objects.of_study(study).first()
    assert first is not None
    Judgment.objects.filter(pk=first.pk).update(shown_width_px=10, shown_height_px=10)
    told = results(study, metrics=("psnr",))
    assert told["metrics"]["n_in_part"] == 1
    assert told["metrics"]["cells"][0]["n_judgments"] == 5
    assert told["screened"]["counts"]["n_judgments"] == 6


def test_results_are_plain_json_and_the_same_for_one_seed() -> None:
    study = six_observers()
    one, other = results(study), results(study)
    one.pop("read_at"), other.pop("read_at")
    assert json.dumps(one, allow_nan=False) == json.dumps(other, allow_nan=False)


def test_reading_takes_as_many_queries_for_many_rows_as_for_few() -> None:
    def n_queries(study: Study) -> int:
        with CaptureQueriesContext(connection) as found:
            read_rows(study)
        return len(found)

    few = six_observers()
    many = make_study("many", n_sources=6, **MANY)
    for _ in range(8):
        sit(many, prefers("webp", "jpeg"))
    for study in (few, many):
        Session.objects.filter(pk=study.sessions.first().pk).update(verdict="excluded")
    assert n_queries(few) == n_queries(many) <= 5


def test_where_every_session_is_excluded_only_everybody_has_numbers() -> None:
    study = six_observers()
    study.sessions.update(verdict="excluded")
    told = results(study, metrics=("psnr",))
    assert told["screened"]["counts"]["n_judgments"] == 0
    assert told["screened"]["rates"] == []
    assert told["everybody"]["rates"][0]["counts"]["n_judgments"] == 6
    assert told["metrics"]["cells"] == []
    assert told["metrics"]["everybody_cells"][0]["n_judgments"] == 6


def test_files_of_unknown_rate_stand_at_no_rate() -> None:
    study = six_observers()
    triplet = study.triplets.get()
    for side in (triplet.first, triplet.second):
        type(side).objects.filter(pk=side.pk).update(target_bpp=0, bpp=0, path="")
    told = results(study, metrics=("psnr",))
    assert told["screened"]["not_in_a_rate"]["without_rate"] == 6
    assert told["screened"]["rates"] == []
    assert told["metrics"]["n_without_pixels"] == 1
    assert "pixels" in told["metrics"]["notes"][0]


def test_metrics_stand_beside_the_screened_and_beside_everybody() -> None:
    study = six_observers()
    odd = sit(study, prefers("jpeg", "webp"))
    Session.objects.filter(pk=odd.pk).update(verdict="excluded")
    told = results(study, metrics=("psnr",))["metrics"]
    assert told["cells"][0]["n_judgments"] == 6
    assert told["everybody_cells"][0]["n_judgments"] == 7


def test_a_metric_is_never_judged_on_photos_that_it_learned_from() -> None:
    study = make_study(n_sources=4, **MANY)
    for _ in range(3):
        sit(study, prefers("webp", "jpeg"))
    dataset = freeze_dataset(study, FreezeConfig(study=study.slug))
    run = Run.objects.create(
        kind="train_metric", title="trained here", dataset=dataset, state=Run.State.DONE,
        config={"backbone": "alex"},
    )  # fmt: skip
    told = results(study, metrics=("psnr", f"run:{run.pk}"))["metrics"]
    assert [row["name"] for row in told["metrics"]] == ["psnr"]
    assert "its training saw 3 photos of this study" in told["notes"][0]


def test_a_metric_agrees_as_in_the_agreement_report_on_the_frozen_judgments() -> None:
    study = make_study(n_sources=5, allow_not_sure=True, polarity="differs", **MANY)
    for codecs in (("webp", "jpeg"), ("jpeg", "webp"), ("webp", "jpeg")):
        sit(study, prefers(*codecs))
    sit(study, unsure)
    row = freeze_dataset(study, FreezeConfig(study=study.slug))
    frozen, reporter = read_dataset(row.folder), cast(Any, Silent())
    report = evaluate_dataset(
        frozen, [measured("psnr", row, frozen, reporter)], "all", Bootstrap(resamples=100, seed=1)
    ).to_json()
    everything = results(study, metrics=("psnr",))["metrics"]["cells"][0]
    for name in ("agreement", "low", "high", "n_triplets", "n_raters"):
        assert everything["metrics"][0][name] == report["metrics"][0][name]
    assert everything["people"]["unbiased"] == report["people"]["unbiased"]
    assert everything["n_judgments"] == report["counts"]["judgments"] == 20
