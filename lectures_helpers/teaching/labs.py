"""Lab sheets that answer back: `check` tells a right answer, or a known slip, from the rest.

The package knows no answer, only digests of rounded ones (`labs.json`, which `make labs`
writes from the teacher's notes).  They keep an answer from being read in passing; whoever
writes a loop over all numbers finds it, and has learned something else.
"""

import functools
import hashlib
import importlib.resources
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from IPython.display import Markdown, display

from lectures_helpers import checks
from lectures_helpers.teaching import reports

__all__ = ["Part", "Task", "check", "rounded", "seal", "show"]

ROUNDS = 5_000  # of a digest: some milliseconds; all that one may try take minutes


class Part(NamedTuple):
    """A number that a task asks for."""

    name: str  #: what it is, with its unit
    right: float
    slips: Mapping[str, float] = {}
    #: what answers are rounded to; 0 for a whole number, which must be met
    step: float = 0.0


class Task(NamedTuple):
    """A task of a lab sheet, as the teacher's notes know it."""

    name: str  #: the sheet's and the task's, such as eoq-1
    hint: str  #: where to look, after an answer that is neither right nor a known slip
    parts: Sequence[Part]


def check(task: str, answer: Any) -> None:
    """Show whether an answer is right, or which known slip it is, or where to look.

    An answer is rounded to the task's step.  It is right where that gives the right
    answer's number of steps or a neighbour of it: what is off by one step always is,
    what is off by two never.  A whole number must be met.

    Args:
        task: its name, such as eoq-1.
        answer: a number, or as many in a sequence as the task asks for; ``...`` or None
            in the place of what is not known yet.

    Raises:
        ValueError: there is no such task; text, NaN, or more or fewer numbers.
    """
    if task not in (tasks := _tasks()):
        raise ValueError(f"task must be one of {', '.join(tasks)}, got {task!r}")
    parts = tasks[task]["parts"]
    if answer is None or answer is ...:
        values = [...] * len(parts)
    else:
        values = [answer] if len(parts) == 1 else _listed(answer)
    if len(values) != len(parts):
        names = "; ".join(part["name"] for part in parts)
        raise ValueError(f"{task} asks for {names}: got {answer!r}")
    said = [
        _verdict(task, i, *it) for i, it in enumerate(zip(parts, values, strict=True))
    ]
    told = [f"{part['name']}: {text}" for part, text in zip(parts, said, strict=True)]
    if "not yet." in said:
        told.append(f"*Where to look:* {tasks[task]['hint']}")
    display(Markdown(f"**{task}**\n\n" + "\n".join(f"- {line}" for line in told)))


def _listed(answer):
    try:
        return list(answer)
    except TypeError:  # not a sequence
        return [answer]


def _verdict(task, i, part, value):
    step = part["step"]
    if value is None or value is ...:
        wanted = f"to {step:g}" if step else "a whole number"
        return f"waits for your answer ({wanted})."
    number = checks.finite(task, checks.numbers(task, value))
    if number.ndim:
        raise ValueError(f"{task} asks for one number, {part['name']}: got {value!r}")
    value = number.item()
    if not step and abs(value - round(value)) > 1e-6:
        return "not yet: it is a whole number. Which of the two beside yours?"
    near = (0, -1, 1) if step else (0,)
    digests = [_digest(task, i, rounded(value, step) + n) for n in near]
    found = [part["keys"][digest] for digest in digests if digest in part["keys"]]
    if "" in found:
        return "right."
    return f"not yet: {found[0]}" if found else "not yet."


def rounded(value: float, step: float) -> int:
    """An answer in whole steps, halves rounded up; a whole number where `step` is 0."""
    return math.floor(value / (step or 1.0) + 0.5)


def seal(task: Task) -> dict[str, Any]:
    """What the package may know of a task: words, steps, and digests of its answers."""
    parts = []
    for i, part in enumerate(task.parts):
        answers = {"": part.right, **part.slips}.items()
        keys = {
            _digest(task.name, i, rounded(value, part.step)): sentence
            for sentence, value in answers
        }
        parts.append({"name": part.name, "step": part.step, "keys": keys})
    return {"hint": task.hint, "parts": parts}


def show(task: Task) -> Markdown:
    """A table of a task's answers for the teacher, held against what its sheet checks."""
    reports.observe(
        seal(task) == _tasks().get(task.name),
        f"the sheet checks {task.name} by other numbers than these. `make labs` renews them.",
    )
    rows = []
    for part in task.parts:
        digits = max(0, math.ceil(-math.log10(part.step))) if part.step else 0
        rows.append([f"**{part.right:z,.{digits}f}**", f"**{part.name}**: right"])
        rows += [[f"{x:z,.{digits}f}", sentence] for sentence, x in part.slips.items()]
    return reports.table(rows, ["Answer", task.name])


def _digest(task, i, steps):
    salt = f"{task}/{i}".encode()
    return hashlib.pbkdf2_hmac("sha256", str(steps).encode(), salt, ROUNDS).hex()[:16]


@functools.cache
def _tasks():
    file = importlib.resources.files("lectures_helpers.teaching") / "labs.json"
    return json.loads(file.read_text("utf-8"))
