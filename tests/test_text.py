"""The text: what it promises runs, and its cards and links are complete."""

import re

import pytest

from tools import course


@pytest.mark.parametrize("name", ["README.md", "book/reference/api.md"])
def test_code_in_the_text_runs(name):
    text = (course.ROOT / name).read_text(encoding="utf-8")
    snippets = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, name, "exec"), {})


def test_lectures_are_linked_from_the_readme():
    readme = (course.ROOT / "README.md").read_text(encoding="utf-8")
    address = course.repository()
    for page in course.pages():
        if page.chapter:
            assert address.colab(f"{page.name}.ipynb") in readme, (
                f"README.md has no row for {page.name}.ipynb: add it"
            )


def test_lectures_have_a_card_on_the_landing_page():
    """With a picture that the lecture draws."""
    landing = (course.ROOT / "book" / "intro.md").read_text(encoding="utf-8")
    for page in course.pages():
        if page.chapter:
            path = page.name.removeprefix("book/")
            card = re.search(
                rf"grid-item-card}} .+\n:link: {path}\n"
                r"(?::.+\n)*\n```\{picture\} (fig-[\w-]+)\n",
                landing,
            )
            assert card, (
                f"book/intro.md has no card for {page.name}, with :link: {path} and {{picture}} of a figure: add it"
            )
            lecture = (course.ROOT / f"{page.name}.md").read_text(encoding="utf-8")
            assert f"name: {card[1]}\n" in lecture, f"{page.name} draws no {card[1]}"
