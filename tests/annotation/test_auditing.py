"""Who did what to a study: rows that only grow."""

import pytest
from django.db import transaction

from annotation import auditing
from annotation.models import StudyChange
from tests.factories import make_ada, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def test_only_what_differs_is_kept() -> None:
    study, ada = make_study(), make_ada()
    auditing.record(study, ada, "renamed", {"title": "a", "seed": 1}, {"title": "b", "seed": 1})
    row = study.changes.get()
    assert (row.by, row.user, row.what) == ("ada", ada, "renamed")
    assert (row.before, row.after) == ({"title": "a"}, {"title": "b"})


def test_what_changes_nothing_is_no_change() -> None:
    study = make_study()
    assert auditing.record(study, None, "renamed", {"title": "a"}, {"title": "a"}) is None
    assert not StudyChange.objects.exists()


def test_what_was_done_without_values_is_kept() -> None:
    study = make_study()
    auditing.record(study, None, "frozen")
    auditing.record(study, auditing.TRIAD, "paused", {}, {"at": study.created_at})
    assert [row.by for row in study.changes.all()] == ["Triad", "a command"]


def test_a_name_outlives_its_account() -> None:
    study, ada = make_study(), make_ada()
    auditing.record(study, ada, "opened")
    ada.delete()
    row = study.changes.get()
    assert (row.by, row.user) == ("ada", None)


@pytest.mark.django_db(transaction=True)
def test_a_change_is_recorded_in_its_own_transaction_or_not_at_all() -> None:
    study = make_study()
    with pytest.raises(RuntimeError, match="in the transaction"):
        auditing.record(study, None, "opened")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        auditing.record(study, None, "opened")
        raise ZeroDivisionError
    assert not StudyChange.objects.exists()
