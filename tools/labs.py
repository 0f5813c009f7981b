"""What the lab sheets check, and the sheets for Otter-Grader: `make labs`.

    python -m tools.labs

The teacher's notes compute the answers, and what each known slip gives. Their digests go into
lectures_helpers/teaching/labs.json, which the package reads; the sheets with answers and tests go
into _build/labs/, one notebook each in the format of Otter Assign.

The format of Otter Assign: its documentation, https://otter-grader.readthedocs.io. Otter itself is
for the teacher's machine; nothing here needs it.
"""

import contextlib
import io
import json
import posixpath
import re
from unittest import mock

import jupytext
import nbformat

from lectures_helpers.teaching import labs
from tools import course

KEYS = course.ROOT / "lectures_helpers" / "teaching" / "labs.json"
POINTS = {"Easy": 1, "Medium": 2, "Hard": 3}
ABOUT = re.compile(r"\*(Easy|Medium|Hard)\. About (\d+) minutes\. Goal: .+\*$", re.M)
ANSWER = re.compile(
    r'answer = (?P<dots>\.\.\.(?:, \.\.\.)*)  # (?P<asked>.+)\nlabs\.check\("(?P<task>[\w-]+)", answer\)'
)
WORDS = re.compile(
    r"^> \*\*In your words \((?P<task>[\w-]+)\)\*\*\n>\n(?P<asked>(?:> .*\n?)+)", re.M
)
LINK = re.compile(r"\]\((?P<page>[\w./]+)\.ipynb(?P<place>#[\w-]+)?\)")
EDGE = 1e-4  # of a step: so near to a half, another machine may round the other way


def sheets(root=course.ROOT):
    """Names of the lab sheets, such as book/classical/eoq_lab, in reading order."""
    return [page.name for page in course.pages(root) if page.name.endswith("_lab")]


def notes_of(sheet):
    """The teacher's notes on a sheet."""
    return sheet.removesuffix("_lab") + "_notes"


def tasks(sheet, root=course.ROOT):
    """The tasks of a sheet with their answers, as its notes compute them."""
    cells = jupytext.read(root / f"{notes_of(sheet)}.md").cells
    code = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
    found = []
    shown = contextlib.redirect_stdout(io.StringIO())
    with shown, mock.patch.object(labs, "show", found.append):
        exec(compile(code, notes_of(sheet), "exec"), {"__name__": notes_of(sheet)})
    return found


def keys(found):
    """What the package may know of all tasks."""
    sealed = {task.name: labs.seal(task) for task in found}
    return json.dumps(sealed, indent=1, ensure_ascii=False) + "\n"


def complaints(task):
    """What would make a task check wrongly: answers that rounding cannot tell apart."""
    for part in task.parts:
        unit, apart = part.step or 1.0, 3 if part.step else 1
        right, seen = labs.rounded(part.right, part.step), {}
        for what, value in {"right": part.right, **part.slips}.items():
            where = f"{task.name}, {part.name}: {what!r} ({value:g})"
            steps = labs.rounded(value, part.step)
            if not part.step and value != steps:
                yield f"{where} is no whole number"
            if abs((value / unit + 0.5) - round(value / unit + 0.5)) < EDGE:
                yield f"{where} may be rounded up or down"
            if what != "right" and abs(steps - right) < apart:
                yield f"{where} is too near to the right one ({part.right:g})"
            if steps in seen:
                yield f"{where} cannot be told from {seen[steps]!r}"
            seen[steps] = what


# ------------------------------------------------------------------------- Otter Assign


