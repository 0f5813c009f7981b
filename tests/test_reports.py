"""Numbers and tables for people."""

import numpy as np
import pytest

from lectures_helpers.teaching import reports


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (1234567, "1,234,567"),
        (np.int64(-20), "−20"),
        (1234.6, "1,235"),
        (0.5836, "0.584"),
        (999.7, "1,000"),
        (99999.0, "99,999"),
        (1e6, "1 × 10⁶"),
        (3.21e11, "3.21 × 10¹¹"),
        (-2.5e-9, "−2.5 × 10⁻⁹"),
        (0.000912, "0.000912"),
        (float("nan"), "–"),
        (-np.inf, "−∞"),
    ],
)
def test_number(x, text):
    assert reports.number(x) == text


def test_number_of_digits():
    assert [reports.number(np.pi, d) for d in (1, 2, 5)] == ["3", "3.1", "3.1416"]


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0 boxes"),
        (np.int16(1), "1 box"),
        (1.0, "1 box"),
        (1.5, "1.5 boxes"),
        (-1, "−1 boxes"),
        (2e6, "2,000,000 boxes"),
        (10**15 - 1, "999,999,999,999,999 boxes"),
        (1e15, "1e+15 boxes"),
        (1e300, "1e+300 boxes"),
    ],
)
def test_count(n, text):
    assert reports.count(n, "box", "boxes") == text


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        (-1e-7, "less than 0.1% more than"),
        (4.9e-4, "less than 0.1% more than"),
        (5.1e-4, "0.1% more than"),
        (0.004, "0.4% more than"),
        (0.98, "98.0% more than"),
        (0.9996, "2.0 times as much as"),
        (1.0, "2.0 times as much as"),
        (1234, "1,235.0 times as much as"),
    ],
)
def test_how_much_more(extra, text):
    assert reports.more_than(extra) == text
    at_the_end = text.removesuffix(" than").removesuffix(" as")
    assert reports.dearer(extra) == at_the_end.replace("less than 0.1% more", "no more")


def test_columns_of_numbers_line_up_at_the_right():
    rows = [
        ["exact", "5.84", "3 %", 9, 2.33e-7],
        ["simulated", "**−5.9**", "≈ 2.5 ms", 10, 0.5],
    ]
    titles = ["kind", "cost (€)", "share", "n", "error"]
    lines = reports.table(rows, titles, "A note.").data
    assert lines.splitlines()[1] == "|:---|---:|---:|---:|---:|"
    assert lines.endswith("| 0.500 |\n\nA note.")


def test_table_without_rows():
    assert reports.table([], ["a", "b"]).data == "| a | b |\n|:---|:---|"


def test_rows_of_another_length():
    with pytest.raises(ValueError, match=r"rows must have 2 cells each.*\['a'\]"):
        reports.table([["a"]], ["x", "y"])


@pytest.mark.parametrize("blank", ["", " "])
def test_a_column_without_a_title_is_refused(blank):
    with pytest.raises(ValueError, match="columns must all have a title"):
        reports.table([["a", 1]], [blank, "units"])


@pytest.mark.parametrize("strict", ["1", "", None])
def test_an_observation(monkeypatch, strict):
    shown = []
    monkeypatch.setattr(reports, "display", shown.append)
    monkeypatch.delenv(reports.STRICT, raising=False)
    if strict is not None:
        monkeypatch.setenv(reports.STRICT, strict)
    reports.observe(np.bool_(True), "it is 14, not 11. Why?")
    assert not shown
    if strict:
        with pytest.raises(AssertionError, match="it is 14, not 11"):
            reports.observe(np.bool_(False), "it is 14, not 11. Why?")
    else:
        reports.observe(np.bool_(False), "it is 14, not 11. Why?")
        assert shown[0].data.endswith("longer holds:** it is 14, not 11. Why?")
