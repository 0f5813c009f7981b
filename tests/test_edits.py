"""A reader's changes: the rows go with the pages, their runner sees what goes wrong, a sample."""

import json

import nbformat
import pytest

from tools import edits, notebooks

ROWS = edits.rows()


def test_every_row_is_of_a_page_with_code():
    assert {f"{page}.ipynb" for page in ROWS} <= set(notebooks.twins())


@pytest.mark.parametrize("page", ROWS)
def test_every_row_changes_its_page(page):
    printed = edits.edited(edits.Run(page, "as printed", {}))
    changed = [edits.edited(run) for run in edits.runs(page, ROWS[page]) if run.changes]
    for row, cells in zip(ROWS[page], changed, strict=True):
        assert cells != printed, row
    assert len({json.dumps(cells) for cells in changed}) == len(changed)


@pytest.mark.parametrize("page", ["book/classical/eoq", "book/dynamics/sample_paths"])
def test_other_seeds(page):
    printed = "".join(edits.edited(edits.Run(page, "as printed", {})))
    other = "".join(edits.edited(edits.Run(page, "seeds", {}, seed=1000)))
    seeds = [int(number) for _, number in edits.SEED.findall(printed)]
    assert seeds
    assert [int(n) for _, n in edits.SEED.findall(other)] == [n + 1000 for n in seeds]


@pytest.fixture
def fault(tmp_path):
    """What the runner finds in a made-up page."""

    def fault(code, **settings):
        cells = [nbformat.v4.new_code_cell("n = 2"), nbformat.v4.new_code_cell(code)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "page.ipynb")
        changes = {"n = 2": "n = 3"}
        return edits.fault(edits.Run("page", "1.", changes, **settings), tmp_path)

    return fault


MOVED = """
import matplotlib.pyplot as plt
from lectures_helpers.teaching import explore
def draw(Q):
    plt.figure()
    assert Q < 9, "the last lot"
explore.explore(draw, {"Q": [1, 5, 9]}, alt="A")
"""
OBSERVED = """
from lectures_helpers.teaching import reports
reports.observe(n == 2, f"it is {n}. Why?")
"""


@pytest.mark.parametrize(
    ("code", "refused", "found"),
    [
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
        ("import os; os._exit(n)", None, "its process ends with 3"),
        (MOVED, None, "AssertionError: the last lot"),
    ],
)
def test_what_goes_wrong_is_found(fault, code, refused, found):
    wrong = fault(code, refused=refused)
    assert (wrong is None) == (found is None)
    assert not found or found in wrong


def test_a_run_without_end(fault, monkeypatch):
    monkeypatch.setattr(edits, "SECONDS", 1)
    assert "within 1 second" in fault("while True: pass")


def test_text_that_the_page_no_longer_has():
    with pytest.raises(ValueError, match="no cell of code contains 'no such'"):
        edits.edited(edits.Run("book/classical/eoq", "1.", {"no such": "text"}))
