"""Lab sheets: what `check` says, that it checks what the notes compute, and Otter's notebooks."""

import ast
import json
import posixpath
import re

import nbformat
import numpy as np
import pytest
import yaml

from lectures_helpers.teaching import labs
from tools import course, visible
from tools import labs as tool

SHEETS = tool.sheets()


# --------------------------------------------------------------------------- what is said


@pytest.fixture
def check(monkeypatch, capsys):
    """What `labs.check` says of an answer to a made-up task."""
    lot = labs.Part("lot (units)", 11, {"that is r for R.": 10})
    cost = labs.Part(
        "cost (€)", 5.837, {"that is a year's.": 700.0, "no <.": 5.9}, 0.01
    )
    made = [
        labs.Task("one", "the curve.", [cost]),
        labs.Task("two", "the table.", [lot, cost]),
    ]
    sealed = json.loads(tool.keys(made))
    monkeypatch.setattr(labs, "_tasks", lambda: sealed)
    said = []
    monkeypatch.setattr(labs, "display", lambda shown: said.append(shown.data))

    def check(task, answer):
        labs.check(task, answer)
        return said.pop()

    return check


@pytest.mark.parametrize(
    "answer", [5.837, 5.84, np.float32(5.837), np.array(5.83), 5.847]
)
def test_what_is_right(check, answer):
    assert check("one", answer) == "**one**\n\n- cost (€): right."


@pytest.mark.parametrize("answer", [(11, 5.84), [11.0, 5.83], np.array([11, 5.84])])
def test_what_is_right_in_all_its_parts(check, answer):
    assert check("two", answer).count("right.") == 2


def test_known_slips_have_names(check):
    assert "not yet: that is a year's." in check("one", 700.004)
    said = check("two", (10, 5.9))
    assert "lot (units): not yet: that is r for R." in said
    assert "cost (€): not yet: no <." in said


def test_the_rest_is_told_where_to_look(check):
    assert check("one", 6.5).endswith(
        "cost (€): not yet.\n- *Where to look:* the curve."
    )
    assert "whole number" in check("two", (11.4, 5.84))
    assert "whole number" in check("two", (11 + 1e-4, 5.84))
    assert "lot (units): right." in check("two", (11 + 1e-9, 5.84))
    assert "Where" not in check("two", (11, 5.84))


@pytest.mark.parametrize(
    ("value", "step", "steps"),
    [(0.5, 1.0, 1), (-0.5, 1.0, 0), (0.495, 1.0, 0), (1.5, 0, 2), (0.375, 0.25, 2)],
)
def test_halves_are_rounded_up(value, step, steps):
    assert labs.rounded(value, step) == steps


@pytest.mark.parametrize("answer", [..., None, (..., ...), [None, ...]])
def test_no_answer_yet(check, answer):
    assert check("two", answer) == (
        "**two**\n\n- lot (units): waits for your answer (a whole number).\n"
        "- cost (€): waits for your answer (to 0.01)."
    )


def test_half_an_answer(check):
    said = check("two", (11, ...))
    assert "lot (units): right." in said
    assert "cost (€): waits" in said


@pytest.mark.parametrize(
    "answer",
    [
        "5.84",
        float("nan"),
        np.inf,
        True,
        [5.84],
        (1, 2),
        np.zeros((1, 1)),
        1j,
        {},
        "...",
    ],
)
def test_what_is_no_number_is_refused(check, answer):
    with pytest.raises(ValueError, match=r"^one "):
        check("one", answer)


@pytest.mark.parametrize(
    "answer",
    [
        11,
        "ab",
        (11,),
        (11, [5.8]),
        (11, [5, [6]]),
        (11, 5.8, 1),
        ("11", 5.8),
        (11, np.nan),
        np.zeros((2, 1)),
    ],
)
def test_what_is_not_as_many_numbers_is_refused(check, answer):
    with pytest.raises(ValueError, match=r"^two "):
        check("two", answer)


def test_an_unknown_task_is_refused(check):
    with pytest.raises(ValueError, match=r"^task must be one of one, two, got 'three'"):
        check("three", 1)


