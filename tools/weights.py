"""What each page of the built book weighs: `python -m tools.weights`, heaviest first.

A page's own weight is its HTML and the pictures that it shows and no other page shows: what a
reader who has seen the rest of the book still loads. Bytes as they lie on the disk, not packed.
"""

import re
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tools import course

BUILT = course.ROOT / "_build" / "html"
# By name wherever it stands in the page, so that it also finds what a script is to show.
PICTURE = re.compile(
    r"""(?:_images|_downloads)/[^"'\s()<>?#,]+?\.(?:png|svg|webp|jpe?g|gif|avif)\b"""
)


class Weight(NamedTuple):
    """Bytes that are a page's own."""

    page: str  #: path from the root, without suffix, such as book/intro
    html: int
    pictures: int

    @property
    def total(self):
        return self.html + self.pictures

    def __str__(self):
        return (
            f"{self.total / 1000:8.0f} kB {self.page}"
            f" ({self.html / 1000:.0f} html, {self.pictures / 1000:.0f} pictures)"
        )


def weights(built=BUILT, names=None):
    """Weights of the pages `names`, default all of the book's, heaviest first."""
    names = [page.name for page in course.pages()] if names is None else names
    pages = {name: Path(built, f"{name}.html").read_bytes() for name in names}
    shown = {
        name: set(PICTURE.findall(html.decode("utf-8"))) for name, html in pages.items()
    }
    times = Counter(picture for pictures in shown.values() for picture in pictures)
    made = []
    for name, html in pages.items():
        own = [Path(built, p) for p in shown[name] if times[p] == 1]
        pictures = sum(p.stat().st_size for p in own if p.exists())
        made.append(Weight(name, len(html), pictures))
    return sorted(made, key=lambda weight: -weight.total)


def median(made):
    """The median page's total, in bytes."""
    return statistics.median(weight.total for weight in made)


def main():
    try:
        made = weights()
    except FileNotFoundError as error:
        sys.exit(f"{error.filename}: the book is not built: run `make book`")
    print(*made, sep="\n")
    print(f"{median(made) / 1000:8.0f} kB in the median of {len(made)} pages")


if __name__ == "__main__":
    main()
