"""Numbers, tables and observations for people: what a cell shows is read, not parsed."""

import math
import os
import re
from collections.abc import Iterable, Sequence

import numpy as np
from IPython.display import Markdown, display

from lectures_helpers import checks

__all__ = ["count", "dearer", "more_than", "number", "observe", "span", "table"]

# Set to 1 where pages are made and tested as they are printed.
STRICT = "LECTURES_STRICT"

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# A cell that lines up with others at its right end: a number, with its sign or unit.
NUMERIC = re.compile(
    r"[-+−±<≈]?\s*[\d∞–](?:[\d,.]|\s*(?:%|×(?:\s*10)?|ms|μs|s|€))*[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*"
)


def number(x: float, digits: int = 3) -> str:
    """Write a number as people do.

    Args:
        x: the number; a whole one (an ``int``) is written in full.
        digits: significant digits of one that is not whole, >= 1; all digits before the
            point are kept.

    Returns:
        Thousands apart, a minus that is not a hyphen, and powers of ten where there
        would be many zeros.

    >>> number(50_000), number(-0.255), number(9.1234e-05), number(float("inf"))
    ('50,000', '−0.255', '9.12 × 10⁻⁵', '∞')
    """
    value = checks.numbers("x", checks.one_number("x", x))
    if isinstance(x, int | np.integer):
        return f"{x:,}".replace("-", "−")
    digits, x = checks.integer("digits", digits, 1), float(value) + 0.0  # no −0.00
    if not math.isfinite(x):
        return "–" if math.isnan(x) else "∞" if x > 0 else "−∞"
    mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
    power = int(exponent)
    # What stands before the point is written in full.
    text = f"{x:,.{max(digits - 1 - power, 0)}f}"
    if x and not -5 < power < max(digits, 6):
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa} × 10{str(power).translate(SUPERSCRIPTS)}"
    return text.replace("-", "−")


def count(n: float, noun: str, nouns: str = "") -> str:
    """Say how many there are, in words that are right for one of them, too.

    Args:
        n: how many; a whole number is written in full, another to six digits.
        noun: what one of them is called.
        nouns: what several are called; `noun` with an s if empty.

    Raises:
        ValueError: `n` is not a number, or the nouns are no texts.

    >>> count(1, "day"), count(1200, "pot"), count(2.5, "box", "boxes")
    ('1 day', '1,200 pots', '2.5 boxes')
    """
    value = checks.concrete("n", n)
    noun, nouns = _text("noun", noun), _text("nouns", nouns)
    whole = float(value).is_integer() and abs(value) < 1e15
    digits = f"{int(value):,}" if whole else f"{value:,g}"
    return (
        f"{digits.replace('-', '−')} {noun if digits == '1' else nouns or noun + 's'}"
    )


def span(first: str, last: str) -> str:
    """Say where something begins and ends, or what it is where the two read alike.

    Args:
        first: its first value, as it is written.
        last: its last one.

    Raises:
        ValueError: they are no texts.

    >>> span("3 €", "7 €"), span("3 €", "3 €")
    ('goes from 3 € to 7 €', 'is 3 €')
    """
    first, last = _text("first", first), _text("last", last)
    return f"goes from {first} to {last}" if first != last else f"is {last}"


def dearer(extra: float) -> str:
    """Say by how much one cost exceeds another, in words that end a sentence.

    Args:
        extra: the first cost over the second, less 1; >= 0, but for rounding.

    Raises:
        ValueError: it is not a number, not finite, or below 0.

    >>> dearer(0.0), dearer(0.024), dearer(2.0)
    ('no more', '2.4% more', '3.0 times as much')
    """
    extra = checks.concrete("extra", checks.at_least("extra", extra, -1e-6))
    if extra >= 0.9995:  # which is 100.0%
        return f"{1 + extra:,.1f} times as much"
    return "no more" if extra < 5e-4 else f"{extra:.1%} more"


def more_than(extra: float) -> str:
    """Say by how much one cost exceeds another, in words that end before the other.

    Args:
        extra: the first cost over the second, less 1; >= 0, but for rounding.

    Raises:
        ValueError: it is not a number, not finite, or below 0.

    >>> more_than(0.024), more_than(2.0)
    ('2.4% more than', '3.0 times as much as')
    """
    said = dearer(extra)
    if said == "no more":
        return "less than 0.1% more than"
    return f"{said} {'as' if said.endswith('much') else 'than'}"


def table(rows: Iterable[Sequence], columns: Sequence[str], note: str = "") -> Markdown:
    """Set rows of cells under their titles, for display.

    Args:
        rows: one sequence for each row, as long as `columns`: strings as they are,
            numbers by `number`.
        columns: titles, with units.
        note: a sentence below the table.

    Returns:
        A table in Markdown; columns of numbers line up at the right.

    Raises:
        ValueError: a row with more or fewer cells than titles, or a title that is blank.

    >>> print(table([["s", 10.0], ["S", 100.0]], ["level", "units"]).data)
    | level | units |
    |:---|---:|
    | s | 10.0 |
    | S | 100 |
    """
    columns = [_text("columns", title) for title in _sequence("columns", columns)]
    if not all(title.strip() for title in columns):
        raise ValueError(f"columns must all have a title, got {columns!r}")
    texts = []
    for row in _sequence("rows", rows):
        if len(row := _sequence("rows", row)) != len(columns):
            raise ValueError(
                f"rows must have {len(columns)} cells each, as columns, got {row!r}"
            )
        texts.append([cell if isinstance(cell, str) else number(cell) for cell in row])
    cells = zip(*texts, strict=True) if texts else [[""]] * len(columns)
    rules = [
        "---:"
        if all(NUMERIC.fullmatch(cell.strip("*` ")) for cell in column)
        else ":---"
        for column in cells
    ]
    lines = ["| " + " | ".join(row) + " |" for row in [list(columns), *texts]]
    lines.insert(1, "|" + "|".join(rules) + "|")
    note = _text("note", note)
    return Markdown("\n".join(lines) + (f"\n\n{note}" if note else ""))


def _sequence(name, value):
    checks.not_traced(name, value)
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError(f"{name} must be a sequence, got {value!r}")
    return list(value)


def _text(name, value):
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, got {value!r}")
    return value


def observe(holds: bool | np.bool_, otherwise: str) -> None:
    """Check an observation: what is true of the numbers on the page, not of all numbers.

    (A law, true whatever the parameters, is for ``assert``.) A reader who changed a number is
    told what holds instead; where the page is made or tested as it is printed, its text
    would be wrong, and that is an error.

    Args:
        holds: whether the numbers are as the text says.
        otherwise: what holds if they are not: a sentence of Markdown, computed from the
            numbers, that may end in a question to the reader.

    Raises:
        AssertionError: the observation fails and the environment variable
            ``LECTURES_STRICT`` is 1, as in the book's build and in the tests.
        ValueError: `holds` is neither true nor false, or `otherwise` no text.

    >>> observe(11 == 11, "the cheapest level is 11, not 11")
    """
    otherwise = _text("otherwise", otherwise)
    checks.not_traced("holds", holds)
    is_array = getattr(holds, "shape", None) == ()  # NumPy's or JAX's truth
    if checks.flag("holds", np.asarray(holds).item() if is_array else holds):
        return
    if os.environ.get(STRICT) == "1":
        raise AssertionError(otherwise)
    display(Markdown(f"**With your numbers this no longer holds:** {otherwise}"))
