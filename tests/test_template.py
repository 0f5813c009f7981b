"""The template of a lecture: in style, with a twin, and it runs."""

import shutil

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from tools import course, notebooks, style

TEMPLATE = course.ROOT / "book" / "template.md"


def test_keeps_the_style_of_a_lecture():
    text = TEMPLATE.read_text(encoding="utf-8")
    found = style.complaints("book/template.md", text, chapter=True)
    if found:
        pytest.fail("\n".join(map(str, found)), pytrace=False)


def test_its_twin_runs(tmp_path):
    """As a chapter of a course that has the glossary, and nothing else."""
    for name in ("_config.yml", "book/template.md", "book/references.bib"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(course.ROOT / name, tmp_path / name)
    (tmp_path / "book" / "reference").mkdir()
    shutil.copy(course.ROOT / "book/reference/glossary.md", tmp_path / "book/reference")
    chapters = [{"file": "book/template"}]
    parts = [{"caption": "One", "numbered": 1, "chapters": chapters}]
    toc = {"format": "jb-book", "root": "book/reference/glossary", "parts": parts}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc))

    twin = notebooks.twins(tmp_path)["book/template.ipynb"]
    NotebookClient(nbformat.reads(twin, as_version=4), timeout=120).execute()
