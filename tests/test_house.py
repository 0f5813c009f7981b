"""What keeps the package thin, and lectures from writing the same thing twice."""

import ast
import importlib
import inspect
from collections import defaultdict

import jupytext
import pytest

from tools import course

PACKAGE = course.ROOT / "lectures_helpers"
WINGS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}  # teaching is one
SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted(
    path
    for path in (course.ROOT / "book").rglob("*.md")
    if "{code-cell}" in path.read_text("utf-8")
)


def name_of(path):
    return str(path.relative_to(course.ROOT))


def cells(page):
    """The syntax trees of a page's code cells; cells with a magic have none."""
    for cell in jupytext.read(page).cells:
        if cell.cell_type == "code" and not cell.source.lstrip().startswith("%"):
            try:
                yield ast.parse(cell.source)
            except SyntaxError:  # a magic within
                continue


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_point_one_way(path):
    """Wings stand on the ground, not on each other; what teaches knows models by their results."""
    place = path.relative_to(PACKAGE).parts
    forbidden = WINGS - {place[0]}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        imported = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in (x for x in imported if x.startswith("lectures_helpers.")):
            assert name.split(".")[1] not in forbidden, (
                f"{name_of(path)} imports {name}"
            )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_lecture_takes_what_modules_offer(page):
    modules = {}
    for node in (node for tree in cells(page) for node in ast.walk(tree)):
        if isinstance(node, ast.ImportFrom) and "lectures_helpers" in node.module:
            owner = importlib.import_module(node.module)
            for name in node.names:
                full = f"{node.module}.{name.name}"
                found = getattr(owner, name.name, None) or importlib.import_module(full)
                if inspect.ismodule(found):
                    modules[name.asname or name.name] = found
                else:
                    assert name.name in owner.__all__, full
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module and hasattr(module, node.attr):
                assert node.attr in module.__all__, f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_lecture_shows_no_private_name(page):
    for tree in cells(page):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                private = node.attr.startswith("_") and not node.attr.startswith("__")
                if private and node.attr not in ("_replace", "_asdict", "_fields"):
                    pytest.fail(f"{node.value.id}.{node.attr}")


def test_no_lecture_defines_what_another_defines():
    places = defaultdict(set)
    for page in PAGES:
        for tree in cells(page):
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    if ast.get_docstring(node):
                        node.body = node.body[1:]
                    places[ast.dump(node.args) + "".join(map(ast.dump, node.body))].add(
                        (node.name, name_of(page))
                    )
    twice = [where for where in places.values() if len({page for _, page in where}) > 1]
    assert not twice
