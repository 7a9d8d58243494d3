"""The datasheet asks every question of the paper, and says what nobody answered."""

import pytest

from codecs_eval.agreement.datasheet import NOT_RECORDED, QUESTIONS, datasheet, one_line, table


def test_every_question_stands_there_and_the_open_ones_say_so() -> None:
    text = datasheet("Study", "", {"purpose": "To know."})
    n_questions = sum(len(section) for section in QUESTIONS.values())
    assert text.count("\n### ") == n_questions
    assert text.count(NOT_RECORDED) == n_questions - 1
    assert "To know." in text


def test_a_warning_stands_above_everything() -> None:
    assert (
        datasheet("S", "SIMULATED: by nobody.", {}).splitlines()[2] == "**SIMULATED: by nobody.**"
    )


def test_an_answer_to_no_question_is_a_fault() -> None:
    with pytest.raises(ValueError, match="colour"):
        datasheet("S", "", {"colour": "red"})


def test_what_people_wrote_makes_no_markup() -> None:
    text = "# Head\n| a | <script> *b* `c` [x](y)"
    line = one_line(text)
    assert "\n" not in line
    assert "<script>" not in line
    assert table(["x"], [[text]]).count("\n") == 2
