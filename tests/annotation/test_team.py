"""Who may do what in a study: named people, the last owner, and every page by every role."""

import json
import re
import uuid
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, reverse

from annotation import team, urls
from annotation.models import Study, StudyMember
from annotation.results_config import StudyResultsConfig
from annotation.running_results import create_results
from codecs_eval.models import Run
from tests.factories import begin_in, make_ada, make_ben, make_cleo, make_study, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

DESK = [
    pattern
    for pattern in urls.urlpatterns
    if isinstance(pattern, URLPattern)
    and pattern.name
    and str(pattern.pattern).startswith("studies/<slug:slug>/")
]
NOT_FOUND_TO = uuid.UUID(int=1)
VIEWERS, RESEARCHERS, OWNERS = "viewer", "researcher", "owner"
# A page that is not named here is read by viewers; each that changes something is named.
FOR = {
    **dict.fromkeys(
        ["study_state", "study_freeze", "study_screen", "session_decide", "session_release",
         "recruit_settings", "recruit_invite", "recruit_revoke", "bonus_csv", "study_extend",
         "study_stop_rule", "gallery_share", "gallery_revoke", "edit_study", "study_plan",
         "study_dry_run", "study_new_version", "delete_export", "results_compute"],
        RESEARCHERS,
    ),
    **dict.fromkeys(["team_name", "team_remove", "study_delete"], OWNERS),
}  # fmt: skip
VALUES: dict[str, object] = {"slug": "which", "uuid": NOT_FOUND_TO, "int": 1, "str": "original"}
RANK = {"visitor": -1, "stranger": 0, "annotator": 0, "viewer": 1, "researcher": 2, "owner": 3}