@pytest.mark.parametrize("step", [0.001, 0.01, 0.1, 1.0, 10.0])
def test_one_step_off_is_right_and_two_are_not(step):
    rng = np.random.default_rng(3)
    right = rng.uniform(-1000 * step, 1000 * step, 1000)
    for size in (0.0, 0.999, 2.001):
        for sign in (-1, 1):
            apart = [
                abs(labs.rounded(x + sign * size * step, step) - labs.rounded(x, step))
                for x in right
            ]
            assert (
                all(n <= 1 for n in apart) if size < 1 else all(n >= 2 for n in apart)
            )


# ----------------------------------------------------------------------- sheets and notes


@pytest.fixture(scope="module")
def found():
    return {sheet: tool.tasks(sheet) for sheet in SHEETS}


def test_the_package_checks_what_the_notes_compute(found):
    computed = tool.keys([task for of_sheet in found.values() for task in of_sheet])
    assert tool.KEYS.read_text(encoding="utf-8") == computed, "run `make labs`"


def test_rounding_tells_the_answers_apart(found):
    wrong = [
        w for of_sheet in found.values() for t in of_sheet for w in tool.complaints(t)
    ]
    assert not wrong


def test_known_slips_are_told_from_right_answers(found, monkeypatch):
    said = []
    monkeypatch.setattr(labs, "display", lambda shown: said.append(shown.data))
    for task in (task for of_sheet in found.values() for task in of_sheet):
        rights = [part.right for part in task.parts]
        labs.check(task.name, rights if len(rights) > 1 else rights[0])
        assert said.pop().count(": right.") == len(rights)
        for i, part in enumerate(task.parts):
            for sentence, value in part.slips.items():
                answer = [*rights[:i], value, *rights[i + 1 :]]
                labs.check(task.name, answer if len(rights) > 1 else answer[0])
                assert f"{part.name}: not yet: {sentence}" in said.pop()


def test_digests_hold_no_answer():
    assert set(re.findall(r'"([0-9a-f]{8,})"', tool.KEYS.read_text("utf-8")))
    for task in json.loads(tool.KEYS.read_text("utf-8")).values():
        for part in task["parts"]:
            assert set(part) == {"name", "step", "keys"}
            assert all(re.fullmatch("[0-9a-f]{16}", key) for key in part["keys"])


@pytest.mark.parametrize("sheet", SHEETS)
def test_all_sheets_have_one_format(sheet, found):
    """Each task: a question, minutes, level and goal; one cell for its setting, one to answer."""
    text = (course.ROOT / f"{sheet}.md").read_text(encoding="utf-8")
    opening, *sections = re.split(r"^## ", text, flags=re.M)
    short = posixpath.basename(sheet).removesuffix("_lab")
    minutes, asked = 0, []
    for number, section in enumerate(sections, 1):
        title, _, body = section.partition("\n")
        assert title.startswith(f"{number}. ")
        assert title.endswith("?")
        about = tool.ABOUT.search(body)
        assert body.strip().startswith(about[0])
        minutes += int(about[2])
        cells = [block for _, block in visible.cells(section)]
        if cells:
            setting, answer = cells
            assert len(setting.lines) <= visible.LONGEST
            assert answer.options["tags"] == "[answer]"
            match = tool.ANSWER.fullmatch("\n".join(answer.lines).strip())
            assert match["task"] == f"{short}-{number}"
            asked.append((match["task"], match["dots"].count("...")))
        for task in re.findall(r"In your words \(([\w-]+)\)", body):
            assert task == f"{short}-{number}"
            assert task in tool.in_words(tool.notes_of(sheet)), "say how it is judged"
        assert cells or "In your words" in body
    assert asked == [(task.name, len(task.parts)) for task in found[sheet]]
    assert f"{minutes} minutes in all" in opening


