"""Which lectures the built book has run: cell for cell, with this package and these libraries.

    python -m tools.executed    pytest's options that leave their twins out; in words, on stderr, why

A lecture that the book ran need not run again in the tests of the same change. What differs in a
cell, in the package, in a library's version or in the data that pages read runs again.
"""

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat

from tools import course

PACKAGE = "lectures_helpers"
LIBRARIES = ("jax", "jaxlib", "numpy", "scipy", "matplotlib")
RECORD = Path("_build", "executed.json")


def fingerprint(root=course.ROOT):
    """Hash of what outputs depend on beside a page's cells.

    These are the package's sources under `root`, the libraries' versions, and the data that pages
    read: measurements and solved instances.
    """
    digest = hashlib.sha256()
    for name in LIBRARIES:
        digest.update(f"{name}=={version(name)}\n".encode())
    of_package = (root / PACKAGE).rglob("*")
    for path in sorted(p for p in of_package if p.suffix in (".py", ".json")):
        digest.update(f"{path.relative_to(root)}\n".encode())
        digest.update(path.read_bytes())
    for path in sorted((root / "benchmarks" / "results").glob("*.json")):
        digest.update(path.read_bytes())
    for path in (root / "book" / "assets").glob("instances.json"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cells(path):
    """The code of a notebook, without the titles that its twin's folded cells carry."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            title, _, rest = cell.source.partition("\n")
            yield rest if title.startswith("# @title ") else cell.source


def remember(root=course.ROOT):
    """Write down what the book has run, once all of it has ended well."""
    folder = root / "_build" / "jupyter_execute"
    ran = {
        path.relative_to(folder).with_suffix("").as_posix(): list(cells(path))
        for path in sorted(folder.rglob("*.ipynb"))
    }
    record = {"fingerprint": fingerprint(root), "cells": ran}
    (root / RECORD).write_text(json.dumps(record), encoding="utf-8")


def again(root=course.ROOT):
    """The pages whose twins have run already, as they are now."""
    if not (root / RECORD).exists():
        return []
    record = json.loads((root / RECORD).read_text(encoding="utf-8"))
    if record["fingerprint"] != fingerprint(root):
        return []
    return [
        page
        for page, ran in record["cells"].items()
        if (root / f"{page}.ipynb").exists()
        and ran == list(cells(root / f"{page}.ipynb"))
    ]


def main():
    pages = again()
    if pages:
        said = f"{len(pages)} lectures ran when the book was built, with the same cells and the"
        print(f"{said} same package: not run again.", file=sys.stderr)
    print(*(f"--ignore={page}.ipynb" for page in pages))


if __name__ == "__main__":
    main()
