"""Change a number in a lecture as a reader would, and run it again.

    python -m tools.edits                        every edit of every page, and other seeds
    python -m tools.edits book/classical/eoq     ... of one page
    python -m tools.edits --only 3 book/...      ... its third edit alone

The edits are rows of book/edits.toml. A row maps texts of the page's code to the reader's; it
must run to the end, or, where it says `refused = "name"`, end in a ValueError that names the
parameter. No run may end in another error, warn of a number that is none, print one, or say "1 days".
"""

import argparse
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import nbformat

from tools import course

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
    reader = None
    for run in runs:
        cells = edited(run, root)
        if run.seed and cells == edited(run._replace(seed=0), root):
            yield run, None  # nothing on this page is drawn
            continue
        reader = reader or start_reader()
        clock = threading.Timer(SECONDS, reader.kill)
        clock.start()
        try:
            reader.stdin.write(json.dumps(cells) + "\n")
            reader.stdin.flush()
            answer = reader.stdout.readline()
        except BrokenPipeError:
            answer = ""
        ran_out = not clock.is_alive()
        clock.cancel()
        yield run, judged(run, json.loads(answer)) if answer else ended(reader, ran_out)
        if not answer:
            stop(reader)
            reader = None
    if reader:
        stop(reader)


def stop(reader):
    reader.stdout.close()
    with suppress(BrokenPipeError):  # it is gone
        reader.stdin.close()
    reader.wait()


def start_reader():
    environment = os.environ | {
        "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
        "MPLBACKEND": "agg",
        "PYTHONPATH": str(course.ROOT),
        # what a page itself defines is compiled once for all of its runs
        "JAX_COMPILATION_CACHE_DIR": str(course.ROOT / "_build" / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    for of_the_build in ("LECTURES_STRICT", "LECTURES_STATIC_BUILD"):
        environment.pop(of_the_build, None)
    return subprocess.Popen(
        [sys.executable, "-m", "tools.reader"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=course.ROOT,
        env=environment,
    )


def ended(reader, ran_out):
    """What is said of a process that did not answer."""
    code = reader.wait()
    if ran_out:
        return f"does not end within {SECONDS} seconds"
    return f"its process ends with {code}: see what it said above"


def judged(run, found):
    """What is wrong with a run that ended, or None."""
    error = found["error"]
    if run.refused is None:
        return error or found["warning"]
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("pages", nargs="*", help="pages, without suffix; default all")
    parser.add_argument("--only", type=int, help="the number of one edit")
    asked = parser.parse_args()
    data = rows()
    if unknown := [page for page in asked.pages if page not in data]:
        sys.exit(f"{ROWS} has no edits of {', '.join(unknown)}")
    only = asked.only and f"{asked.only}. "
    start, number, failed = time.perf_counter(), 0, 0
    with ThreadPoolExecutor(int(os.environ.get("WORKERS", 2))) as pool:
        pages = asked.pages or data
        for lines, done, wrong in pool.map(lambda p: of_page(p, data[p], only), pages):
            number, failed = number + done, failed + wrong
            print("\n".join(lines), flush=True)
    minutes = (time.perf_counter() - start) / 60
    print(f"{number - failed} of {number} pass, in {minutes:.1f} minutes.")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
