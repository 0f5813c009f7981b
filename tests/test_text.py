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
            assert address.colab(f"{page.name}.ipynb") in readme, (
                f"README.md has no row for {page.name}.ipynb: add it"
            )


def test_lectures_have_a_card_on_the_landing_page():
    """With a picture that the build draws."""
    landing = (course.ROOT / "book" / "intro.md").read_text(encoding="utf-8")
    lectures = [page for page in course.pages() if page.chapter]
    for name in set(cards.PICTURES) - {page.name for page in lectures}:
        pytest.fail(
            f"tools/cards.py draws {name}, no lecture of _toc.yml", pytrace=False
        )
    for page in lectures:
        assert page.name in cards.PICTURES, (
            f"{page.name} has no picture: add it to PICTURES in tools/cards.py"
        )
        path = page.name.removeprefix("book/")
        picture = f"/_build/cards/{path.split('/')[-1]}.png"
        title = rf"grid-item-card}} {page.chapter}\. .+\n:img-top: {picture}\n"
        card = re.search(rf"{title}:img-alt: .+\n:link: {path}\n", landing)
        assert card, (
            f"book/intro.md has no card for {page.name} with :img-top: {picture},"
            f" :img-alt: and :link: {path}, titled '{page.chapter}. ...': add it"
        )
