"""The repository's address is the same everywhere, and one command changes it."""

import re

import jupytext
import pytest

from tools import course, repository

ADDRESS = course.repository()
OWNER, NAME = ADDRESS.slug.split("/")


@pytest.mark.parametrize(
    "path",
    ["_config.yml", "README.md", "CITATION.cff", "pyproject.toml", "book/template.md"],
)
def test_address_stands_in(path):
    assert ADDRESS.url in (course.ROOT / path).read_text(encoding="utf-8")


def test_no_other_address_of_the_course():
    """No file names the course under another owner, on GitHub or as a published book."""
    other = re.compile(
        rf"github\.com/(?!{OWNER}/)[\w-]+/{re.escape(NAME)}\b"
        rf"|(?<![\w.-])(?!{OWNER}\.)[\w-]+\.github\.io/{re.escape(NAME)}\b"
    )
    found = [
        f"{path.relative_to(course.ROOT)}: {match[0]}"
        for path in [*repository.text_files(), *(course.ROOT / "book").rglob("*.ipynb")]
        for match in other.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, f"run `make repository REPO={ADDRESS.slug}`: {found}"


def set_up_cell_of_the_template():
    text = (course.ROOT / "book" / "template.md").read_text(encoding="utf-8")
    return re.search(r"^try:\n.*?(?=\n```)", text, re.MULTILINE | re.DOTALL)[0]


@pytest.mark.parametrize("page", [page.name for page in course.pages()])
def test_a_page_with_code_begins_with_the_set_up_cell(page):
    source = (course.ROOT / f"{page}.md").read_text(encoding="utf-8")
    code = [
        c.source
        for c in jupytext.reads(source, fmt="md:myst").cells
        if c.cell_type == "code"
    ]
    if code:
        assert code[0] == set_up_cell_of_the_template(), (
            f"{page}.md: copy the first cell from book/template.md"
        )
        assert f'"git+{ADDRESS.url}"' in code[0]
    has_kernel = (
        source.startswith("---\n") and "\nkernelspec:" in source.split("\n---\n")[0]
    )
    assert has_kernel == bool(code), (
        f"{page}.md: a page has the jupytext header if and only if it has code"
    )


def test_replacing_changes_both_forms():
    text = "https://github.com/me/course, https://me.github.io/course/x.html, me/course2, some/me/course"
    assert repository.replace(text, "me/course", "you/other") == (
        "https://github.com/you/other, https://you.github.io/other/x.html, me/course2, some/you/other"
    )
