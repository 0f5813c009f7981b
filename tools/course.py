"""What `_config.yml` and `_toc.yml` say: the repository's address and the pages in order."""

import re
from pathlib import Path
from typing import NamedTuple

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
        if name.lower() == f"{owner.lower()}.github.io":  # the owner's own site
            return f"https://{name.lower()}"
        return f"https://{owner}.github.io/{name}"

    def colab(self, path):
        return f"https://colab.research.google.com/github/{self.slug}/blob/{self.branch}/{path}"

    def raw(self, path):
        """Address of a file's content, for pictures that are shown elsewhere."""
        return f"https://raw.githubusercontent.com/{self.slug}/{self.branch}/{path}"


class Page(NamedTuple):
    """One page of the book."""

    name: str  #: path from the root, without suffix, such as book/intro
    chapter: int | None  #: chapter number, None where the part is not numbered
    part: str = ""  #: the part's caption


def repository(root=ROOT):
    text = (root / "_config.yml").read_text(encoding="utf-8")
    url = re.search(r"^  url: https://github\.com/(\S+)", text, re.MULTILINE)
    branch = re.search(r"^  branch: (\S+)", text, re.MULTILINE)
    return Repository(url[1], branch[1])


def pages(root=ROOT):
    """The book's pages in reading order; chapters are numbered on from part to part."""
    import yaml  # here: the address is written where nothing is installed

    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found = [Page(toc["root"], None)]
    chapter = 0
    for part in toc["parts"]:
        for entry in part["chapters"]:
            if part.get("numbered"):
                chapter += 1
            number = chapter if part.get("numbered") else None
            for page in (entry, *entry.get("sections", ())):
                found.append(Page(page["file"], number, part["caption"]))
    return found


def place(page, root=ROOT):
    """Where a lecture stands in the course, for a reader who came from elsewhere."""
    last = max(other.chapter or 0 for other in pages(root))
    return f"Lecture {page.chapter} of {last}", page.part
