"""Of a conformance report: what was shown, and how it was made."""

from typing import Any

from django.db.models import Avg, Count, Max, Min, Q

from annotation.asked_elsewhere import SAID
from annotation.conformance_items import (
    AIC3,
    Item,
    Section,
    counted,
    item,
    n_of,
)
from annotation.conforming_answers import Answers
from annotation.models import Study, Triplet
from codecs_eval.models import Reconstruction, SourceImage
from codecs_eval.named_codecs import codec_entry

MOST_LINES = 40


def material(study: Study, answers: Answers) -> Section:
    main = study.triplets.filter(kind=Triplet.Kind.MAIN)
    photos = SourceImage.objects.filter(pk__in=main.values("source"))
    return Section(
        "Material",
        (
            item("Photos", *_photos(study, photos)),
            item("Licences", *_lines(photos, "licence")),
            item("Part shown", *_crop(study, answers, main), by=(AIC3,)),
            _codecs(main),
            _settings(main),
            _rates(answers, main),
            _left_out(study),
        ),
    )


def _photos(study: Study, photos: Any) -> list[str]:
    sizes = photos.values_list("width", "height")
    return [
        f"{n_of(photos.count(), 'photo')} of the collection {study.collection}.",
        f"Sizes (px): {counted(f'{width} x {height}' for width, height in sizes if width)}.",
        f"Formats as they came: {counted(photos.values_list('original_format', flat=True))}.",
    ]


def _lines(photos: Any, column: str) -> list[str]:
    rows = photos.order_by().values(column).annotate(n=Count("pk")).order_by("-n")
    return [f"{row[column] or 'not told'}: {n_of(row['n'], 'photo')}" for row in rows[:MOST_LINES]]


def _crop(study: Study, answers: Answers, main: Any) -> list[str]:
    sizes = main.values_list("crop_width_px", "crop_height_px").annotate(n=Count("pk"))
    said = [f"{width} x {height}: {n:,}" for width, height, n in sizes.order_by("-n")[:6] if width]
    return [
        SAID if answers.is_imported else f"{study.get_crop_display().capitalize()}.",
        f"Sizes by triplets (px): {', '.join(said) or 'not told'}.",
    ]


def _made(main: Any) -> Any:
    return Reconstruction.objects.filter(
        Q(pk__in=main.values("first")) | Q(pk__in=main.values("second"))
    )


def _codecs(main: Any) -> Item:
    rows = (
        _made(main)
        .order_by()
        .values("codec", "codec_version", "checkpoint")
        .annotate(n=Count("pk"))
        .order_by("codec", "codec_version")
    )
    said = [
        f"{codec_entry(row['codec']).label} ({row['codec']}): {row['codec_version']}"
        f"{_trained(row['checkpoint'])}; {n_of(row['n'], 'picture')}"
        for row in rows[:MOST_LINES]
    ]
    return item("Codecs and versions", *said)


def _trained(checkpoint: object) -> str:
    return f", trained by run {checkpoint}" if checkpoint else ""


def _settings(main: Any) -> Item:
    """One line a codec: what stands in the settings of all of its pictures."""
    values: dict[str, dict[str, set[str]]] = {}
    for codec, settings in _made(main).order_by().values_list("codec", "settings").iterator():
        told = values.setdefault(codec, {})
        for name, value in settings.items():
            told.setdefault(name, set()).add(str(value))
    said = [
        f"{codec}: " + ("; ".join(_setting(*pair) for pair in sorted(told.items())) or "none told")
        for codec, told in sorted(values.items())
    ]
    return item("Settings", *said)


def _setting(name: str, values: set[str]) -> str:
    if len(values) > 4:
        return f"{name} {_least_and_most(values)}, {len(values)} values"
    return f"{name} {', '.join(sorted(values))}"


def _least_and_most(values: set[str]) -> str:
    try:
        low, *_, high = sorted(values, key=float)
    except ValueError:
        low, *_, high = sorted(values)
    return f"{low} to {high}"


def _rates(answers: Answers, main: Any) -> Item:
    told = Q(bpp__gt=0)
    rows = (
        _made(main)
        .order_by()
        .values("target_bpp", "codec")
        .annotate(
            n=Count("pk"),
            n_told=Count("pk", filter=told),
            mean=Avg("bpp", filter=told),
            low=Min("bpp", filter=told),
            high=Max("bpp", filter=told),
        )
        .order_by("target_bpp", "codec")
    )
    return item(
        "Rates targeted and achieved",
        "As the imported file told."
        if answers.is_imported
        else "Bits of the whole file by pixels of the whole photo.",
        *(f"{_target(row)}, {row['codec']}: {_achieved(row)}" for row in rows[:MOST_LINES]),
    )


def _target(row: dict[str, Any]) -> str:
    return f"{row['target_bpp']:g} bpp" if row["target_bpp"] else "target not told"


def _achieved(row: dict[str, Any]) -> str:
    """A rate of 0 is one that an imported file did not tell."""
    pictures = n_of(row["n"], "picture")
    if not row["n_told"]:
        return f"not told ({pictures})"
    of = "" if row["n_told"] == row["n"] else f"told of {row['n_told']:,} of "
    return f"mean {row['mean']:.4f}, {row['low']:.4f} to {row['high']:.4f} ({of}{pictures})"


def _left_out(study: Study) -> Item:
    ladder = Reconstruction.objects.filter(
        source__collection=study.collection,
        codec__in=study.codecs,
        target_bpp__in=study.rates_bpp,
    )
    states = dict(ladder.order_by().values_list("state").annotate(n=Count("pk")))
    missed = sum(n for state, n in states.items() if state != Reconstruction.State.HIT)
    said = (
        "Pairs of different file sizes were kept."
        if study.keeps_different_rates
        else f"A pair whose files differ by more than {100 * study.rate_tolerance:g} % is left out."
    )
    return item(
        "Misses left out",
        f"Of the pictures encoded for these codecs and rates {states.get('hit', 0):,} hit their "
        f"rate and {missed:,} did not; {_n_missed(study):,} of those stand in a main triplet.",
        said,
    )


def _n_missed(study: Study) -> int:
    made = _made(study.triplets.filter(kind=Triplet.Kind.MAIN))
    return int(made.exclude(state=Reconstruction.State.HIT).count())
