"""Rows for tests, with real pixels in the store: plain functions, every value can be said.

Three people: Ada designs studies (staff), Ben annotates, Cleo has an account and may not go in.
"""

import uuid
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from numpy.typing import NDArray

from annotation import planning, serving, triplets
from annotation.models import Annotator, Judgment, Session, Study, Trial
from codecs_eval import storing
from codecs_eval.agreement.pixels import pixels_sha256
from codecs_eval.models import Reconstruction, SourceImage

Image = NDArray[np.uint8]


def make_user(username: str, **values: Any) -> Any:
    """Without a password unless one is given: hashing it takes longer than most tests."""
    users: Any = get_user_model()._default_manager
    return users.create_user(username, **values)


def make_ada(**values: Any) -> Any:
    """Ada designs: staff; `is_superuser=True` lets her into every page of the admin."""
    return make_user("ada", **{"is_staff": True, **values})


def make_ben() -> Any:
    """Ben annotates: no account is needed for it, he has one."""
    return make_user("ben")


def make_cleo() -> Any:
    """Cleo may not: an account without rights."""
    return make_user("cleo")


def make_picture(seed: int = 0, *, width: int = 96, height: int = 64) -> Image:
    """Noise: each seed another picture, of which no two crops are alike."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def make_source(
    collection: str = "kodak",
    name: str = "photo-0",
    *,
    pixels: Image | None = None,
    **values: Any,
) -> SourceImage:
    if pixels is None:
        pixels = make_picture(hash_of(f"{collection}/{name}"))
    return SourceImage.objects.create(
        **{
            "collection": collection,
            "name": name,
            "sha256": pixels_sha256(pixels),
            "path": storing.store(storing.png_of(pixels), folder="sources", extension="png"),
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "original_format": "PNG",
            "licence": "CC0-1.0",
            **values,
        }
    )


def make_reconstruction(
    source: SourceImage,
    codec: str = "jpeg",
    target_bpp: float = 0.5,
    *,
    pixels: Image | None = None,
    **values: Any,
) -> Reconstruction:
    """A hit unless told otherwise: another `bpp` or `state` makes a miss."""
    key = f"{source.pk} {codec} {target_bpp} {values}"
    if pixels is None:
        pixels = make_picture(hash_of(key), width=source.width, height=source.height)
    return Reconstruction.objects.create(
        **{
            "source": source,
            "codec": codec,
            "codec_version": "made for this test",
            "target_bpp": target_bpp,
            "state": Reconstruction.State.HIT,
            "settings": {"quality": 50},
            "bitstream_path": f"bitstreams/{hash_of(key)}.{codec}",
            "bitstream_bytes": max(1, round(target_bpp * source.pixels / 8)),
            "bitstream_sha256": storing.sha256_of(key.encode()),
            "bpp": target_bpp,
            "path": storing.store(
                storing.png_of(pixels), folder="reconstructions", extension="png"
            ),
            "pixels_sha256": pixels_sha256(pixels),
            "encode_cpu_ms": 1.0,
            "decode_cpu_ms": 1.0,
            "encodes_tried": 3,
            **values,
        }
    )


def make_ladder(
    collection: str = "kodak",
    *,
    n_sources: int = 2,
    codecs: tuple[str, ...] = ("jpeg", "webp"),
    rates_bpp: tuple[float, ...] = (0.5,),
    width: int = 96,
    height: int = 64,
) -> list[SourceImage]:
    """Photos with one hit for each codec and rate."""
    sources = []
    for index in range(n_sources):
        pixels = make_picture(index, width=width, height=height)
        source = make_source(collection, f"photo-{index}", pixels=pixels)
        for codec in codecs:
            for rate_bpp in rates_bpp:
                make_reconstruction(source, codec, rate_bpp)
        sources.append(source)
    return sources


def make_study(
    slug: str = "which",
    *,
    n_sources: int = 2,
    codecs: tuple[str, ...] = ("jpeg", "webp"),
    rates_bpp: tuple[float, ...] = (0.5,),
    state: str = Study.State.OPEN,
    **values: Any,
) -> Study:
    """A planned study over its own ladder: n_sources x pairs of codecs x rates triplets."""
    collection = values.setdefault("collection", f"{slug}-photos")
    if not SourceImage.objects.in_collection(collection).exists():
        make_ladder(collection, n_sources=n_sources, codecs=codecs, rates_bpp=rates_bpp)
    study = Study.objects.create(
        **{
            "title": "Which is closer?",
            "slug": slug,
            "codecs": list(codecs),
            "rates_bpp": list(rates_bpp),
            "crop": Study.Crop.CENTRE,
            "crop_px": 64,
            **values,
        }
    )
    triplets.plan_triplets(study)
    if state != Study.State.DRAFT:
        study.state, study.opened_at = state, timezone.now()
        study.save(update_fields=["state", "opened_at"])
    return study


def make_annotator(**values: Any) -> Annotator:
    return Annotator.objects.create(**values)


def make_session(study: Study, annotator: Annotator | None = None, **values: Any) -> Session:
    return Session.objects.create(
        **{
            "study": study,
            "annotator": annotator or make_annotator(is_simulated=study.is_simulated),
            "seed": 1,
            **values,
        }
    )


def begin_in(client: Client, study: Study) -> Any:
    """What a person's browser does: reads the first page, agrees, begins."""
    return client.post(reverse("begin", args=[study.slug]), {"consent": "on"})


def make_answer(trial: Trial, side: str = "left", **values: Any) -> serving.Answer:
    return serving.Answer(
        **{
            "id": uuid.uuid4(),
            "trial": trial.pk,
            "side": side,
            "measured": {"painted_ms": 100.0, "answered_ms": 1600.0, "response_ms": 1500.0},
            **values,
        }
    )


def make_judgments(session: Session, n: int, side: str = "left") -> list[Judgment]:
    """The session leases and answers up to `n` more trials, through the serving path."""
    answers = [make_answer(trial, side) for trial in planning.lease_trials(session, n)]
    receipt = serving.record(session, answers)
    return list(Judgment.objects.filter(pk__in=receipt.stored).order_by("trial__position"))


def hash_of(text: str) -> int:
    """The same number in every process, unlike hash()."""
    return int(storing.sha256_of(text.encode())[:8], 16)
