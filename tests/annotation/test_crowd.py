"""What crowd providers send along, and the code that a worker takes back."""

from typing import Any

import pytest

from annotation import crowd, serving
from annotation.models import Session
from tests.factories import make_judgments, make_session, make_study

SENT = {
    "prolific": {"PROLIFIC_PID": "5f0a", "STUDY_ID": "s1", "SESSION_ID": "sub1"},
    "mturk": {"workerId": "AZ34", "assignmentId": "3RVW", "hitId": "123R"},
    "connect": {"participantId": "p-1", "assignmentId": "a-1", "projectId": "j_1"},
}


@pytest.mark.parametrize("name", SENT)
def test_each_provider_is_known_by_its_own_parameters(name: str) -> None:
    found = crowd.arrival({**SENT[name], "language": "de", "utm_source": "x"})
    assert found
    assert (found.provider, found.outside_id) == (name, next(iter(SENT[name].values())))
    assert found.ids == SENT[name]
    assert found.stored == {"provider": name, **SENT[name]}
    assert not found.is_preview


def test_the_table_has_every_provider_that_is_tested() -> None:
    assert set(crowd.PROVIDERS) == set(SENT)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"STUDY_ID": "s1", "SESSION_ID": "sub1"},
        {"PROLIFIC_PID": ""},
        {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"},
        {"PROLIFIC_PID": "=cmd|' /C calc'!A0"},
        {"PROLIFIC_PID": "x" * 121},
        {"PROLIFIC_PID": "abc\n"},
        {"workerId": "not an id"},
    ],
    ids=str,
)
def test_an_id_that_is_none_is_as_good_as_missing(params: dict[str, str]) -> None:
    assert crowd.arrival(params) is None


def test_an_unfilled_placeholder_beside_a_person_is_left_out() -> None:
    found = crowd.arrival({**SENT["prolific"], "SESSION_ID": "{{%SESSION_ID%}}"})
    assert found
    assert found.ids == {"PROLIFIC_PID": "5f0a", "STUDY_ID": "s1"}


def test_a_preview_is_nobody() -> None:
    found = crowd.arrival({"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "hitId": "h"})
    assert found
    assert found.is_preview
    assert found.ids == {}


@pytest.mark.parametrize(
    ("address", "is_kept"),
    [
        ("https://www.mturk.com/", True),
        ("https://workersandbox.mturk.com", True),
        ("https://www.mturk.com.example.org/", False),
        ("javascript:alert(1)", False),
    ],
)
def test_only_amazons_own_address_is_kept(address: str, is_kept: bool) -> None:
    found = crowd.arrival({**SENT["mturk"], "turkSubmitTo": address})
    assert found
    assert (found.ids.get("turkSubmitTo") == address) is is_kept


def test_a_link_has_the_providers_placeholders_as_it_reads_them() -> None:
    link = crowd.link_for("prolific", "https://example.org/s/which/")
    assert link == (
        "https://example.org/s/which/?PROLIFIC_PID={{%PROLIFIC_PID%}}"
        "&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )
    assert crowd.link_for("connect", "https://example.org/s/which/").endswith("/which/")


@pytest.mark.parametrize(
    "codes",
    [{"done": "ABC"}, {"finished": "two words"}, {"finished": "x" * 21}, {"failed": "<b>"}],
    ids=str,
)
def test_a_code_that_cannot_be_is_told(codes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Found .* expected"):
        crowd.checked_codes(codes)


def test_empty_codes_are_dropped() -> None:
    assert crowd.checked_codes({"finished": "C-1", "failed": ""}) == {"finished": "C-1"}


@pytest.mark.django_db
@pytest.mark.usefixtures("triad_home")
class TestCodes:
    CODES = {"finished": "DONE1", "failed": "FAIL1", "screened_out": "OUT1"}

    def session(self, state: str = "finished", **values: Any) -> Session:
        study = make_study(completion_codes=values.pop("codes", self.CODES))
        return make_session(study, state=state, **values)

    @pytest.mark.parametrize("state", CODES)
    def test_each_outcome_has_its_own_code(self, state: str) -> None:
        assert crowd.code_for(self.session(state)) == self.CODES[state]

    def test_where_the_study_has_none_each_session_gets_one_of_its_own(self) -> None:
        session = self.session("failed", codes={"finished": "DONE1"})
        first, second = crowd.code_for(session), crowd.code_for(session)
        assert first != second
        assert len(first) == 8

    def test_a_session_that_goes_on_has_no_code(self) -> None:
        with pytest.raises(ValueError, match="active"):
            crowd.code_for(self.session("active"))

    def test_a_finished_session_is_sent_back_with_the_studys_code(self) -> None:
        session = self.session("active", crowd={"provider": "prolific", "PROLIFIC_PID": "5f0a"})
        make_judgments(session, 9)
        assert serving.finish(session) == 0
        assert crowd.return_url(session) == (
            "https://app.prolific.com/submissions/complete?cc=DONE1"
        )

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"crowd": {}}, "DONE1"),
            ({"crowd": {"provider": "mturk"}}, "DONE1"),
            ({"crowd": {"provider": "connect"}}, "DONE1"),
            ({"crowd": {"provider": "prolific"}}, "1A2B3C4D"),
            ({"crowd": {"provider": "prolific"}}, ""),
            ({"crowd": {"provider": "nobody"}}, "DONE1"),
        ],
        ids=str,
    )
    def test_else_people_bring_their_code_themselves(
        self, values: dict[str, Any], code: str
    ) -> None:
        assert crowd.return_url(self.session(completion_code=code, **values)) is None
