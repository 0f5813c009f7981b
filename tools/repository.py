"""Write the repository's address everywhere: python -m tools.repository owner/name"""

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
}
DOTTED = {".ci", ".github"}  # the hidden folders that are ours
MADE = re.compile(r"\..*|_build|build|dist|__pycache__|.*\.egg-info")  # by other tools
SLUG = re.compile(r"[\w-]+/[\w.-]+")


def text_files(root=course.ROOT):
    """The project's own text files; twins are left to `make notebooks`."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f in DOTTED or not MADE.fullmatch(f))
        for name in sorted(names):
            if os.path.splitext(name)[1] in SUFFIXES:
                yield Path(folder, name)


def replace(text, old, new):
    """Replace both forms of the address: on GitHub, and of the published book."""
    owner, name = old.split("/")
    new_owner, new_name = new.split("/")
    text = re.sub(rf"\b{re.escape(old)}\b", new, text)
    return re.sub(
        rf"\b{re.escape(owner)}\.github\.io/{re.escape(name)}\b",
        f"{new_owner}.github.io/{new_name}",
        text,
    )


def main():
    if len(sys.argv) != 2 or not SLUG.fullmatch(sys.argv[1]):
        sys.exit("Name the repository: make repository REPO=owner/name")
    old, new = course.repository().slug, sys.argv[1]
    for path in text_files():
        before = path.read_text(encoding="utf-8")
        after = replace(before, old, new)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            print(f"changed {path.relative_to(course.ROOT)}")


if __name__ == "__main__":
    main()
