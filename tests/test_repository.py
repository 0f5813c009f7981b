"""The repository's address is the same everywhere, and one command changes it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

from tools import course, notebooks, repository

ADDRESS = course.repository()
OWNER, NAME = ADDRESS.slug.split("/")


@pytest.mark.parametrize(
    "path",
    ["_config.yml", "README.md", "CITATION.cff", "pyproject.toml"],
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
        for path in repository.text_files()
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
        if OWNER == repository.PLACEHOLDER:
            assert "not published yet" in code[0]
            assert "pip" not in code[0], f"{page}.md: installs from nobody's address"
            text = repository.replace(code[0], ADDRESS.slug, "you/yours")
            assert (
                '%pip install -q --no-deps "git+https://github.com/you/yours"' in text
            )
        else:
            assert f'"git+{ADDRESS.url}"' in code[0]
    has_kernel = (
        source.startswith("---\n") and "\nkernelspec:" in source.split("\n---\n")[0]
    )
    assert has_kernel == bool(code), (
        f"{page}.md: a page has the jupytext header if and only if it has code"
    )


def text_with(slug):
    """Every form in which the address stands in a file."""
    address = course.Repository(slug, "main")
    return (
        f'url: {address.url} # or {address.url}.git, "git+{address.url}"\n'
        f"[book]({address.site}/book/intro.html), [zip]({address.site}/course.zip).\n"
        f"{address.colab('book/intro.ipynb')} {address.raw('book/a.png')}\n"
        f"At {address.site}. At {slug}.\n"
    )


SLUGS = [
    f"{repository.PLACEHOLDER}/lectures",
    "me/some-stock",
    "Me/Me.github.io",
    "a/a.github.io",
]


@pytest.mark.parametrize("old", SLUGS)
@pytest.mark.parametrize("new", SLUGS)
def test_replacing_changes_every_form(old, new):
    assert repository.replace(text_with(old), old, new) == text_with(new)


@pytest.mark.parametrize("old", ["me/some-stock", "me/me.github.io"])
def test_replacing_leaves_other_addresses(old):
    text = (
        "me/some-stock2 me/some-stock-2 me/some-stock.x not-me/some-stock some/me.github.io "
        "https://not-me.github.io/some-stock https://www.me.github.io https://me.github.io.org"
    )
    assert repository.replace(text, old, "you/other") == text


@pytest.mark.parametrize(
    ("slug", "site"),
    [
        ("me/some-stock", "https://me.github.io/some-stock"),
        ("me/me.github.io", "https://me.github.io"),
        ("Me/me.GitHub.io", "https://me.github.io"),
        ("me/you.github.io", "https://me.github.io/you.github.io"),
    ],
)
def test_address_of_the_book(slug, site):
    assert course.Repository(slug, "main").site == site


def test_nobody_can_hold_the_placeholder():
    """Letters, digits and hyphens; with one underscore where a company manages the account."""
    account = re.compile(r"[A-Za-z0-9-]+(_[A-Za-z0-9]+)?")
    assert not account.fullmatch(repository.PLACEHOLDER)
    assert not repository.SLUG.fullmatch(f"{repository.PLACEHOLDER}/{NAME}")


def test_the_placeholder_is_explained_and_the_workflow_knows_it():
    pages = (course.ROOT / ".github" / "workflows" / "pages.yml").read_text("utf-8")
    assert f"{repository.PLACEHOLDER}/*)" in pages
    if OWNER == repository.PLACEHOLDER:
        readme = (course.ROOT / "README.md").read_text(encoding="utf-8")
        assert f"`{repository.PLACEHOLDER}` stands for" in readme
        after = repository.replace(readme, ADDRESS.slug, "you/yours")
        assert repository.PLACEHOLDER not in after


def test_the_readme_names_the_book():
    assert f"{ADDRESS.site}/" in (course.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "slug", ["a/b", "A-1/b.c_d-e", "me/.github", "me/me.github.io", "a/...", "a/b.gitx"]
)
def test_a_name_that_github_takes(slug):
    assert repository.SLUG.fullmatch(slug)


@pytest.mark.parametrize(
    "slug",
    ["", "a", "a/", "/b", "a/.", "a/..", "-a/b", "a/b.git", "a/b/c", "a/b\n", "a b/c"],
)
def test_a_name_that_github_refuses(slug, monkeypatch):
    monkeypatch.setattr("sys.argv", ["repository", slug])
    with pytest.raises(SystemExit) as refused:
        repository.main()
    assert "REPO=owner/name" in refused.value.code
    assert "\n" not in refused.value.code


@pytest.mark.parametrize("slug", ["Some-One/Their.Course", "me/me.github.io"])
def test_twins_under_a_new_address_are_those_that_would_be_made(slug, tmp_path):
    """So that the address can be written where nothing is installed."""
    names = [f"{page.name}.md" for page in course.pages()]
    for name in (*names, "_config.yml", "_toc.yml", "book/references.bib"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        text = (course.ROOT / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(repository.replace(text, ADDRESS.slug, slug))
    replaced = {
        name: repository.replace(text, ADDRESS.slug, slug)
        for name, text in notebooks.twins().items()
    }
    assert notebooks.twins(tmp_path) == replaced


def test_the_address_is_written_where_nothing_is_installed(tmp_path):
    """By Python alone: isolated, and without site-packages."""
    for name in ("tools/__init__.py", "tools/course.py", "tools/repository.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(course.ROOT / name, tmp_path / name)
    shutil.copy(course.ROOT / "_config.yml", tmp_path)
    command = [sys.executable, "-S", "-m", "tools.repository", "you/yours"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert course.repository(tmp_path).slug == "you/yours"


def test_what_is_not_ours_is_left_alone_and_a_broken_run_can_be_repeated(
    tmp_path, monkeypatch
):
    """A virtual environment and a file that is not UTF-8 lie in a clone that git knows."""
    ours = ["_config.yml", "zuletzt.md", "book/a.md"]
    others = ["env/pyvenv.cfg", "env/lib/a.py", "ignored/a.md", "latin.md"]
    text = f"repository:\n  url: {ADDRESS.url}\n  branch: main\n"
    for name in (*ours, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "latin.md").write_bytes(f"{text}Übung".encode("latin-1"))
    (tmp_path / ".gitignore").write_text("ignored/\n")
    if shutil.which("git"):
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    else:
        others.remove("ignored/a.md")
    before = {name: (tmp_path / name).read_bytes() for name in others}
    written = []
    write_text = Path.write_text

    def record(path, *args, **settings):
        written.append(path.relative_to(tmp_path).as_posix())
        return write_text(path, *args, **settings)

    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course.repository, "__defaults__", (tmp_path,))
    monkeypatch.setattr(repository.text_files, "__defaults__", (tmp_path,))
    monkeypatch.setattr(Path, "write_text", record)
    monkeypatch.setattr("sys.argv", ["repository", "you/yours"])
    repository.main()
    assert sorted(written) == sorted(ours)
    assert written[-1] == "_config.yml"
    assert before == {name: (tmp_path / name).read_bytes() for name in others}
