"""Change a number in a lecture as a reader would, and run it again.

    python -m tools.edits                        every edit of every page, and other seeds
    python -m tools.edits book/classical/eoq     ... of one page, or of all in a folder
    python -m tools.edits --only 3 book/...      ... its third edit alone

The edits are rows of book/edits.toml. A row maps texts of the page's code to the reader's; it
must run to the end, or, where it says `refused = "name"`, end in a ValueError that names the
parameter. No run may end in another error, warn of a number that is none, print one, or say "1 days".
"""

import argparse
import multiprocessing
import os
import re
import sys
import textwrap
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat

from tools import course, reader

ROWS = Path("book", "edits.toml")
SEEDS = (1000, 2000, 3000)  # added to every seed that the page names
SEED = re.compile(r"(\bkey\(|\bdefault_rng\(|\bseed\s*=\s*)(\d+)")
LINES = 12  # of an error and the cell it is in
SECONDS = 600  # the longest that one run may take


class Run(NamedTuple):
    """One page with one edit."""

    page: str
    name: str
    changes: dict  #: text of the page's code -> the reader's
    seed: int = 0
    refused: str | None = None  #: the parameter that the error must name


def rows(root=course.ROOT):
    """The data: page -> its list of edits."""
    data = tomllib.loads((root / ROWS).read_text(encoding="utf-8"))
    return {page: of_page["edits"] for page, of_page in data.items()}


def runs(page, edits):
    """The page's edits, in the order of the data, then the other seeds."""
    for number, edit in enumerate(edits, 1):
        changes = {old: new for old, new in edit.items() if old != "refused"}
        shown = "; ".join(f"{old} -> {new}" for old, new in changes.items())
        name = f"{number}. {shown}"
        yield Run(page, name, changes, refused=edit.get("refused"))
    for seed in SEEDS:
        yield Run(page, f"seeds + {seed}", {}, seed)


def edited(run, root=course.ROOT):
    """The page's cells of code after the edit.

    Raises:
        ValueError: the page has no such text any more, or no seed.
    """
    notebook = nbformat.read(root / f"{run.page}.ipynb", as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    for old, new in run.changes.items():
        if not any(old in cell for cell in cells):
            raise ValueError(f"{run.page}: no cell of code contains {old!r}")
        cells = [cell.replace(old, new) for cell in cells]
    if run.seed:
        cells = [
            SEED.sub(lambda found: f"{found[1]}{int(found[2]) + run.seed}", cell)
            for cell in cells
        ]
    return cells


def faults(runs, root=course.ROOT):
    """What is wrong with a page after each edit, or None: (run, fault) one by one.

    One process runs them all, and another the rest if one brings it down.
    """
    process = line = None
    for run in runs:
        cells = edited(run, root)
        if run.seed and cells == edited(run._replace(seed=0), root):
            yield run, None  # nothing on this page is drawn
            continue
        if process is None or not process.is_alive():
            process, line = start_reader()
        try:
            line.send(cells)
            fault = f"does not end within {SECONDS} seconds"
            if line.poll(SECONDS):
                fault = judged(run, *line.recv())
            else:
                process.kill()
                process.join()
        except (EOFError, OSError):
            process.join()
            fault = f"its process ends with {process.exitcode}: see what it said above"
        yield run, fault
    if process:
        line.close()  # with which the process ends
        process.join()


def start_reader():
    """A process that reads pages, and the line to it."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    fresh = multiprocessing.get_context("spawn")
    line, its_end = fresh.Pipe()
    process = fresh.Process(target=reader.serve, args=[its_end], daemon=True)
    process.start()
    its_end.close()  # so that the line ends with the process
    return process, line


def judged(run, error, warning):
    """What is wrong with a run that ended, or None."""
    if run.refused is None:
        return error or warning
    if error is None:
        return f"is not refused; a ValueError must name {run.refused}"
    if not error.startswith("ValueError") or run.refused not in error.splitlines()[0]:
        return f"is refused by another error than of {run.refused}: {error}"
    return None


def of_page(page, edits, only=None):
    """The lines to print about a page's runs, and how many failed."""
    todo = [run for run in runs(page, edits) if not only or run.name.startswith(only)]
    lines, failed = [], 0
    for run, wrong in faults(todo):
        failed += wrong is not None
        lines.append(f"{'ok   ' if wrong is None else 'FAULT'} {page} {run.name}")
        if wrong is not None:
            said = "\n".join(wrong.splitlines()[:LINES])
            lines.append(textwrap.indent(said, " " * 6))
    return lines, len(todo), failed


def asked_for(names, pages):
    """The pages that have these names or lie in these folders; all if there is none."""
    found = {
        name: [p for p in pages if f"{p}/".startswith(f"{name.rstrip('/')}/")]
        for name in names
    }
    if unknown := [name for name in names if not found[name]]:
        sys.exit(f"{ROWS} has no edits of {', '.join(unknown)}")
    asked = dict.fromkeys(page for some in found.values() for page in some)
    return list(asked or pages)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "pages", nargs="*", help="pages, without suffix, or folders; default all"
    )
    parser.add_argument("--only", type=int, help="the number of one edit")
    asked = parser.parse_args()
    data = rows()
    pages = asked_for(asked.pages, data)
    only = asked.only and f"{asked.only}. "
    start, number, failed = time.perf_counter(), 0, 0
    with ThreadPoolExecutor(int(os.environ.get("WORKERS", 2))) as pool:
        for lines, done, wrong in pool.map(lambda p: of_page(p, data[p], only), pages):
            number, failed = number + done, failed + wrong
            print("\n".join(lines), flush=True)
    minutes = (time.perf_counter() - start) / 60
    print(f"{number - failed} of {number} pass, in {minutes:.1f} minutes.")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