def test_only_the_teachers_page_leads_to_the_notes():
    """And no search: students may find them, but not on their way."""
    notes = {tool.notes_of(sheet) for sheet in SHEETS}
    for page in {page.name for page in course.pages()} - notes:
        text = (course.ROOT / f"{page}.md").read_text(encoding="utf-8")
        linked = {note for note in notes if posixpath.basename(note) in text}
        assert linked == (notes if page == "book/teachers" else set()), page
    for note in notes:
        header = (course.ROOT / f"{note}.md").read_text("utf-8").split("\n---\n")[0]
        assert "nosearch: true" in header.split("\n")


def test_a_syllabus_says_how_long_its_tasks_take():
    text = (course.ROOT / "book" / "teachers.md").read_text(encoding="utf-8")
    rows = re.findall(r"<(\w+/\w+)_lab>` ([\d, –]+) \((\d+) minutes\)", text)
    assert len(rows) > 10
    for name, tasks, stated in rows:
        sheet = (course.ROOT / f"book/{name}_lab.md").read_text("utf-8")
        minutes = [int(about[1]) for about in tool.ABOUT.findall(sheet)]
        taken = 0
        for first, last in re.findall(r"(\d+)(?:–(\d+))?", tasks):
            taken += sum(minutes[int(first) - 1 : int(last or first)])
        assert taken == int(stated) <= 70, (name, tasks)


# --------------------------------------------------------------------------- Otter Assign


BLOCKS = {"QUESTION", "SOLUTION", "TESTS"}


@pytest.mark.parametrize("sheet", SHEETS)
def test_otters_notebook(sheet, found):
    """Well formed: blocks nest, numbers have tests that the right answers pass, no MyST is left."""
    notebook = tool.assignment(sheet, found[sheet])
    nbformat.validate(notebook)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    first, *cells = notebook.cells
    assert first.cell_type == "raw"
    assert first.source.startswith("# ASSIGNMENT CONFIG\n")
    assert yaml.safe_load(first.source)["name"] == posixpath.basename(sheet)
    open_blocks, questions, scope = [], {}, {}
    for cell in cells:
        if cell.cell_type == "raw":
            head, _, settings = cell.source.partition("\n")
            kind, block = re.fullmatch(r"# (BEGIN|END) (\w+)", head).groups()
            assert block in BLOCKS
            if kind == "END":
                assert open_blocks.pop() == block
                continue
            assert len(open_blocks) == (block != "QUESTION")
            open_blocks.append(block)
            if block == "QUESTION":
                question = yaml.safe_load(settings)
                assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", question["name"])
                assert question["points"] > 0
                questions[question["name"]] = question
        elif cell.cell_type == "code":
            ast.parse(cell.source)
            if open_blocks[-1:] == ["SOLUTION"]:
                (line,) = re.findall(r"^\w+ = .+  # SOLUTION$", cell.source, re.M)
                exec(line, scope)
            elif open_blocks[-1:] == ["TESTS"]:
                exec(cell.source, scope)
                wrong = dict.fromkeys(scope, ...) | {"__builtins__": __builtins__}
                with pytest.raises((AssertionError, TypeError)):
                    exec(cell.source, wrong)
    assert not open_blocks
    names = [task.name.replace("-", "_") for task in found[sheet]]
    assert [q for q, about in questions.items() if not about.get("manual")] == names
    text = "\n".join(c.source for c in notebook.cells)
    assert "labs.check" in text
    assert "{ref}" not in text
    assert ".ipynb)" not in text


def test_make_labs_writes_one_notebook_for_each_sheet(
    tmp_path, monkeypatch, found, capsys
):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "KEYS", tmp_path / "labs.json")
    monkeypatch.setattr(tool, "sheets", lambda: SHEETS)
    monkeypatch.setattr(tool, "tasks", found.get)
    monkeypatch.setattr(tool, "assignment", lambda *_: nbformat.v4.new_notebook())
    tool.main()
    assert len(list((tmp_path / "_build" / "labs").glob("*.ipynb"))) == len(SHEETS)
    assert json.loads((tmp_path / "labs.json").read_text("utf-8"))
    assert "wrote _build/labs/eoq_lab.ipynb" in capsys.readouterr().out