def assignment(sheet, found, root=course.ROOT):
    """A sheet with its answers and tests, as Otter Assign reads it."""
    by_name = {task.name: task for task in found}
    wanted = in_words(notes_of(sheet), root)
    cells = [raw(config(sheet, root))]
    for group in groups(sheet, root):
        text = "\n".join(cell.source for cell in group)
        points = POINTS[about[1]] if (about := ABOUT.search(text)) else 0
        place = next((i for i, c in enumerate(group) if ANSWER.search(c.source)), None)
        if place is not None:
            cells += question(group[: place + 1], by_name, points)
            group = group[place + 1 :]
        for cell in group:
            if found_words := WORDS.search(cell.source):
                cells += essay(cell, found_words, wanted, points)
            elif cell.source.strip():
                cells.append(cell)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = {
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        }
    }
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def groups(sheet, root):
    """The cells of a sheet's twin, task by task; before them, what stands above the first."""
    address, folder = course.repository(root), posixpath.dirname(sheet)

    def published(link):
        page = posixpath.normpath(posixpath.join(folder, link["page"]))
        return f"]({address.site}/{page}.html{link['place'] or ''})"

    made = [[]]
    for cell in nbformat.read(root / f"{sheet}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            made[-1].append(nbformat.v4.new_code_cell(cell.source))
            continue
        text = LINK.sub(published, cell.source)
        # No way to the sheet that answers more; what comes afterwards is after the grading.
        text = re.sub(r"^(?:\[!\[Open in Colab|Afterwards).*$", "", text, flags=re.M)
        for piece in re.split(r"^(?=## )", text, flags=re.M):
            if piece.startswith("## "):
                made.append([])
            if piece.strip():
                made[-1].append(nbformat.v4.new_markdown_cell(piece.strip()))
    return made


def config(sheet, root):
    address = course.repository(root)
    return (
        "# ASSIGNMENT CONFIG\n"
        f"name: {posixpath.basename(sheet)}\n"
        "requirements:\n"
        f'  - "lectures_helpers @ git+{address.url}"\n'
        "export_cell:\n"
        "  pdf: false\n"
        "generate: true"
    )


def question(cells, by_name, points):
    """A task that is graded by its numbers."""
    answer = ANSWER.search(cells[-1].source)
    task = by_name[answer["task"]]
    name = task.name.replace("-", "_")
    values = ", ".join(written(part) for part in task.parts)
    solution = f'# {answer["asked"]}\n{name} = {values}  # SOLUTION\nlabs.check("{task.name}", {name})'
    tests = [public_test(name, len(task.parts))]
    tests += [hidden_test(name, i, part, task) for i, part in enumerate(task.parts)]
    return [
        raw(f"# BEGIN QUESTION\nname: {name}\npoints: {points}"),
        *cells[:-1],
        raw("# BEGIN SOLUTION"),
        nbformat.v4.new_code_cell(solution),
        raw("# END SOLUTION"),
        raw("# BEGIN TESTS"),
        *map(nbformat.v4.new_code_cell, tests),
        raw("# END TESTS"),
        raw("# END QUESTION"),
    ]


def written(part):
    """The right answer, a little finer than it is asked for."""
    return f"{part.right:.6g}" if part.step else str(round(part.right))


def public_test(name, number):
    """Students see it: whether there are numbers, and as many as are asked for."""
    values = name if number > 1 else f"[{name}]"
    return (
        '""" # BEGIN TEST CONFIG\npoints: 0\n""" # END TEST CONFIG\n'
        f"assert [float(x) == float(x) for x in {values}] == [True] * {number}"
    )


def hidden_test(name, i, part, task):
    """What `labs.check` calls right, without the digests."""
    value = f"float({name}[{i}])" if len(task.parts) > 1 else f"float({name})"
    right = labs.rounded(part.right, part.step)
    holds = (
        f"abs(math.floor({value} / {part.step!r} + 0.5) - {right}) <= 1"
        if part.step
        else f"abs({value} - {right}) < 1e-6"
    )
    return (
        f'""" # BEGIN TEST CONFIG\nhidden: true\nfailure_message: "{part.name}"\n'
        f'""" # END TEST CONFIG\nimport math\nassert {holds}'
    )


def essay(cell, found, wanted, points):
    """A task that the teacher judges, with what the notes say of it."""
    text = WORDS.sub("", cell.source).strip()
    asked = re.sub(r"^> ?", "", found["asked"], flags=re.M).strip()
    name = found["task"].replace("-", "_") + "_words"
    return [
        raw(f"# BEGIN QUESTION\nname: {name}\nmanual: true\npoints: {points}"),
        nbformat.v4.new_markdown_cell(f"{text}\n\n*{asked}*".strip()),
        raw("# BEGIN SOLUTION"),
        nbformat.v4.new_markdown_cell(wanted[found["task"]]),
        raw("# END SOLUTION"),
        raw("# END QUESTION"),
    ]


def in_words(notes, root=course.ROOT):
    """How the notes judge what is answered in words: task -> paragraph."""
    sheet = posixpath.basename(notes).removesuffix("_notes")
    text = (root / f"{notes}.md").read_text(encoding="utf-8")
    found = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        number = section.partition(".")[0]
        for paragraph in re.findall(
            r"^\*In words\.\* (.+?)(?:\n\n|\Z)", section, re.M | re.S
        ):
            found[f"{sheet}-{number}"] = paragraph
    return found


def raw(source):
    return nbformat.v4.new_raw_cell(source)


def main():
    folder = course.ROOT / "_build" / "labs"
    folder.mkdir(parents=True, exist_ok=True)
    by_sheet = {sheet: tasks(sheet) for sheet in sheets()}
    found = [task for of_sheet in by_sheet.values() for task in of_sheet]
    KEYS.write_text(keys(found), encoding="utf-8", newline="\n")
    for sheet, of_sheet in by_sheet.items():
        path = folder / f"{posixpath.basename(sheet)}.ipynb"
        nbformat.write(assignment(sheet, of_sheet), path)
        print(f"wrote {path.relative_to(course.ROOT)}")


if __name__ == "__main__":
    main()
