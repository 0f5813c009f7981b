"""A release, a citation, a report: what each says agrees with what the others say."""

import re
import subprocess
from datetime import date

import pytest
import yaml
from pybtex.database import parse_string

import lectures_helpers
from tools import citation, course, release, repository

CHANGELOG = release.read("CHANGELOG.md")
CITED = citation.read()
LECTURE = next(page for page in course.pages() if page.chapter)


def test_version_and_date_stand_once():
    """Before the first release there is no date; then those of the newest."""
    assert CITED.version == lectures_helpers.__version__
    newest = release.releases(CHANGELOG)[:1]
    assert newest == [(CITED.version, CITED.released)] * bool(CITED.released)
    assert release.UNRELEASED in CHANGELOG


def test_titles_agree():
    config = yaml.safe_load((course.ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert CITED.title.startswith(f"{config['title']}: ")
    paper = (course.ROOT / "paper" / "paper.md").read_text(encoding="utf-8")
    assert yaml.safe_load(paper.split("\n---\n")[0])["title"] == CITED.title
    readme = (course.ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {CITED.title}\n")


def test_addresses_agree():
    cff = yaml.safe_load((course.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    address = course.repository()
    assert (cff["repository-code"], cff["url"]) == (address.url, address.site)


ENTRY = re.compile(r"^@\w+\{([^,]+),.*?^\}\n", re.MULTILINE | re.DOTALL)


def test_the_paper_cites_as_the_book_does():
    def entries(name):
        text = (course.ROOT / name).read_text(encoding="utf-8")
        return {found[1]: found[0] for found in ENTRY.finditer(text)}

    paper = (course.ROOT / "paper" / "paper.md").read_text(encoding="utf-8")
    cited = set(re.findall(r"@(\w+)", paper))
    book = entries("book/references.bib")
    assert entries("paper/paper.bib") == {key: book[key] for key in cited}


# ------------------------------------------------------------------------------ citations


@pytest.mark.parametrize("released", [None, date(2027, 3, 1)])
def test_a_lecture_is_cited_in_words_and_as_bibtex(released, tmp_path):
    for name in ("_config.yml", "CITATION.cff"):
        text = (course.ROOT / name).read_text(encoding="utf-8")
        text = repository.replace(text, course.repository().slug, "you/stock")
        if released and name == "CITATION.cff":
            text += f"doi: 10.5281/zenodo.1\ndate-released: {released}\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    cited = citation.read(tmp_path)
    entries = parse_string(
        citation.bibtex(LECTURE, "Sample paths & more", cited, tmp_path), "bibtex"
    ).entries
    (entry,) = entries.values()
    assert entry.fields["title"] == r"Sample paths \& more"
    assert entry.fields["url"] == f"https://you.github.io/stock/{LECTURE.name}.html"
    assert entry.fields["year"] == str(cited.year) == ("2027" if released else "2026")
    assert ("doi" in entry.fields) == bool(released)
    assert len(entry.persons["author"]) == len(cited.authors)
    line = citation.line(LECTURE, "Sample paths", cited, tmp_path)
    for said in ("Sample paths", CITED.title, CITED.version, entry.fields["url"]):
        assert said in line


def test_people_and_groups_are_authors():
    person = {"family-names": "van Zyl", "given-names": "Gerhard"}
    assert citation.name_of(person) == "van Zyl, Gerhard"
    assert citation.name_of({"name": "A and B"}) == "{A and B}"


def test_nobody_cites_an_address_that_leads_nowhere():
    if course.repository().slug.startswith(repository.PLACEHOLDER):
        assert "http" not in citation.line(LECTURE, "x", CITED)
        assert "url" not in citation.bibtex(LECTURE, "x", CITED)


# ------------------------------------------------------------------------------- a release

LOG = "# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.9.0 (2026-01-02)\n\n- Old.\n"


@pytest.mark.parametrize(
    ("version", "log", "why"),
    [
        ("0.10.0", LOG, None),
        ("1.0.0", LOG.replace("## 0.9.0 (2026-01-02)\n\n- Old.\n", ""), None),
        ("0.9.0", LOG, "after 0.9.0"),
        ("0.8.9", LOG, "after 0.9.0"),
        ("v1.0.0", LOG, "three numbers"),
        ("1.0", LOG, "three numbers"),
        ("", LOG, "three numbers"),
        ("1.0.0", LOG.replace("- New.\n", ""), "what has changed"),
    ],
)
def test_a_version_that_cannot_be_released_is_refused(version, log, why):
    fault = release.fault(version, log)
    assert fault is None if why is None else why in fault


def test_the_changelog_is_read():
    assert release.releases(LOG) == [("0.9.0", date(2026, 1, 2))]
    assert release.notes(LOG) == "- New."
    assert release.notes(LOG, "0.9.0") == "- Old."


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with an address, whose archives need not be built."""
    for name in (*release.FILES, "_config.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        text = repository.replace(release.read(name), course.repository().slug, "a/b")
        (tmp_path / name).write_text(text, encoding="utf-8")
    log = tmp_path / "CHANGELOG.md"
    log.write_text(
        log.read_text("utf-8").replace(
            "## Unreleased\n", "## Unreleased\n\n- New.\n", 1
        ),
        "utf-8",
    )
    own = {"user.name": "a", "user.email": "a@b.c", "commit.gpgsign": "false"}
    for i, (name, value) in enumerate(own.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{i}", name)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{i}", value)
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(own)))
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(
        release.course, "repository", lambda: course.Repository("a/b", "main")
    )
    release.git("init", "--quiet")
    release.git("add", "--all")
    release.git("commit", "--quiet", "--message", "All")
    return tmp_path


def test_a_release_is_a_commit_and_a_tag_that_agree(checkout, monkeypatch):
    monkeypatch.setattr(release, "check_archives", lambda: None)
    release.release("97.0.0")
    assert release.git("status", "--porcelain") == ""
    assert release.git("describe", "--exact-match") == "v97.0.0"
    assert release.disagreements("v97.0.0", release.read) == []
    assert release.disagreements("v97.0.1", release.read) == list(release.FILES)
    cited = citation.read(checkout)
    assert (cited.version, cited.released) == ("97.0.0", date.today())
    with pytest.raises(SystemExit, match="after 97"):
        release.release("97.0.0")
    log = checkout / "CHANGELOG.md"
    log.write_text(
        release.read("CHANGELOG.md").replace(
            "## Unreleased\n", "## Unreleased\n\n- X\n"
        ),
        "utf-8",
    )
    with pytest.raises(SystemExit, match="commit first"):
        release.release("98.0.0")
    release.git("commit", "--quiet", "--all", "--message", "More")
    release.release("98.0.0")  # over the date of the one before
    assert release.disagreements("v98.0.0", release.read) == []


def test_a_release_that_fails_leaves_no_trace(checkout, monkeypatch):
    def fails():
        raise subprocess.CalledProcessError(1, "twine")

    monkeypatch.setattr(release, "check_archives", fails)
    with pytest.raises(subprocess.CalledProcessError):
        release.release("97.0.0")
    assert release.git("status", "--porcelain") == ""
    assert release.git("tag", "--list") == ""


# --------------------------------------------------------------------------- a wrong number

TEMPLATES = course.ROOT / ".github" / "ISSUE_TEMPLATE"
FORMS = [path for path in sorted(TEMPLATES.iterdir()) if path.stem != "config"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_is_one_that_github_shows(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(form) == {"name", "description", "title", "labels", "body"}
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields) > 0
    assert any(field.get("validations", {}).get("required") for field in fields)
    for field in form["body"]:
        assert field["type"] in {"markdown", "input", "textarea", "dropdown"}
        needed = "value" if field["type"] == "markdown" else "label"
        assert field["attributes"][needed]


def test_a_wrong_number_has_a_form_and_a_page():
    page = (course.ROOT / "book" / "reference" / "wrong_number.md").read_text("utf-8")
    (form,) = re.findall(r"/issues/new\?template=([\w.-]+)\)", page)
    assert TEMPLATES / form in FORMS
