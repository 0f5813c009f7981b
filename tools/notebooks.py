"""Make the .ipynb twin of every page that has code cells: what Colab opens and the tests run.

    python -m tools.notebooks           write the twins that are missing or stale
    python -m tools.notebooks --check   say which ones are, and fail

The .md page is the source. Its twin holds no outputs, no dates and no random ids, so that the same
page always makes the same file.
"""

import argparse
import hashlib
import json
import re
import sys
from contextlib import contextmanager

import jupytext
import nbformat
from pybtex.database import parse_file

from tools import course, myst, reading, repository

COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
METADATA = {
    "accelerator": "GPU",  # Colab then opens the notebook on a GPU
    "colab": {"gpuType": "T4", "provenance": []},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def twins(root=course.ROOT):
    """Make all twins: a dictionary from path (relative to `root`) to the notebook's text."""
    pages = course.pages(root)
    sources, titles, times, terms = {}, {}, {}, {}
    labels, numbers = {}, myst.Numbers()
    for page in pages:
        with located(page):
            text = (root / f"{page.name}.md").read_text(encoding="utf-8")
            times[page] = reading.of_page(text)
            sources[page] = jupytext.reads(text, fmt="md:myst").cells
            if page.name == myst.GLOSSARY:
                terms = myst.glossary_terms(text)
            titles[page.name] = myst.plain(myst.title_of(markdown_of(sources[page])))
            for cell in sources[page]:
                if cell.cell_type == "markdown":
                    myst.collect(cell.source, page, numbers, labels)
                else:
                    myst.collect_figure(cell.metadata, page, numbers, labels)
    with_code = [
        p for p in pages if any(cell.cell_type == "code" for cell in sources[p])
    ]
    names = {page.name for page in with_code}
    works = read_works(root / "book" / "references.bib")
    address = course.repository(root)
    book = myst.Course(address, titles, names, labels, numbers, terms, works)
    made = {}
    for page in with_code:
        writer = myst.Writer(page, book, times[page], course.place(page, root))
        with located(page):
            made[f"{page.name}.ipynb"] = notebook(page, sources[page], writer)
    return made


@contextmanager
def located(page):
    """Say on which page an error lies."""
    try:
        yield
    except myst.MystError as error:
        raise myst.MystError(f"{page.name}.md: {error}") from None
    except FileNotFoundError:
        raise myst.MystError(
            f"{page.name}.md does not exist, but _toc.yml lists it"
        ) from None


def read_works(path):
    """The bibliography: key -> authors as a citation names them, year, address or None."""
    works = {}
    for key, entry in parse_file(path).entries.items():
        people = entry.persons.get("author") or entry.persons["editor"]
        names = [
            # Braces keep the name of an institution in one piece.
            " ".join(person.prelast_names + person.last_names).strip("{}")
            for person in people
        ]
        authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        doi = entry.fields.get("doi")
        address = f"https://doi.org/{doi}" if doi else entry.fields.get("url")
        works[key] = (authors, entry.fields["year"], address)
    return works


def markdown_of(cells):
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def notebook(page, cells, writer):
    """The twin's text."""
    made = []
    for cell in cells:
        if cell.cell_type == "markdown":
            add_markdown(made, writer.cell(cell.source))
            continue
        made.append(code_cell(cell, writer))
        if figure := cell.metadata.get("mystnb", {}).get("figure"):
            mark = myst.anchor(figure["name"]) if figure.get("name") else ""
            caption = writer.inline(figure["caption"].strip())
            add_markdown(made, f"{mark}*Figure {next(writer.numbers)}.* {caption}")
    made[0].source = with_banner(made[0].source, page, writer.course.repository)
    identify(made, writer.course.repository.slug)
    result = nbformat.v4.new_notebook(cells=made, metadata=METADATA)
    nbformat.validate(result)
    return json.dumps(result, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def add_markdown(made, text):
    if left := myst.raw_myst(text):
        raise myst.MystError(f"raw MyST would show in the twin: {left}")
    if text.strip():
        made.append(nbformat.v4.new_markdown_cell(text.strip("\n")))


def with_banner(text, page, address):
    """The page's first cell: chapter number in the heading, and links below it."""
    before, heading, after = re.split(
        r"^# +(.*)$", text, maxsplit=1, flags=re.MULTILINE
    )
    number = f"{page.chapter}. " if page.chapter else ""
    badge = f"[![Open in Colab]({COLAB_BADGE})]({address.colab(page.name + '.ipynb')})"
    links = f"{badge} · [Read this page in the book]({address.site}/{page.name}.html)"
    return f"{before}# {number}{heading}\n\n{links}\n\n{after.lstrip()}".rstrip()


def identify(cells, slug):
    """Give each cell an id made from its content: one edit changes one id, a new address none."""
    seen = {}
    for cell in cells:
        source = repository.replace(cell.source, slug, "OWNER/NAME")
        digest = hashlib.sha256(f"{cell.cell_type}\n{source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def code_cell(cell, writer):
    """Code as it is; what the book hides is folded in Colab and JupyterLab."""
    source, tags = cell.source, list(cell.metadata.get("tags", []))
    metadata = {"tags": tags} if tags else {}
    if writer.solution and not source.startswith(
        "%%"
    ):  # a cell magic must stay the first line
        source = f"# @title {writer.solution}\n{source}"
    if writer.solution or reading.FOLDED.intersection(tags):
        metadata["cellView"] = "form"  # Colab
        metadata["jupyter"] = {"source_hidden": True}  # JupyterLab
        if writer.solution:
            metadata["jupyter"]["outputs_hidden"] = True
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def complaints(root=course.ROOT):
    """One line for each twin that is missing, stale or has lost its page."""
    made, lines = twins(root), []
    for name, text in made.items():
        path = root / name
        if not path.exists():
            lines.append(f"{name} is missing: run `make notebooks`")
        elif path.read_text(encoding="utf-8") != text:
            lines.append(f"{name} is stale: run `make notebooks`")
    for path in sorted((root / "book").rglob("*.ipynb")):
        name = path.relative_to(root).as_posix()
        if name not in made and ".ipynb_checkpoints" not in name:
            lines.append(
                f"{name} is the twin of no page with code cells in _toc.yml: delete it"
            )
    return lines


def write(root=course.ROOT):
    for name, text in twins(root).items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a twin is stale"
    )
    try:
        if not parser.parse_args().check:
            write()
        elif lines := complaints():
            sys.exit("\n".join(lines))
    except myst.MystError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
