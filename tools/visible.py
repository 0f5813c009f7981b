"""What a reader sees of a page's code, by what it is for: `python -m tools.visible` for all pages.

A statement draws if it names a figure's tools, reports if it names what shows text, and is model
if neither. What is folded on the page does not count, nor do the solutions of exercises.
"""

import ast
from typing import NamedTuple

from tools import course, myst, reading

DRAWS = {"plt", "fig", "ax", "axes", "figures", "explore"}
REPORTS = {"print", "display", "Markdown", "reports"}
CHECKS = {"intervals"}  # what compares is no mere report, though it is displayed
SHARE = 0.1  # of the visible lines that may draw or report
LONGEST = 20  # visible cell, in lines
REASON = "% A long cell: "


class Lines(NamedTuple):
    """Lines of visible code that are not blank."""

    model: int = 0
    draw: int = 0
    report: int = 0

    @property
    def share(self):
        """Of all lines, how many draw or report."""
        return (self.draw + self.report) / max(sum(self), 1)


def cells(text):
    """(line from 1, block) of each cell whose code is seen, outside the solutions."""
    within_solution = False
    for block in myst.parse(text):
        if block.name in ("solution-start", "solution-end"):
            within_solution = block.name == "solution-start"
        if block.name == "code-cell" and not (
            within_solution or reading.is_folded(block)
        ):
            yield block.line + 1, block


def lines_of(block):
    """A cell's lines, by what the statement is for that they belong to."""
    count, read = Lines(), 0
    for statement in ast.parse("\n".join(block.lines)).body:
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        reports = names & REPORTS and not names & CHECKS
        kind = "draw" if names & DRAWS else "report" if reports else "model"
        lines = block.lines[read : statement.end_lineno]  # with the comments above it
        more = sum(bool(line.strip()) for line in lines)
        count = count._replace(**{kind: getattr(count, kind) + more})
        read = statement.end_lineno
    return count


def of_page(text):
    """The whole page's visible lines."""
    return Lines(
        *map(sum, zip(Lines(), *(lines_of(b) for _, b in cells(text)), strict=True))
    )


def complaints(text):
    """(line, what is wrong): too much that draws or reports, a cell that is too long."""
    found = of_page(text)
    if found.share > SHARE:
        yield (
            1,
            (
                f"{found.draw + found.report} of {sum(found)} visible lines of code draw or"
                f" report, more than {SHARE:.0%}: fold such cells, `:tags: [hide-input]`"
            ),
        )
    source = text.split("\n")
    for line, block in cells(text):
        length = sum(lines_of(block))
        if length > LONGEST and not source[line - 2].startswith(REASON):
            yield (
                line,
                (
                    f"a visible cell of {length} lines, more than {LONGEST}: split it, fold it,"
                    f' or say why above it: "{REASON}..."'
                ),
            )


def main():
    for page in course.pages():
        text = (course.ROOT / f"{page.name}.md").read_text(encoding="utf-8")
        if sum(found := of_page(text)):
            long = sum(1 for line, _ in complaints(text) if line > 1)
            minutes = reading.of_page(text).reading
            print(
                f"{page.name:42}{found.model:4} model{found.draw:4} draw{found.report:4}"
                f" report{found.share:5.0%}{long:4} long{minutes:4} min"
            )


if __name__ == "__main__":
    main()
