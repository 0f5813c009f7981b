"""A reader's changes: the rows go with the pages, their runner sees what goes wrong, a sample."""

import json

import nbformat
import pytest

from tools import course, edits, notebooks

ROWS = edits.rows()


def test_every_row_is_of_a_page_with_code():
    assert {f"{page}.ipynb" for page in ROWS} <= set(notebooks.twins())


PAGES = [page.name for page in course.pages() if page.chapter]
PAGES += [page.name for page in course.pages() if page.name.endswith("_lab")]


@pytest.mark.parametrize("page", PAGES)
def test_every_lecture_and_lab_has_edits(page):
    assert len(ROWS[page]) >= 8


# A nonsense, a sheet and a lecture; `make edits` runs them all.
SAMPLE = [
    ("book/dynamics/restock_frequency", {"σ=0.5": "σ=-0.5"}),
    ("book/classical/eoq_lab", None),
    (
        "book/dynamics/restock_frequency",
        {"num_firms = 1_000_000": "num_firms = 100"},
    ),
]


@pytest.mark.parametrize(("page", "changes"), SAMPLE, ids=[page for page, _ in SAMPLE])
def test_a_sample_of_edits(page, changes):
    runs = list(edits.runs(page, ROWS[page]))
    run = next(run for run in runs if changes in (None, run.changes))
    assert list(edits.faults([run])) == [(run, None)]


@pytest.mark.parametrize("page", ROWS)
def test_every_row_changes_its_page(page):
    printed = edits.edited(edits.Run(page, "as printed", {}))
    changed = [edits.edited(run) for run in edits.runs(page, ROWS[page]) if run.changes]
    for row, cells in zip(ROWS[page], changed, strict=True):
        assert cells != printed, row
    assert len({json.dumps(cells) for cells in changed}) == len(changed)


def test_a_folder_is_all_of_its_pages():
    pages = ["book/classical/eoq", "book/classical/eoq_lab", "book/expiry/scale"]
    assert edits.asked_for([], pages) == pages
    assert edits.asked_for(["book/classical/"], pages) == pages[:2]
    assert edits.asked_for(["book/classical", "book/classical/eoq"], pages) == pages[:2]
    assert edits.asked_for(["book/expiry/scale", "book/classical/eoq"], pages) == [
        "book/expiry/scale",
        "book/classical/eoq",
    ]
    with pytest.raises(SystemExit, match="has no edits of book/classic, book/eoq"):
        edits.asked_for(["book/classic", "book/classical", "book/eoq"], pages)


@pytest.mark.parametrize("page", ["book/classical/eoq", "book/dynamics/sample_paths"])
def test_other_seeds(page):
    printed = "".join(edits.edited(edits.Run(page, "as printed", {})))
    other = "".join(edits.edited(edits.Run(page, "seeds", {}, seed=1000)))
    seeds = [int(number) for _, number in edits.SEED.findall(printed)]
    assert seeds
    assert [int(n) for _, n in edits.SEED.findall(other)] == [n + 1000 for n in seeds]


def run_of(folder, name, code, **settings):
    """The run of a made-up page on which a reader makes n = 2 to n = 3."""
    cells = [nbformat.v4.new_code_cell("n = 2"), nbformat.v4.new_code_cell(code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
    return edits.Run(name, "1.", {"n = 2": "n = 3"}, **settings)


MOVED = """
import matplotlib.pyplot as plt
from lectures_helpers.teaching import explore
def draw(Q):
    plt.figure()
    assert Q < 9, "the last lot"
explore.explore(draw, {"Q": [1, 5, 9]}, alt="A")
"""
SAID = """
import matplotlib.pyplot as plt
from lectures_helpers.teaching import explore
def draw(Q):
    plt.figure()
    return f"lots of {Q} days"
explore.explore(draw, {"Q": [5, 1]}, alt="A")
"""
OBSERVED = """
from lectures_helpers.teaching import reports
reports.observe(n == 2, f"it is {n}. Why?")
"""


CASES = [  # code, what must be refused, what is found
    ("assert n == 3", None, None),
    (OBSERVED, None, None),
    ("raise ValueError('n must be < 3, got 3')", "n must", None),
    ("assert n == 2", None, "AssertionError: \nin the cell"),
    ("raise ValueError('n must be < 3, got 3')", None, "ValueError: n must"),
    ("n", "n", "is not refused"),
    ("raise ValueError('m')", "n must", "by another error"),
    ("raise KeyError('n must')", "n must", "by another error"),
    ("import numpy as np; np.log(np.zeros(n))", None, "RuntimeWarning: divide"),
    ("print('predicted: nan')", None, "shows 'predicted: nan'"),
    ("from IPython.display import Markdown; Markdown('nan %')", None, "shows 'nan %'"),
    ("print(f'{-n / 1e6:.2f} %')", None, "shows '-0.00 %'"),
    ("print(f'{-n / 1e6:z.2f} %, -0.05, [1]-0, -0.0x')", None, None),
    ("print(f'{n // 3} days, and 1 more')", None, "shows '1 days, and 1 more'"),
    ("print(f'{n // 3} fresh pots')", None, "shows '1 fresh pots'"),
    (
        "print('1.1 days, 11 days, R = 1 units; Q = 1, days and 1 costs, 1 pot in 3 days')",
        None,
        None,
    ),
    (SAID, None, "shows 'lots of 1 days'"),
    ("import os; os._exit(n)", None, "its process ends with 3"),
    (MOVED, None, "AssertionError: the last lot"),
    ("assert n == 3", None, None),  # after all these, as at first
]


def test_what_goes_wrong_is_found(tmp_path):
    runs = [
        run_of(tmp_path, f"page{i}", code, refused=refused)
        for i, (code, refused, _) in enumerate(CASES)
    ]
    for (_, wrong), (code, _, found) in zip(
        edits.faults(runs, tmp_path), CASES, strict=True
    ):
        assert (wrong is None) == (found is None), (code, wrong)
        assert not found or found in wrong, (code, wrong)


def test_a_fault_of_another_seed_is_found(tmp_path):
    """A page on which nothing is drawn is not run again; what its numbers are is no matter."""
    drawn, fixed = (
        run_of(tmp_path, name, code)._replace(seed=1000)
        for name, code in (("drawn", "seed = 1\nassert seed == 1"), ("fixed", "1 / 0"))
    )
    (_, wrong), (_, nothing) = edits.faults([drawn, fixed], tmp_path)
    assert "AssertionError" in wrong
    assert nothing is None


def test_the_error_itself_names_what_is_refused():
    """Not the cell that is told with it."""
    run = edits.Run("page", "1.", {}, refused="rate")
    cell = "\nin the cell\ncreate(rate=-1)"
    assert edits.judged(run, "ValueError: rate must be > 0" + cell, None) is None
    assert "another error" in edits.judged(run, "ValueError: no" + cell, None)
    assert "another error" in edits.judged(run, "TypeError: rate" + cell, None)
    assert "is not refused" in edits.judged(run, None, None)


def test_a_run_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(edits, "SECONDS", 1)
    ((_, wrong),) = edits.faults(
        [run_of(tmp_path, "page", "while True: pass")], tmp_path
    )
    assert "within 1 second" in wrong


def test_text_that_the_page_no_longer_has():
    with pytest.raises(ValueError, match="no cell of code contains 'no such'"):
        edits.edited(edits.Run("book/classical/eoq", "1.", {"no such": "text"}))
