"""A study of a million triplets in seconds, people who have begun it, and what a cell left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Count, Max, Min, Model, Q
from django.http import HttpResponse
from django.utils import timezone

from annotation import recognising
from annotation.models import Annotator, Judgment, Session, Study, Trial, Triplet
from benchmarks.serving_load import Measured, Person
from codecs_eval import storing
from codecs_eval.models import Reconstruction, SourceImage

SLUG = "load"
# Ten coarse and ten fine reconstructions of each photo: 10 x 10 pairs.
SIDES = 10
WIDTH_PX, HEIGHT_PX, N_PICTURES = 768, 512, 12
CSRF = "a" * 32


@dataclass(frozen=True)
class Found:
    """What a cell left in its tables, held against what its people were told."""

    lost_judgments: int
    unasked_judgments: int
    lost_leases: int
    doubled_leases: int
    wrong_counts: int
    spread: int


def fill(n_triplets: int, judgments_per_triplet: int, session_length: int) -> Study:
    """Rows as the product would plan them; the photos are a few, stored under many names."""
    study = Study.objects.create(
        title="Which is closer?",
        slug=SLUG,
        collection=SLUG,
        crop=Study.Crop.WHOLE,
        judgments_per_triplet=judgments_per_triplet,
        session_length=session_length,
        n_warm_up=2,
        sentinel_share=0.1,
        repeat_share=0.1,
        state=Study.State.OPEN,
        opened_at=timezone.now(),
    )
    n_sources = -(-n_triplets // SIDES**2)
    pictures = _stored_pictures()
    insert(
        SourceImage,
        n_sources,
        {"id": "i + 1", "name": "'photo-' || i", "sha256": "'sha-' || i"},
        {
            "collection": SLUG, "width": WIDTH_PX, "height": HEIGHT_PX, "path": pictures[0],
            "original_format": "PNG", "licence": "made up",
        },
    )  # fmt: skip
    n_rungs = 2 * SIDES
    which = " ".join(f"WHEN {place} THEN '{path}'" for place, path in enumerate(pictures[1:]))
    insert(
        Reconstruction,
        n_rungs * n_sources,
        {
            "id": "i + 1",
            "source_id": f"i / {n_rungs} + 1",
            "codec": f"'codec-' || (i % {n_rungs})",
            "path": f"CASE i % {len(pictures) - 1} {which} END",
        },
        {
            "codec_version": "made up", "target_bpp": 0.5, "bpp": 0.5, "state": "hit",
            "bitstream_path": "none", "bitstream_bytes": 1, "bitstream_sha256": "none",
            "pixels_sha256": "none", "encode_cpu_ms": 1, "decode_cpu_ms": 1, "encodes_tried": 1,
        },
    )  # fmt: skip
    _insert_triplets(study, n_triplets, Triplet.Kind.MAIN)
    n_sentinels = round(2 * study.sentinel_share * session_length)
    _insert_triplets(study, min(n_sentinels, n_triplets), Triplet.Kind.SENTINEL)
    settle()
    return study


def _insert_triplets(study: Study, n: int, kind: str) -> None:
    pair, source = f"i % {SIDES**2}", f"(i / {SIDES**2})"
    insert(
        Triplet,
        n,
        {
            "source_id": f"{source} + 1",
            "first_id": f"{source} * {2 * SIDES} + {pair} / {SIDES} + 1",
            "second_id": f"{source} * {2 * SIDES} + {SIDES} + {pair} % {SIDES} + 1",
            # 7919 is a prime: a permutation of any number of triplets that is a power of ten.
            "shuffle": f"i * 7919 % {n}",
        },
        {
            "study_id": study.pk, "kind": kind, "target_bpp": 0.5, "crop_left_px": 0,
            "crop_top_px": 0, "crop_width_px": WIDTH_PX, "crop_height_px": HEIGHT_PX,
        },
    )  # fmt: skip


def _stored_pictures() -> list[str]:
    """An original and its copies: ramps with noise, from hard to easy to decode."""
    across, down = np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX))
    ramp = ((across + 2 * down) // 8 % 256)[..., None].repeat(3, axis=2)
    noise = np.random.default_rng(1).normal(size=ramp.shape)
    paths = []
    for place in range(N_PICTURES):
        pixels = np.clip(ramp + noise * (N_PICTURES - place), 0, 255).astype(np.uint8)
        paths.append(
            storing.store(storing.png_of(pixels), folder="reconstructions", extension="png")
        )
    return paths


def insert(model: type[Model], n: int, by_row: Mapping[str, str], same: Mapping[str, Any]) -> None:
    """`n` rows in one statement: SQL of the row's number `i`, one value for all, or the default."""
    columns, expressions, values = [], [], []
    for field in model._meta.concrete_fields:
        if field.primary_key and field.attname not in by_row:
            continue
        columns.append(connection.ops.quote_name(field.column))
        if field.attname in by_row:
            expressions.append(by_row[field.attname].replace("%", "%%"))
            continue
        value = same.get(field.attname, field.get_default())
        if getattr(field, "auto_now_add", False):
            value = timezone.now()
        expressions.append("%s")
        values.append(field.get_db_prep_save(value, connection))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({', '.join(columns)}) "
            "WITH RECURSIVE numbers(i) AS "
            f"(SELECT CAST(0 AS bigint) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < {n}) "
            f"SELECT {', '.join(expressions)} FROM numbers",
            values,
        )


def settle() -> None:
    """What the database does by itself some minutes after so many rows came."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def people(study: Study, n: int) -> list[Person]:
    """Each has begun: a session and the cookie of its browser."""
    found = []
    for index in range(n):
        annotator = Annotator.objects.create()
        session = Session.objects.create(study=study, annotator=annotator, seed=index)
        response = HttpResponse()
        recognising.remember(response, annotator, is_secure=False)
        cookie = response.cookies[recognising.COOKIE].value
        found.append(
            Person(
                slug=study.slug,
                session=str(session.pk),
                cookie=f"{recognising.COOKIE}={cookie}; csrftoken={CSRF}",
                csrf=CSRF,
            )
        )
    return found


def check(study: Study, measured: Measured) -> Found:
    """Every acknowledged judgment is there once, every lease is held by the one who asked."""
    stored = {str(key) for key in Judgment.objects.values_list("pk", flat=True)}
    acknowledged = set(measured.acknowledged)
    open_trials = {str(key) for key in Trial.objects.open().values_list("pk", flat=True)}
    is_counted = Q(trials__is_repeat=False, trials__is_warm_up=False)
    given = Count("trials", filter=is_counted & ~Q(trials__state=Trial.State.EXPIRED))
    judged = Count("trials", filter=is_counted & Q(trials__state=Trial.State.JUDGED))
    touched = study.triplets.filter(Q(n_assigned__gt=0) | Q(n_judged__gt=0) | Q(trials__gt=0))
    counted = touched.annotate(given=given, judged=judged).values_list(
        "n_assigned", "given", "n_judged", "judged"
    )
    ends = study.triplets.filter(kind=Triplet.Kind.MAIN).aggregate(
        most=Max("n_assigned"), least=Min("n_assigned")
    )
    return Found(
        lost_judgments=len(acknowledged - stored),
        unasked_judgments=len(stored - acknowledged),
        lost_leases=len(open_trials ^ set(measured.held)),
        doubled_leases=len(measured.handed_out) - len(set(measured.handed_out)),
        wrong_counts=sum(
            (n_assigned, n_judged) != (n_given, n_found)
            for n_assigned, n_given, n_judged, n_found in counted
        ),
        spread=ends["most"] - ends["least"],
    )
