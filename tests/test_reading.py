"""Reading times: counted as the module says."""

import pytest

from tools import course, reading

WORDS = "word " * 1200  # ten minutes


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        (WORDS, 10),
        ("---\njupytext: x\n---\n" + WORDS, 10),
        ("```{margin}\n" + WORDS + "\n```", 10),
        (WORDS + "more", 15),  # begun fives count whole
        ("```{code-cell} ipython3\n" + 100 * "x = 1\n" + "```", 10),
        ("```{code-cell} ipython3\n:tags: [hide-input]\n" + 200 * "x\n" + "```", 0),
        ("$$\nx\n$$\n\n" * 20, 10),
        ("```{prf:proof}\n$$\nx\n$$\n" + WORDS + "\n```\n", 15),
        ("```{prf:proof}\n:class: dropdown\n" + WORDS + "\n```\n", 0),
        ("```{exercise-start}\n```\n" + WORDS + "\n\n```{exercise-end}\n```\n", 0),
        ("```{solution-start} a\n```\n\n" + WORDS + "\n\n```{solution-end}\n```", 0),
    ],
)
def test_reading(text, minutes):
    assert reading.of_page(text).reading == minutes


def test_exercises_take_what_they_say():
    text = (
        "```{exercise-start}\n```\n*Trains: x. About 20 minutes.*\n```{exercise-end}\n```\n"
        "```{exercise-start}\n:label: b\n```\nAbout 12 minutes.\n```{exercise-end}\n```\n"
        "About 100 minutes, says a page.\n"
    )
    time = reading.of_page(text)
    assert time.exercises == 35
    assert str(time) == "About 5 minutes, and 35 more for the exercises."


def test_the_exercises_of_a_lecture_take_minutes_and_not_days():
    for page in course.pages():
        if page.chapter:
            text = (course.ROOT / f"{page.name}.md").read_text(encoding="utf-8")
            time = reading.of_page(text)
            assert 5 <= time.exercises <= 180, (
                f"{page.name} has exercises of {time.exercises} minutes, by their"
                " 'About ... minutes'; a lecture has 5 to 180"
            )
