"""Write the repository's address everywhere: python -m tools.repository owner/name

Needs nothing but Python: the workflow that publishes a new repository runs this beside a token that
may write, and there no package of others should run. Twins are changed as all other files are;
their cells' ids do not depend on the address (tools/notebooks.py).
"""

import os
import re
import sys
from pathlib import Path

from tools import course

SUFFIXES = {
    "",
    ".md",
    ".yml",
    ".yaml",
    ".toml",
    ".cff",
    ".py",
    ".txt",
    ".sh",
    ".bib",
    ".css",
    ".ipynb",
}
DOTTED = {".ci", ".github"}  # the hidden folders that are ours
MADE = re.compile(r"\..*|_build|build|dist|__pycache__|.*\.egg-info")  # by other tools
# What GitHub takes for an owner and a name.
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+(?<!\.git)")


def text_files(root=course.ROOT):
    """The project's own text files."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f in DOTTED or not MADE.fullmatch(f))
        for name in sorted(names):
            if os.path.splitext(name)[1] in SUFFIXES:
                yield Path(folder, name)


def replace(text, old, new):
    """Replace both forms of the address: on GitHub, and of the published book.

    Both at once, since the one may hold the other: me/me.github.io is published as
    https://me.github.io.
    """
    old_site, new_site = (
        course.Repository(slug, "").site.removeprefix("https://") for slug in (old, new)
    )
    slug = rf"(?<![\w.-]){re.escape(old)}"
    site = rf"(?<![\w.-])(?<!\w/){re.escape(old_site)}"
    end = r"(?![\w-]|\.(?!git\b)\w)"  # course.git is the course, course.x is another
    return re.sub(
        rf"(?:{slug}|(?P<site>{site})){end}",
        lambda found: new_site if found["site"] else new,
        text,
    )


def main():
    if len(sys.argv) != 2 or not SLUG.fullmatch(sys.argv[1]):
        named = " ".join(sys.argv[1:])
        sys.exit(
            f"{named!r} is no repository: run make repository REPO=owner/name,"
            " as on GitHub"
        )
    old, new = course.repository().slug, sys.argv[1]
    for path in text_files():
        before = path.read_text(encoding="utf-8")
        after = replace(before, old, new)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            print(f"changed {path.relative_to(course.ROOT)}")


if __name__ == "__main__":
    main()
