"""The text: what it promises runs, and one letter is one code point."""

import re
import unicodedata

import pytest

from tools import course, repository

# Look-alikes that fonts hardly tell apart from the letter that the course uses.
LOOKALIKES = {
    "\u00b5": "μ U+03BC",  # micro sign
    "\u03d5": "φ U+03C6",  # phi symbol
    "\u03f5": "ε U+03B5",  # lunate epsilon
    "\u025b": "ε U+03B5",  # Latin open e
    "\u03d1": "θ U+03B8",  # theta symbol
    "\u03c2": "σ U+03C3",  # final sigma
}
FILES = [path.relative_to(course.ROOT).as_posix() for path in repository.text_files()]


@pytest.mark.parametrize(
    "name", [name for name in FILES if name.endswith((".py", ".md"))]
)
def test_one_code_point_a_letter(name):
    text = (course.ROOT / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.split("\n"), start=1):
        for character in line:
            assert character not in LOOKALIKES, (
                f"{name}:{number}: write {LOOKALIKES[character]}, not {unicodedata.name(character)}"
            )


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
