"""The built book's files: links, raw markup, buttons, sizes. No browser, no network.

Needs a built book (`make book`); without one these tests are skipped, but in CI they fail.
"""

import os

import nbformat
import pytest
import site_pages

from tools import course

if site_pages.BOOK_FAULT and os.environ.get("CI"):
    pytest.fail(site_pages.BOOK_FAULT, pytrace=False)
if site_pages.BOOK_FAULT:
    pytest.skip(site_pages.BOOK_FAULT, allow_module_level=True)

BUILT, NAMES = site_pages.BUILT, site_pages.NAMES
REPOSITORY = course.repository()
LARGEST = 900_000  # bytes of a page's HTML, or of a picture


@pytest.fixture(scope="module")
def documents():
    return site_pages.read(BUILT)


@pytest.mark.parametrize("name", NAMES)
class TestPage:
    def test_links_lead_somewhere(self, name, documents):
        site_pages.check(name, site_pages.link_faults(f"{name}.html", documents, BUILT))

    def test_shows_no_markup(self, name, documents):
        site_pages.check(name, site_pages.text_faults(documents[f"{name}.html"]))

    def test_buttons_lead_to_the_twin(self, name, documents):
        document = documents[f"{name}.html"]
        root = course.ROOT
        site_pages.check(
            name, site_pages.button_faults(name, document, REPOSITORY, root, BUILT)
        )

    def test_begins_with_colab_and_shows_figures_before_code(self, name):
        html = (BUILT / f"{name}.html").read_text(encoding="utf-8")
        site_pages.check(
            name, site_pages.head_faults(name, html, REPOSITORY, course.ROOT)
        )

    def test_a_link_to_it_shows_what_it_is(self, name):
        html = (BUILT / f"{name}.html").read_text(encoding="utf-8")
        site_pages.check(name, site_pages.preview_faults(html, REPOSITORY, BUILT))


def test_links_of_the_other_pages_lead_somewhere(documents):
    for name in documents:
        if name.removesuffix(".html") not in NAMES:
            site_pages.check(name, site_pages.link_faults(name, documents, BUILT))


@pytest.mark.parametrize(
    "name", [name for name in NAMES if (course.ROOT / f"{name}.ipynb").is_file()]
)
def test_links_of_the_twin_lead_somewhere(name, documents):
    twin = course.ROOT / f"{name}.ipynb"
    site_pages.check(
        f"{name}.ipynb", site_pages.twin_faults(twin, REPOSITORY.site, documents)
    )


def test_pages_are_light():
    """A slow mobile connection (4 Mbit/s) brings the largest in two seconds, unpacked."""
    files = [*BUILT.glob("book/**/*.html"), *BUILT.glob("_images/*")]
    large = [path for path in files if path.stat().st_size > LARGEST]
    for path in large:
        pytest.fail(f"{path.name} has {path.stat().st_size:,} bytes", pytrace=False)


# --------------------------------------------------------------- the tests find what is wrong

GOOD = """<!doctype html><html lang="en"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>html[data-theme=dark] { background: #111; color: #eee }</style>
<article><h1 id="top">Shop</h1><p>Bread <a href="#top">up</a></p>%s</article></html>"""


@pytest.mark.parametrize(
    ("piece", "fault"),
    [
        ('<a href="%2e/page.html?x=1#top">a</a><a href="mailto:a@b.c">b</a>', None),
        ('<a href="cake.html">cake</a>', "no such file"),
        ('<a href="#crumbs">crumbs</a>', "no such id"),
        ('<script src="oven.js"></script>', "no such file"),
        ('<a href="http://localhost:8000/a">a</a>', "only one machine"),
        ('<a href="file:///home/me/a.html">a</a>', "only one machine"),
        ('<a href="">a</a>', "empty link"),
        ("<p>See {term}`lot`.", "a role as it was typed"),
        ("<p>See {prf:ref}<code>lot</code>.", "a role as it was typed"),
        ("<pre>{term}`lot` $Q$</pre><code>{ref}`a`</code> {a, b}", None),
        ("<p>So $Q$ it is", "a formula as it was typed"),
        (r"<p>So $Q<em>1</em> + \frac{1}{2}$.", "a formula as it was typed"),
        ("<p>It costs $3, or $4 and $5: $3–$4.<p>Or $", None),
        (r'<span class="math">\(<b>$Q$</b>\)</span>, <br>$3', None),
    ],
)
def test_faults_of_files_are_found(tmp_path, piece, fault):
    (tmp_path / "page.html").write_text(GOOD % piece, encoding="utf-8")
    documents = site_pages.read(tmp_path)
    page = documents["page.html"]
    faults = site_pages.link_faults("page.html", documents, tmp_path)
    faults += site_pages.text_faults(page)
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]


