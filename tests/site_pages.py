"""Faults of the built book that its files show by themselves: no browser, no network.

Every `..._faults` returns a list of lines for a person; an empty list means no fault.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from tools import course

BUILT = course.ROOT / "_build" / "html"
NAMES = [page.name for page in course.pages()]
COLAB = "https://colab.research.google.com/"
# Everything else ends a line of text.
INLINE = {"a", "abbr", "b", "cite", "em", "i", "img", "small", "span", "strong", "sub"}
INLINE |= {"sup"}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
SILENT = {"pre", "code", "script", "style", "textarea", "svg", "mjx-container"}
GAP = "\ufffc"  # stands in the text for what is not text: code or a formula
RAW_ROLE = re.compile(
    rf"\{{[a-z]+(?::[a-z]+)?\}}(?=[`{GAP}])|\{{(?:term|ref|doc|eq|numref|math|cite|cite:[tp])\}}"
)
# As Markdown reads it: "$3 and $5" or "$3-$5" are prices.
RAW_DOLLARS = re.compile(rf"(?<![\\$\w])\$(?=[^\s$])[^$\n{GAP}]*(?<=[^\s$])\$(?![\d$])")
LINK = {"a": "href", "link": "href", "img": "src", "script": "src", "iframe": "src"}


class Document(HTMLParser):
    """What the checks need to know of one HTML page."""

    def __init__(self, html):
        super().__init__()
        self.anchors = set()
        self.text = ""  # of the article, without code and formulas
        self.links = []  # (line, target) of everything that a page leads to or loads
        self.buttons = []  # (classes, target) of the links above the article
        self._in_article = self._in_header = False
        self._silent = []  # what is open of something whose text is not read
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        line = self.getpos()[0]
        classes = attributes.get("class") or ""
        self.anchors.update(attributes.get(key) for key in ("id", "name"))
        if self._silent:
            self._silent += [] if tag in VOID else [tag]
        elif tag in SILENT or "math" in classes.split():
            self._silent = [tag]
            self.text += GAP
        elif tag not in INLINE:
            self.text += "\n"
        if tag == "article":
            self._in_article = True
        elif "article-header-buttons" in classes:
            self._in_header = True
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            self.links.append((line, attributes["content"].partition("url=")[2]))
        if (target := attributes.get(LINK.get(tag))) is not None:
            self.links.append((line, target))
            if tag == "a" and self._in_header and not self._in_article:
                self.buttons.append((classes, target))

    def handle_endtag(self, tag):
        if tag == "article":
            self._in_article = False
        if tag in self._silent:
            while self._silent.pop() != tag:
                pass
        elif tag not in INLINE:
            self.text += "\n"

    def handle_data(self, data):
        if self._in_article and not self._silent:
            self.text += data.replace("\n", " ")


def read(built):
    """All pages of a built book: a dictionary from path within it to `Document`."""
    return {
        path.relative_to(built).as_posix(): Document(path.read_text(encoding="utf-8"))
        for path in sorted(built.rglob("*.html"))
        if "_static" not in path.relative_to(built).parts
    }


def link_faults(name, documents, built):
    """Links of the page `name` to files and anchors that are not there."""
    faults = []
    for line, target in documents[name].links:
        if not target.strip():
            faults.append(f"line {line} has an empty link")
            continue
        if re.match(r"file:|(https?:)?//(localhost|127\.|0\.0\.0\.0)", target, re.I):
            faults.append(f"line {line} leads to {target}, which only one machine has")
            continue
        if re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.IGNORECASE):
            continue
        file, _, fragment = target.partition("#")
        file = unquote(file.partition("?")[0])
        path = (built / name).parent / file if file else built / name
        if not path.is_file():
            faults.append(f"line {line} leads to {target}, and there is no such file")
            continue
        page = path.resolve().relative_to(built.resolve()).as_posix()
        if not fragment or page not in documents:
            continue
        if unquote(fragment) not in documents[page].anchors:
            faults.append(f"line {line} leads to {target}, and {page} has no such id")
    return faults


def text_faults(document):
    """Markup that a reader sees as it was typed."""
    faults = []
    for raw, kind in ((RAW_ROLE, "a role"), (RAW_DOLLARS, "a formula")):
        for found in raw.finditer(document.text):
            start = max(found.start() - 20, 0)
            here = document.text[start : found.end() + 30].replace(GAP, "`…`")
            faults.append(f'shows {kind} as it was typed: "{shorten(here)}"')
    return faults


def button_faults(name, document, repository, root, built):
    """Where the Colab and the download button of the page `name` lead."""
    faults = []
    colab = [target for _, target in document.buttons if target.startswith(COLAB)]
    notebooks = [t for c, t in document.buttons if "btn-download-notebook" in c]
    twin = f"{name}.ipynb"
    if not (root / twin).is_file():
        faults += [f"has no twin, and its Colab button leads to {t}" for t in colab]
        faults += [f"has no twin, and offers the notebook {t}" for t in notebooks]
        return faults
    if colab != [repository.colab(twin)]:
        faults.append(
            f"its Colab button must lead to {repository.colab(twin)}, and leads to"
            f" {' and '.join(colab) or 'nothing: there is none'}"
        )
    if len(notebooks) != 1:
        faults.append(f"must offer one notebook for download, and offers {notebooks}")
    for target in notebooks:
        file = (built / f"{name}.html").parent / target
        try:
            if not json.loads(file.read_text(encoding="utf-8"))["cells"]:
                faults.append(f"the notebook for download, {target}, has no cells")
        except (OSError, ValueError, KeyError) as error:
            faults.append(f"the notebook for download, {target}, is none: {error!r}")
    return faults


def head_faults(name, html, repository, root):
    """The link to Colab below the title, and cells that show their code before what it makes."""
    faults = []
    wanted = (
        [repository.colab(f"{name}.ipynb")]
        if (root / f"{name}.ipynb").is_file()
        else []
    )
    found = re.findall(r'</h1>\s*<p class="open-in-colab"><a href="([^"]*)"', html)
    if found != wanted:
        faults.append(f"offers {found} below its title to open in Colab, not {wanted}")
    if late := re.findall(r'</details>\s*<div class="cell_output', html):
        faults.append(f"shows folded code above what it makes, {len(late)} times")
    if "ModuleNotFoundError" in html:
        faults.append("shows the cell that installs the package: tag it remove-cell")
    return faults


def preview_faults(html, repository, built):
    """What a link to a page shows elsewhere: title, opening, and a picture that is there."""
    found = dict(re.findall(r'<meta property="og:([\w:]+)" content="([^"]*)">', html))
    faults = [
        f"a link to it shows no {name}"
        for name in ("title", "description", "image", "image:alt", "url")
        if not found.get(name)
    ]
    if picture := found.get("image"):
        file = built / picture.removeprefix(f"{repository.site}/")
        if not file.is_file():
            faults.append(
                f"a link to it shows {picture}, which is no picture of the book"
            )
    return faults


def twin_faults(path, site, documents):
    """Links of a twin to the published book and to other twins that lead nowhere."""
    faults = []
    text = _texts(path)
    for target in sorted(
        set(re.findall(rf"{re.escape(site)}(/[^\s)\"'<>\]]*)?", text))
    ):
        page, _, fragment = (target or "/").rstrip(".,;:").lstrip("/").partition("#")
        page = unquote(page) or "index.html"
        if page not in documents:
            faults.append(f"links to {site}/{page}, which is no page of the book")
        elif fragment and unquote(fragment) not in documents[page].anchors:
            faults.append(f"links to {site}/{page}#{fragment}: {page} has no such id")
    for target in sorted(set(re.findall(r"\]\(([^()\s]+)\)|href=\"([^\"]+)\"", text))):
        target = target[0] or target[1]
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        other = path.parent / unquote(file) if file else path
        if not other.is_file():
            faults.append(f"links to {target}, and there is no such file")
        elif fragment and not re.search(
            rf"(?:id|name)=\"{re.escape(unquote(fragment))}\"", _texts(other)
        ):
            faults.append(f"links to {target}, and no cell there has that id")
    return faults


def _texts(path):
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def shorten(text, length=80):
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def build_fault(built, pages, root):
    """Why the built book cannot be tested, in one line; None when it can."""
    if not (built / "index.html").is_file():
        return "the book is not built: run `make book`"
    for page in pages:
        html, source = built / f"{page.name}.html", root / f"{page.name}.md"
        if not html.is_file():
            return f"the built book has no page {page.name}: run `make book`"
        if html.stat().st_mtime < source.stat().st_mtime:
            return f"the built book is older than {page.name}.md: run `make book`"
    # Not by the time of _toc.yml: a build that finds the same pages in it writes nothing.
    start = Document((built / f"{pages[0].name}.html").read_text(encoding="utf-8"))
    here = Path(built, pages[0].name).parent
    linked = [(here / target.partition("#")[0]).resolve() for _, target in start.links]
    listed = [Path(built, f"{page.name}.html").resolve() for page in pages[1:]]
    sidebar = list(dict.fromkeys(path for path in linked if path in set(listed)))
    if sidebar != listed:
        return "the built book has not the order of _toc.yml: run `make book`"
    return None


def check(name, faults):
    """Fail with the first fault in one line, and the others below it."""
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        rest = "".join(f"\n  {name} {fault}" for fault in faults[1:])
        pytest.fail(f"{name} {faults[0]}{more}{rest}", pytrace=False)


BOOK_FAULT = build_fault(BUILT, course.pages(), course.ROOT)
