"""Questions with an answer: what is refused, and what a twin makes of one."""

import pytest

from tools import questions

LINES = [
    "[ ] It goes up.",
    ": Only the mean counts:",
    "  $\\mathbb E L$.",
    "[x] It stays,",
    "  whatever the spread.",
    ": Palm's theorem.",
]


def test_choices_with_their_feedback():
    up, stays = questions.choices(LINES)
    assert up == ("It goes up.", False, "Only the mean counts:\n$\\mathbb E L$.")
    told = ("It stays, whatever the spread.", True, "Palm's theorem.")
    assert (stays, stays.verdict) == (told, "Right.")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([line.replace("[x]", "[ ]") for line in LINES], "a right answer"),
        ([line.replace("[ ]", "[x]") for line in LINES], "a wrong answer"),
        (LINES[:3], "two choices"),
        ([LINES[0], *LINES[3:]], "no feedback for 'It goes up.'"),
        (["Before you look:", *LINES], "begin with"),
        (["[ ] See {ref}`palm`.", ": No.", *LINES[3:]], "no role"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(lines, words):
    with pytest.raises(ValueError, match=words):
        questions.choices(lines)
