"""How long a page takes: counted, not guessed, so that it follows the text."""

import math
import re
from typing import NamedTuple

from tools import myst

WORDS_A_MINUTE = 120  # of technical prose; a formula within a line is words, too
SECONDS_A_LINE = 6  # of code that is shown; folded code is for those who want more
SECONDS_A_PICTURE = 45  # figure, explorer, or question
SECONDS_A_FORMULA = 30  # a displayed one
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
STATED = re.compile(r"[Aa]bout (\d+) minutes")  # what an exercise says of itself


class Time(NamedTuple):
    """Minutes, rounded up to fives."""

    reading: int
    exercises: int

    def __str__(self):
        if not self.exercises:
            return f"About {self.reading} minutes."
        return (
            f"About {self.reading} minutes,"
            f" and {self.exercises} more for the exercises."
        )


def of_page(text):
    """Time that a page takes; solutions count for nothing, exercises for what they say."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    seconds, exercises, within = 0.0, 0, None
    for block in myst.parse(text):
        if block.name in ("exercise-start", "solution-start"):
            within = block.name.removesuffix("-start")
        elif block.name.endswith("-end"):
            within = None
        elif within == "exercise":
            exercises += sum(map(int, STATED.findall("\n".join(block.lines))))
        elif within is None:
            seconds += _seconds(block)
    return Time(_fives(seconds / 60), _fives(exercises))


def is_folded(block):
    """Whether a cell's code is hidden on the page."""
    return bool(FOLDED & set(re.findall(r"[\w-]+", str(block.options.get("tags", "")))))


def _seconds(block):
    if block.kind == "math" or block.name == "math":
        return SECONDS_A_FORMULA
    if block.name == "code-cell":
        options = block.options
        drawn = "figure" in (options.get("mystnb") or {}) or _explores(block)
        picture = SECONDS_A_PICTURE if drawn else 0
        if is_folded(block):
            return picture
        return picture + SECONDS_A_LINE * len([x for x in block.lines if x.strip()])
    if block.name == "prf:proof" and "dropdown" in str(block.options.get("class")):
        return 0  # its idea stands outside
    if block.kind in ("text", "directive"):
        text = " ".join(block.lines)
        words = len(re.findall(r"\S+", f"{block.argument} {text}"))
        thought = SECONDS_A_PICTURE if block.name == "question" else 0
        # Formulas that stand within a box or a proof.
        formulas = text.count("$$") // 2 * SECONDS_A_FORMULA
        return 60 * words / WORDS_A_MINUTE + thought + formulas
    return 0


def _explores(block):
    return any("explore.explore(" in line for line in block.lines)


def _fives(minutes):
    return 5 * math.ceil(round(minutes, 6) / 5)
