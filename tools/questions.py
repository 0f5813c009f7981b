"""Questions with an answer, as pages write them: choices, each with what it is to be told.

```{question} Will the fill rate go up, go down, or stay?
[ ] It goes up.
: More variable lead times let orders cross, but only their mean counts here.
[x] It stays.
: The number of orders on the way depends on lead times through their mean alone.
```
"""

import re
from typing import NamedTuple

CHOICE = re.compile(r"^\[(?P<mark>[ x])\] +(?P<text>\S.*)$")


class Choice(NamedTuple):
    text: str
    right: bool
    feedback: str  #: what a reader who chose it is told, Markdown

    @property
    def verdict(self):
        return "Right." if self.right else "Not so."


def choices(lines):
    """The choices that a question's lines hold.

    Raises:
        ValueError: there are fewer than two, none is right or all are, one has no
            feedback, one holds a role or link, or a line belongs to none.
    """
    found = []
    for line in lines:
        if match := CHOICE.match(line):
            found.append([match["text"], match["mark"] == "x", []])
        elif found and line.startswith(": "):
            found[-1][2].append(line[2:])
        elif found and line.startswith("  ") and line.strip():
            lines_of_last = found[-1][2]
            if lines_of_last:
                lines_of_last.append(line.strip())
            else:  # the choice itself goes on
                found[-1][0] += f" {line.strip()}"
        elif line.strip():
            raise ValueError(
                f"a question's lines begin with '[ ] ', '[x] ' or ': ', not {line!r}"
            )
    made = [Choice(text, right, "\n".join(told)) for text, right, told in found]
    if len(made) < 2:
        raise ValueError("a question has two choices or more: '[ ] ...' and '[x] ...'")
    if not any(choice.right for choice in made):
        raise ValueError("a question has a right answer: mark it with [x]")
    if all(choice.right for choice in made):
        raise ValueError("a question has a wrong answer: not every choice is [x]")
    for choice in made:
        if re.search(r"\{[\w:]+\}`|\]\(", choice.text):
            raise ValueError(f"a choice holds no role and no link: {choice.text!r}")
        if not choice.feedback.strip():
            raise ValueError(f"no feedback for {choice.text!r}: add a line ': ...'")
    return made
