"""What `_config.yml` and `_toc.yml` say: the repository's address and the pages in order."""

from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent


class Repository(NamedTuple):
    """Where the course lives."""

    slug: str  #: owner/name on GitHub
    branch: str

    @property
    def url(self):
        return f"https://github.com/{self.slug}"

    @property
    def site(self):
        """Address of the published book (GitHub Pages)."""
        owner, name = self.slug.split("/")
        return f"https://{owner}.github.io/{name}"

    def colab(self, path):
        return f"https://colab.research.google.com/github/{self.slug}/blob/{self.branch}/{path}"

    def raw(self, path):
        """Address of a file's content, for images that Colab is to show."""
        return f"https://raw.githubusercontent.com/{self.slug}/{self.branch}/{path}"


class Page(NamedTuple):
    """One page of the book."""

    name: str  #: path from the root, without suffix, such as book/intro
    chapter: int | None  #: chapter number, None where the part is not numbered


def repository(root=ROOT):
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))[
        "repository"
    ]
    return Repository(
        config["url"].removeprefix("https://github.com/"), config["branch"]
    )


def pages(root=ROOT):
    """The book's pages in reading order; chapters are numbered on from part to part."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found = [Page(toc["root"], None)]
    chapter = 0
    for part in toc["parts"]:
        for entry in part["chapters"]:
            if part.get("numbered"):
                chapter += 1
            found.append(Page(entry["file"], chapter if part.get("numbered") else None))
    return found