@pytest.mark.parametrize(
    ("target", "notebook", "twin", "fault"),
    [
        ("page.ipynb", "twin.ipynb", True, None),
        ("other.ipynb", "twin.ipynb", True, "Colab button must lead to"),
        (None, "twin.ipynb", True, "there is none"),
        ("page.ipynb", None, True, "offers []"),
        ("page.ipynb", "page.html", True, "is none"),
        (None, None, False, None),
        ("page.ipynb", None, False, "has no twin, and its Colab button"),
    ],
)
def test_faults_of_buttons_are_found(tmp_path, target, notebook, twin, fault):
    colab = f'<a href="{REPOSITORY.colab(target)}">' if target else ""
    download = f'<a class="btn-download-notebook-button" href="{notebook}">'
    html = f"""<div class="article-header-buttons">{colab}{download if notebook else ""}
        </div><article><a href="https://colab.research.google.com/x">x</a></article>"""
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    (tmp_path / "twin.ipynb").write_text('{"cells": [1]}', encoding="utf-8")
    if twin:
        (tmp_path / "page.ipynb").touch()
    document = site_pages.Document(html)
    arguments = (REPOSITORY, tmp_path, tmp_path)
    faults = site_pages.button_faults("page", document, *arguments)
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]


OFFER = f'</h1>\n<p class="open-in-colab"><a href="{REPOSITORY.colab("page.ipynb")}">'


@pytest.mark.parametrize(
    ("html", "twin", "fault"),
    [
        (f'{OFFER}<div class="cell_output"></div><details></details>', True, None),
        ("</h1>", False, None),
        ("</h1>", True, "offers []"),
        (OFFER, False, "below its title"),
        (f'{OFFER}<details></details>\n<div class="cell_output">', True, "above what"),
        (f"{OFFER}<pre>except ModuleNotFoundError:</pre>", True, "installs"),
    ],
)
def test_faults_of_a_page_s_head_are_found(tmp_path, html, twin, fault):
    if twin:
        (tmp_path / "page.ipynb").touch()
    faults = site_pages.head_faults("page", html, REPOSITORY, tmp_path)
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]


@pytest.mark.parametrize(
    ("picture", "fault"),
    [("page.png", None), ("other.png", "no picture of the book"), ("", "no image")],
)
def test_faults_of_previews_are_found(tmp_path, picture, fault):
    (tmp_path / "page.png").touch()
    said = {name: "x" for name in ("title", "description", "image:alt", "url")}
    said["image"] = picture and f"{REPOSITORY.site}/{picture}"
    html = "".join(
        f'<meta property="og:{name}" content="{x}">' for name, x in said.items()
    )
    faults = site_pages.preview_faults(html, REPOSITORY, tmp_path)
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[up](#top), [there](page.ipynb#top), [SITE](SITE/page.html#top), SITE", None),
        ("[up](#bottom)", "no cell there has that id"),
        ("[cake](cake.ipynb)", "no such file"),
        ("See SITE/cake.html.", "no page of the book"),
        ("[x](SITE/page.html#bottom)", "has no such id"),
    ],
)
def test_faults_of_twins_are_found(tmp_path, text, fault):
    text = text.replace("SITE", "https://a.github.io/b")
    cells = [nbformat.v4.new_markdown_cell(f'<a name="top" id="top"></a>{text}')]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "page.ipynb")
    for name in ("page.html", "index.html"):
        (tmp_path / name).write_text(GOOD % "", encoding="utf-8")
    documents = site_pages.read(tmp_path)
    twin = tmp_path / "page.ipynb"
    faults = site_pages.twin_faults(twin, "https://a.github.io/b", documents)
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]


def test_a_missing_old_or_reordered_book_is_found(tmp_path):
    a, b, c = pages = [course.Page(name, None) for name in "abc"]

    def fault(pages=pages):
        return site_pages.build_fault(tmp_path, pages, tmp_path)

    assert "not built" in fault()
    for name in ("index", "a", "b", "c"):
        (tmp_path / f"{name}.md").touch()
        links = '<a href="b.html">b</a><a href="c.html#x">c</a><a href="b.html">b</a>'
        (tmp_path / f"{name}.html").write_text(links)
    assert fault() is None
    assert "order" in fault([a, c, b])
    os.utime(tmp_path / "b.md", (2**32, 2**32))
    assert "older than b.md" in fault()
    (tmp_path / "c.html").unlink()
    assert "no page c" in fault([a, c])