def login(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def named_study(**roles: str) -> tuple[Study, dict[str, Any]]:
    """A study with an owner (Ada, not staff here) and others by name."""
    study, people = make_study(), {}
    for name, role in {"ada": "owner", **roles}.items():
        people[name] = make_user(name)
        StudyMember.objects.create(study=study, user=people[name], role=role)
    return study, people


def address_of(name: str) -> str:
    """With something of the right kind wherever the address takes something."""
    (pattern,) = (one for one in DESK if one.name == name)
    kinds = {
        part: type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        for part, converter in pattern.pattern.converters.items()
    }
    return reverse(name, kwargs={part: VALUES[kind] for part, kind in kinds.items()})


# Every page by every role


@pytest.mark.parametrize("who", RANK)
@pytest.mark.parametrize("name", [pattern.name for pattern in DESK])
def test_each_page_lets_in_whom_it_is_for(name: str, who: str) -> None:
    study = make_study()
    StudyMember.objects.create(study=study, user=make_ada(), role="owner")
    client = Client()
    if who != "visitor":
        user = make_user(who, is_staff=who == "stranger")
        client.force_login(user)
        if who != "stranger":
            StudyMember.objects.create(study=study, user=user, role=who)
    needed = RANK[FOR.get(name, VIEWERS)]
    # The answer to a read and to a write alike: whoever may not, does not learn which it is.
    for reply in (client.get(address_of(name)), client.post(address_of(name))):
        if who == "visitor":
            assert reply.status_code == 302
            assert reply["Location"].startswith(reverse("login"))
        elif RANK[who] < needed:
            assert reply.status_code == 403
        else:
            assert reply.status_code in (200, 302, 404, 405)
            assert not reply.get("Location", "").startswith(reverse("login"))


def test_whoever_may_see_no_study_learns_nothing_of_which_exist() -> None:
    make_study()
    cleo = login(make_cleo())
    real, ghost = (cleo.get(reverse("study", args=[slug])) for slug in ("which", "ghost"))
    assert real.status_code == ghost.status_code == 403
    said = [re.sub(rb'value="[^"]*"', b"", reply.content) for reply in (real, ghost)]
    assert said[0] == said[1]


def test_a_study_that_names_nobody_is_every_researchers() -> None:
    study, ada = make_study(), make_ada()
    assert team.role_of(ada, study) == "owner"
    assert team.role_of(make_cleo(), study) == ""
    assert team.role_of(AnonymousUser(), study) == ""
    team.name_member(study, make_user("eve"), "owner", by=None)
    assert team.role_of(ada, study) == ""


def test_annotators_alone_leave_a_study_every_researchers() -> None:
    study, ada, ben = make_study(), make_ada(), make_ben()
    team.name_member(study, ben, "annotator", by=None)
    assert team.role_of(ada, study) == "owner"
    assert team.role_of(ben, study) == "annotator"
    # Who answers sees nothing of the desk, whatever else the account may be.
    team.name_member(study, ada, "annotator", by=None)
    assert team.role_of(ada, study) == "annotator"
    assert not team.visible_to(ada).exists()


def test_an_account_that_is_switched_off_may_nothing() -> None:
    study, people = named_study()
    people["ada"].is_active = False
    assert team.role_of(people["ada"], study) == ""
    assert not team.visible_to(people["ada"]).exists()


@pytest.mark.parametrize("is_staff", [True, False])
@pytest.mark.parametrize("role", ["", *team.Role.values])
@pytest.mark.parametrize("others", [(), ("owner",), ("annotator",)])
def test_the_visible_studies_are_those_that_may_be_read(
    others: tuple[str, ...], role: str, is_staff: bool
) -> None:
    study, user = make_study(), make_user("eve", is_staff=is_staff)
    for other in others:
        StudyMember.objects.create(study=study, user=make_user(other), role=other)
    if role:
        StudyMember.objects.create(study=study, user=user, role=role)
    assert team.visible_to(user).exists() == team.may(user, study, "viewer")


def test_a_superuser_owns_every_study() -> None:
    study, _ = named_study()
    root = make_user("root", is_superuser=True)
    assert team.role_of(root, study) == "owner"
    assert study in team.visible_to(root)


# Naming and removing


def test_the_last_owner_cannot_be_removed_or_lowered() -> None:
    study, people = named_study(ben="viewer", cleo="annotator")
    for change in (
        lambda: team.remove_member(study, people["ada"], by=None),
        lambda: team.name_member(study, people["ada"], "viewer", by=None),
    ):
        with pytest.raises(ValueError, match="nobody who owns it"):
            change()
    team.remove_member(study, people["ben"], by=None)
    # With annotators alone it would become every researcher's.
    with pytest.raises(ValueError, match="nobody who owns it"):
        team.remove_member(study, people["ada"], by=None)
    assert team.role_of(people["ada"], study) == "owner"


def test_one_of_two_owners_may_go() -> None:
    study, people = named_study(ben="owner")
    team.remove_member(study, people["ada"], by=people["ada"])
    assert team.role_of(people["ada"], study) == ""
    with pytest.raises(ValueError, match="nobody who owns it"):
        team.remove_member(study, people["ben"], by=people["ben"])


def test_the_first_on_the_desk_is_an_owner() -> None:
    study, ben = make_study(), make_ben()
    with pytest.raises(ValueError, match="name an owner first"):
        team.name_member(study, ben, "viewer", by=None)
    assert not study.members.exists()


def test_naming_changing_and_removing_are_recorded() -> None:
    study, people = named_study()
    ben = make_ben()
    team.name_member(study, ben, "viewer", by=people["ada"])
    team.name_member(study, ben, "researcher", by=people["ada"])
    team.name_member(study, ben, "researcher", by=people["ada"])
    team.remove_member(study, ben, by=people["ada"])
    found = [(row.by, row.what, row.before, row.after) for row in study.changes.order_by("pk")]
    assert found == [
        ("ada", "ben named viewer", {}, {"ben": "viewer"}),
        ("ada", "ben is now researcher", {"ben": "viewer"}, {"ben": "researcher"}),
        ("ada", "ben removed", {"ben": "researcher"}, {}),
    ]


# The page


def test_an_owner_names_changes_and_removes_on_the_page() -> None:
    study, people = named_study()
    ada = login(people["ada"])
    make_ben()
    for role in ("viewer", "researcher"):
        ada.post(reverse("team_name", args=["which"]), {"username": "ben", "role": role})
        assert study.members.get(user__username="ben").role == role
    page = ada.get(reverse("study_team", args=["which"])).content.decode()
    assert "ben" in page
    ada.post(reverse("team_remove", args=["which"]), {"username": "ben"})
    assert not study.members.filter(user__username="ben").exists()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"username": "nobody", "role": "viewer"}, "No account is called"),
        ({"username": "ada", "role": "king"}, "Found role"),
        ({"username": "ada", "role": "viewer"}, "nobody who owns it"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(form: dict[str, str], said: str) -> None:
    study, people = named_study()
    reply = login(people["ada"]).post(reverse("team_name", args=["which"]), form, follow=True)
    assert said in reply.content.decode()
    assert [member.role for member in study.members.all()] == ["owner"]
    assert not study.changes.exists()


def test_who_gives_the_own_part_away_is_led_out() -> None:
    _, people = named_study(ben="owner")
    reply = login(people["ben"]).post(reverse("team_remove", args=["which"]), {"username": "ben"})
    assert reply["Location"] == reverse("home")


def test_a_viewer_reads_the_team_and_is_offered_nothing() -> None:
    _, people = named_study(ben="viewer")
    page = login(people["ben"]).get(reverse("study_team", args=["which"])).content.decode()
    assert "ada" in page
    assert reverse("team_name", args=["which"]) not in page


# The lists


def test_the_lists_show_what_an_account_may_see() -> None:
    named_study(ben="viewer", cleo="annotator")
    make_study("open-to-all", title="Every researcher's")
    ben, cleo = (Client(), Client())
    ben.force_login(StudyMember.objects.get(role="viewer").user)
    cleo.force_login(StudyMember.objects.get(role="annotator").user)
    staff = login(make_user("eve", is_staff=True))
    address = reverse("study", args=["which"])
    for client, page, is_shown in (
        (ben, "studies", True), (ben, "home", True), (staff, "studies", False),
        (staff, "home", False), (cleo, "home", False),
    ):  # fmt: skip
        text = client.get(reverse(page)).content.decode()
        assert (f'"{address}"' in text) == is_shown, page
    assert cleo.get(reverse("studies")).status_code == 403
    assert "Every researcher" not in ben.get(reverse("studies")).content.decode()
    assert "Every researcher" in staff.get(reverse("studies")).content.decode()


def test_only_researchers_design_new_studies() -> None:
    _, people = named_study()
    ada = login(people["ada"])
    assert ada.get(reverse("new_study")).status_code == 403
    assert reverse("new_study") not in ada.get(reverse("studies")).content.decode()


# Who may answer


def test_a_study_that_names_annotators_is_open_only_to_them() -> None:
    study = make_study(recruiting="accounts")
    ben, cleo = make_ben(), make_cleo()
    team.name_member(study, ben, "annotator", by=None)
    welcome = reverse("welcome", args=["which"])
    refused = login(cleo).get(welcome)
    assert refused.status_code == 403
    assert "some accounts only" in refused.content.decode()
    assert begin_in(login(cleo), study).status_code == 403
    assert not study.sessions.exists()
    assert login(ben).get(welcome).status_code == 200
    begin_in(login(ben), study)
    assert study.sessions.get().annotator.user == ben


def test_a_study_that_names_none_is_open_to_every_account() -> None:
    study = make_study(recruiting="accounts")
    team.name_member(study, make_ada(), "owner", by=None)
    assert login(make_cleo()).get(reverse("welcome", args=["which"])).status_code == 200


def test_the_start_page_lists_it_to_who_may_answer() -> None:
    study = make_study(recruiting="accounts", title="For Ben")
    ben, cleo = make_ben(), make_cleo()
    team.name_member(study, ben, "annotator", by=None)
    for client, is_listed in ((login(ben), True), (login(cleo), False), (Client(), False)):
        assert ("For Ben" in client.get(reverse("home")).content.decode()) == is_listed


def test_naming_annotators_does_not_close_an_open_link() -> None:
    study = make_study(recruiting="open_link")
    team.name_member(study, make_ben(), "annotator", by=None)
    assert Client().get(reverse("welcome", args=["which"])).status_code == 200


# The command


def command(**options: Any) -> Any:
    out = StringIO()
    call_command("study_team", study="which", json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_the_command_names_lists_and_removes() -> None:
    make_study()
    make_ada()
    make_ben()
    assert command() == {"study": "which", "members": {}}
    command(add="ada", role="owner")
    assert command(add="ben", role="viewer")["members"] == {"ada": "owner", "ben": "viewer"}
    assert command(remove="ben")["members"] == {"ada": "owner"}
    assert [row.by for row in Study.objects.get().changes.all()] == ["a command"] * 3


@pytest.mark.parametrize(
    "options",
    [{"add": "ada"}, {"add": "nobody", "role": "owner"}, {"remove": "ada"}],
)
def test_the_command_says_what_cannot_be(options: dict[str, str]) -> None:
    study, _ = named_study()
    with pytest.raises(CommandError):
        command(**options)
    assert not study.changes.exists()


def test_what_tries_a_study_out_is_read_by_its_people_as_they_are_now() -> None:
    study, viewer, gone = make_study(), make_user("vera"), make_user("gus")
    for user, role in ((make_ada(), "owner"), (viewer, "viewer")):
        StudyMember.objects.create(study=study, user=user, role=role)
    tried = make_study("tried", purpose=Study.Purpose.DRY_RUN, copied_from=study)
    StudyMember.objects.create(study=tried, user=gone, role="viewer")
    for user, may_read in ((viewer, True), (gone, False)):
        assert team.may(user, tried, "viewer") == may_read
        assert team.visible_to(user).filter(pk=tried.pk).exists() == may_read


def test_a_studys_run_is_cancelled_and_repeated_by_its_researchers_alone() -> None:
    study, ada, dan = make_study(), make_ada(), make_user("dan", is_staff=True)
    StudyMember.objects.create(study=study, user=ada, role="owner")
    run = create_results(study, StudyResultsConfig(study=study.slug))
    for name in ("run_again", "cancel_run"):
        assert login(dan).post(reverse(name, args=[run.pk])).status_code == 403
    run.refresh_from_db()
    assert run.state == "queued" and Run.objects.count() == 1
    assert login(ada).post(reverse("cancel_run", args=[run.pk])).status_code == 302
    run.refresh_from_db()
    assert run.state == "cancelled"
