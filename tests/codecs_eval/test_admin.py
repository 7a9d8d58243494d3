"""The admin's half of the machine: runs launched from a dataset, rows that nobody edits by hand."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from codecs_eval.models import Dataset, Run, SourceImage
from tests.codecs_eval.desk_rows import make_dataset, make_run
from tests.codecs_eval.test_pages import train_settings
from tests.factories import make_ada, make_reconstruction, make_source

pytestmark = pytest.mark.usefixtures("db", "triad_home")


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_ada(is_superuser=True))
    return client


def launch_url(dataset: Dataset, name: str) -> str:
    return reverse("admin:codecs_eval_dataset_launch", args=[dataset.pk, name])


def test_a_dataset_in_the_admin_leads_to_both_launches(admin: Client) -> None:
    dataset = make_dataset(is_simulated=True)
    said = admin.get(
        reverse("admin:codecs_eval_dataset_change", args=[dataset.pk])
    ).content.decode()
    assert "Train metric" in said and "Agreement report" in said and "SIMULATED" in said
    rows = admin.get(reverse("admin:codecs_eval_dataset_changelist")).content.decode()
    assert launch_url(dataset, "train-metric") in rows and "SIMULATED" in rows


def test_train_metric_is_launched_from_the_admin(
    admin: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    dataset = make_dataset()
    url = launch_url(dataset, "train-metric")
    assert 'name="train_metric-learning_rate"' in admin.get(url).content.decode()
    with django_capture_on_commit_callbacks(execute=True) as bells:
        response = admin.post(url, train_settings())
    run = Run.objects.get()
    assert (run.kind, run.dataset_id, run.state) == ("train_metric", dataset.pk, "queued")
    assert response["Location"] == run.get_absolute_url()
    assert len(bells) == 1 and run.sent_at is not None


def test_an_agreement_report_is_launched_from_the_admin(admin: Client) -> None:
    dataset = make_dataset()
    admin.post(
        launch_url(dataset, "agreement"),
        {
            "agreement-metrics": ["psnr"],
            "agreement-sources": "test",
            "agreement-reference": "first",
            "agreement-hold_out": "none",
            "agreement-resamples": "200",
            "agreement-seed": "1",
            "agreement-scores_file": SimpleUploadedFile("mine.csv", b"triplet_id,d_first,d_second"),
            "agreement-scores_name": "Mine",
            "agreement-scores_better": "higher",
        },
    )
    run = Run.objects.get()
    assert run.kind == "agreement" and run.config["scores"][0].endswith(":Mine:higher")


def test_a_wrong_launch_stays_on_its_form(admin: Client) -> None:
    url = launch_url(make_dataset(), "train-metric")
    said = admin.post(url, train_settings(epochs_flat="0", epochs_decay="0")).content.decode()
    assert "found no epochs" in said and Run.objects.count() == 0


def test_only_who_may_add_runs_launches_them(client: Client) -> None:
    ada = make_ada()
    ada.user_permissions.add(Permission.objects.get(codename="view_dataset"))
    client.force_login(ada)
    dataset = make_dataset()
    page = reverse("admin:codecs_eval_dataset_change", args=[dataset.pk])
    assert "Train metric" not in client.get(page).content.decode()
    assert client.post(launch_url(dataset, "train-metric"), train_settings()).status_code == 403
    ada.user_permissions.add(Permission.objects.get(codename="add_run"))
    assert client.post(launch_url(dataset, "train-metric"), train_settings()).status_code == 302


def test_nothing_unknown_can_be_launched(admin: Client) -> None:
    assert admin.get(launch_url(make_dataset(), "format-disk")).status_code == 404


@pytest.mark.parametrize("model", ["reconstruction", "score", "dataset", "run"])
def test_rows_that_work_made_are_read_only(admin: Client, model: str) -> None:
    dataset = make_dataset()
    made = {
        "dataset": dataset,
        "run": make_run(dataset=dataset),
        "reconstruction": make_reconstruction(make_source()),
    }
    made["score"] = made["reconstruction"].scores.create(
        metric="psnr", metric_version="1", value=30.0
    )
    key = made[model].pk
    assert admin.get(reverse(f"admin:codecs_eval_{model}_changelist")).status_code == 200
    assert admin.get(reverse(f"admin:codecs_eval_{model}_add")).status_code == 403
    page = reverse(f"admin:codecs_eval_{model}_change", args=[key])
    assert 'name="_save"' not in admin.get(page).content.decode()
    assert admin.post(page, {"title": "changed", "name": "changed"}).status_code == 403
    assert admin.post(reverse(f"admin:codecs_eval_{model}_delete", args=[key])).status_code == 403


def test_a_photo_is_added_by_upload_and_its_terms_may_be_mended(admin: Client) -> None:
    response = admin.get(reverse("admin:codecs_eval_sourceimage_add"))
    assert response["Location"] == "/sources/#import"
    source = make_source(name="lake")
    page = reverse("admin:codecs_eval_sourceimage_change", args=[source.pk])
    admin.post(page, {"licence": "CC BY 4.0", "attribution": "Ada", "name": "sea"})
    mended = SourceImage.objects.get()
    assert (mended.licence, mended.attribution, mended.name) == ("CC BY 4.0", "Ada", "lake")


def test_runs_are_cancelled_and_repeated_from_their_list(admin: Client) -> None:
    dataset = make_dataset()
    waiting, ended = make_run("queued", dataset=dataset), make_run("done", dataset=dataset)
    url = reverse("admin:codecs_eval_run_changelist")
    chosen = [str(waiting.pk), str(ended.pk)]
    said = admin.post(url, {"action": "cancel_runs", "_selected_action": chosen}, follow=True)
    assert (
        "Cancelling 1. 1 had ended already, or work on a study of others." in said.content.decode()
    )
    assert set(Run.objects.values_list("state", flat=True)) == {"cancelled", "done"}
    admin.post(url, {"action": "run_again", "_selected_action": [str(ended.pk)]})
    again = Run.objects.get(state="queued")
    assert again.config == ended.config and again.dataset_id == dataset.pk


def test_photos_in_the_admin_lead_to_a_downstream_report_of_their_collection(admin: Client) -> None:
    zoo, sea = make_source("zoo", "cat"), make_source("sea", "fish")
    url = reverse("admin:codecs_eval_sourceimage_changelist")
    asked = {"action": "downstream_report", "_selected_action": [zoo.pk]}
    assert admin.post(url, asked)["Location"] == reverse("downstream_on_collection", args=["zoo"])
    both = {**asked, "_selected_action": [zoo.pk, sea.pk]}
    said = admin.post(url, both, follow=True).content.decode()
    assert "Found photos of sea, zoo; expected those of one collection." in said
