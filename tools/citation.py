"""How the course and its lectures are cited: what CITATION.cff says, for people and as BibTeX."""

import re
from datetime import date
from typing import NamedTuple

import yaml

from tools import course, repository

BIBTEX = """@incollection{{{key},
  author    = {{{authors}}},
  title     = {{{title}}},
  booktitle = {{{course}}},
  chapter   = {{{chapter}}},
  version   = {{{version}}},
  year      = {{{year}}},
{address}}}
"""


class Citation(NamedTuple):
    """What CITATION.cff says, as far as it is needed here."""

    title: str
    authors: list[str]
    version: str
    released: date | None  #: None until there is a release
    year: int
    doi: str | None  #: None until an archive has given one


def read(root=course.ROOT):
    cff = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    config = (root / "_config.yml").read_text(encoding="utf-8")
    released = cff.get("date-released")
    year = re.search(r'^copyright: "(\d{4})"', config, re.MULTILINE)[1]
    return Citation(
        title=cff["title"],
        authors=[name_of(author) for author in cff["authors"]],
        version=str(cff["version"]),
        released=released,
        year=released.year if released else int(year),
        doi=cff.get("doi"),
    )


def name_of(author):
    """People have two names, as BibTeX sorts them; a group has one, and is not taken apart."""
    if "family-names" in author:
        return f"{author['family-names']}, {author['given-names']}"
    return f"{{{author['name']}}}"


def address(page, root=course.ROOT):
    """Where a page can be read; nothing until the course is published."""
    where = course.repository(root)
    if where.slug.startswith(f"{repository.PLACEHOLDER}/"):
        return None
    return f"{where.site}/{page.name}.html"


def line(page, title, citation, root=course.ROOT):
    """A lecture's citation in words; `title` is the lecture's own."""
    authors = " and ".join(name.strip("{}") for name in citation.authors)
    ends = [
        citation.doi and f"https://doi.org/{citation.doi}",
        address(page, root),
    ]
    return (
        f"{authors} ({citation.year}). {title}. Chapter {page.chapter} of"
        f" {citation.title}, version {citation.version}."
        + "".join(f" {end}" for end in ends if end)
    )


def bibtex(page, title, citation, root=course.ROOT):
    """A lecture as an entry of BibTeX; `title` is the lecture's own."""
    fields = {"doi": citation.doi, "url": address(page, root)}
    return BIBTEX.format(
        key=f"inventory_jax_{page.name.rpartition('/')[2]}",
        authors=" and ".join(citation.authors),
        title=re.sub(r"([&%#_])", r"\\\1", title),
        course=citation.title,
        chapter=page.chapter,
        version=citation.version,
        year=citation.year,
        address="".join(f"  {name:<9} = {{{x}}},\n" for name, x in fields.items() if x),
    )
