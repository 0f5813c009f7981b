"""The text: what it promises runs, and its cards and links are complete."""

import re

import pytest

from tools import cards, course


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
            assert address.colab(f"{page.name}.ipynb") in readme


def test_lectures_have_a_card_on_the_landing_page():
    """With a picture that the build draws."""
    landing = (course.ROOT / "book" / "intro.md").read_text(encoding="utf-8")
    lectures = [page for page in course.pages() if page.chapter]
    assert set(cards.PICTURES) == {page.name for page in lectures}
    for page in lectures:
        path = page.name.removeprefix("book/")
        picture = f"/_build/cards/{path.split('/')[-1]}.png"
        title = rf"grid-item-card}} {page.chapter}\. .+\n:img-top: {picture}\n"
        card = re.search(rf"{title}:img-alt: .+\n:link: {path}\n", landing)
        assert card, f"book/intro.md has no card for {page.chapter}. {page.name}"
