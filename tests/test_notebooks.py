"""The .ipynb twins: up to date, free of MyST, and numbered as the book is."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from tools import course, myst, notebooks

FIXTURES = Path(__file__).parent / "fixtures"


def test_the_twins_are_up_to_date():
    if lines := notebooks.complaints():
        pytest.fail("\n".join(lines), pytrace=False)


def lectures():
    """Names of the course's notebooks, in reading order."""
    return [
        page.name
        for page in course.pages()
        if Path(course.ROOT, f"{page.name}.ipynb").exists()
    ]


@pytest.mark.parametrize("name", lectures())
class TestTwin:
    def cells(self, name):
        return nbformat.read(course.ROOT / f"{name}.ipynb", as_version=4).cells

    def test_shows_no_myst(self, name):
        for cell in self.cells(name):
            if cell.cell_type == "markdown":
                assert myst.raw_myst(cell.source) is None

    def test_holds_no_outputs(self, name):
        for cell in self.cells(name):
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None

    def test_links_within_the_course_lead_somewhere(self, name):
        path = course.ROOT / f"{name}.ipynb"
        text = "\n".join(
            cell.source for cell in self.cells(name) if cell.cell_type == "markdown"
        )
        for target in re.findall(r"\]\(([^()\s]+)\)", text):
            file, _, fragment = target.partition("#")
            if target.startswith("http"):
                continue
            other = (path.parent / file).read_text(encoding="utf-8") if file else text
            assert not fragment or f'id="{fragment}"' in other.replace('\\"', '"'), (
                target
            )

    def test_asks_colab_for_a_gpu(self, name):
        metadata = nbformat.read(course.ROOT / f"{name}.ipynb", as_version=4).metadata
        assert metadata.accelerator == "GPU"
        assert metadata.kernelspec.name == "python3"


# ------------------------------------------------------------------- a course of fixtures


@pytest.fixture(scope="module")
def small_course(tmp_path_factory):
    """Three pages that hold every construct, under the course's own configuration."""
    root = tmp_path_factory.mktemp("course")
    scripts = Path("book", "assets", "explorers")
    shutil.copytree(course.ROOT / scripts, root / scripts)
    for page in FIXTURES.glob("*.md"):
        shutil.copy(page, root / "book")
    (root / "book" / "reference").mkdir()
    (root / "book" / "glossary.md").rename(root / "book" / "reference" / "glossary.md")
    config = yaml.safe_load((course.ROOT / "_config.yml").read_text(encoding="utf-8"))
    for name in ("published", "cite"):  # what only the course has
        del config["sphinx"]["local_extensions"][name]
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    shutil.copy(course.ROOT / "book" / "references.bib", root / "book")
    shutil.copytree(course.ROOT / "book" / "_ext", root / "book" / "_ext")
    shutil.copytree(course.ROOT / "tools", root / "tools")
    (root / "book" / "assets" / "course.css").touch()
    chapters = [{"file": "book/first"}, {"file": "book/second"}]
    parts = [
        {"caption": "One", "numbered": 1, "chapters": chapters},
        {"caption": "Two", "chapters": [{"file": "book/reference/glossary"}]},
    ]
    toc = {"format": "jb-book", "root": "book/plain", "parts": parts}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    return root


@pytest.fixture(scope="module")
def cells(small_course):
    """Cells of the twin of the first page."""
    return json.loads(notebooks.twins(small_course)["book/first.ipynb"])["cells"]


@pytest.fixture(scope="module")
def text(cells):
    return "\n\n".join(
        cell["source"] for cell in cells if cell["cell_type"] == "markdown"
    )


@pytest.fixture(scope="module")
def built(small_course):
    """The same pages as Sphinx builds them: name -> article."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", small_course]
    run = subprocess.run([*command, "-W", "-n", "-q"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    html = small_course / "_build" / "html" / "book"
    return {
        name: BeautifulSoup(
            (html / f"{name}.html").read_text(encoding="utf-8"), "html.parser"
        ).article
        for name in ("first", "second")
    }


def numbers_in_book(article):
    found = article.select(".caption-number, .eqno")
    return sorted(re.sub(r"#|\s+$", "", item.get_text()) for item in found)


def numbers_in_twin(text):
    tags = [f"({number})" for number in re.findall(r"\\tag\{(.*?)\}", text)]
    others = (
        r"^<a .*?</a>\*(Figure [\d.]+)\.\*",
        r"^> \*\*([A-Z]\w+ [\d.]+)\*\*",
        r"^#+ (Exercise [\d.]+)",
    )
    found = [re.findall(pattern, text, re.MULTILINE) for pattern in others]
    return sorted(sum(found, tags))


@pytest.mark.parametrize("name", ["first", "second"])
def test_numbers_and_references_are_those_of_the_book(small_course, built, name):
    twin = json.loads(notebooks.twins(small_course)[f"book/{name}.ipynb"])
    text = "\n\n".join(
        c["source"] for c in twin["cells"] if c["cell_type"] == "markdown"
    )
    assert numbers_in_twin(text) == numbers_in_book(built[name])

    text = text.replace("[0, S](x)", "")  # in a formula: no link
    links = re.findall(r"(?<!!)\[([^\[\]]+)\]\((?!http)[^()]+\)", text)
    without_twin = r"/book/(?:plain|reference/glossary)\.html"
    links += re.findall(rf"\[([^\[\]]+)\]\(\S+{without_twin}[^()]*\)", text)
    in_book = [
        link.get_text()
        for link in built[name].select("a.reference.internal")
        if not link.get("href").partition("#")[2].startswith("id")  # a citation
        and not link.find_parent(
            class_="admonition-title"
        )  # from a solution to its exercise
    ]
    assert sorted(links) == sorted(in_book)


def test_a_captioned_cell_makes_one_figure(built):
    (figure,) = built["first"].select("figure#fig-code")
    assert figure.find("img") or figure.find("svg")
    assert "A sentence" not in figure.get_text()


def test_terms_lead_to_the_places_that_sphinx_gives_them(small_course, built):
    twin = json.loads(notebooks.twins(small_course)["book/first.ipynb"])
    text = "".join(c["source"] for c in twin["cells"])
    in_twin = re.findall(r"glossary\.html#(term-[^()]+)\)", text)
    in_book = [
        link["href"].partition("#")[2]
        for link in built["first"].select('a[href*="glossary.html#term-"]')
    ]
    assert len(in_twin) == 3
    assert in_twin == in_book


def test_prerequisites_say_the_same_in_twin_and_book(text, built):
    box = built["first"].select_one("div.prerequisites").get_text("\n")
    time = re.search(r"About \d+ minutes, and 15 more for the exercises\.", box)[0]
    assert (
        f"> **Time**: {time}\n>\n> **Before**: [The second page](second.ipynb)" in text
    )


def test_twins_are_made_the_same_every_time(small_course):
    assert notebooks.twins(small_course) == notebooks.twins(small_course)


def test_a_page_without_code_has_no_twin(small_course):
    assert sorted(notebooks.twins(small_course)) == [
        "book/first.ipynb",
        "book/second.ipynb",
    ]


def test_stale_missing_and_orphaned_twins_are_named(small_course, tmp_path):
    root = shutil.copytree(
        small_course, tmp_path / "copy", ignore=shutil.ignore_patterns("_build")
    )
    notebooks.write(root)
    assert notebooks.complaints(root) == []
    (root / "book" / "first.ipynb").write_text("{}")
    (root / "book" / "second.ipynb").rename(root / "book" / "orphan.ipynb")
    assert notebooks.complaints(root) == [
        "book/first.ipynb is stale: run `make notebooks`",
        "book/second.ipynb is missing: run `make notebooks`",
        "book/orphan.ipynb is the twin of no page with code cells in _toc.yml: delete it",
    ]


def test_nothing_of_myst_is_left(text):
    assert myst.raw_myst(text) is None
    assert "A comment" not in text


@pytest.mark.parametrize(
    "expected",
    [
        "# 1. Every *construct*\n\n[![Open in Colab](",
        "with `a code span with {role}`, ``{eq}`not-a-role` ``, $[0, S](x)$ and",
        r"Prices like \$5 and \$6 stay.",
        '<a name="eq-law" id="eq-law"></a>\n\n$$\nX_{t+1} = (X_t - D_{t+1})^+\n\\tag{1.1}\n$$',
        "$$\n\\begin{aligned}\ny &= f(x) \\\\\n  &= g(x)\n\\end{aligned}\n\\tag{1.3}\n$$",
        "$$\n\\text{no number}\n$$",
        "See [(1.1)](#eq-law), [(1.2)](#eq-line), [(1.3)](#eq-directive)",
        "[Every construct](#first-page),\n[here](#sec-equations), [A section](second.ipynb#second-section)",
        "> **In the margin**\n>\n> A margin note with **bold** text and [(1.1)](#eq-law).\n>\n> - and\n> - a list",
        '> **A title with $x$**\n>\n> Code, and a formula:\n>\n> ```python\n> x = {"a": 1}\n> ```',
        "> $$\n> e = f\n> \\tag{1.4}\n> $$",
        "<summary><b>More about it</b></summary>\n\nHidden until opened.\n\n> Nested.\n\n</details>",
        "> **Definition 1.1** (Inventory position)\n>\n> What is on hand and on order.",
        "> **Theorem 1.3**\n>\n> Another.",
        "**Proof.** By [Theorem 1.2](#thm-palm), [Definition 1.1](#def-position) and [(1.5)]",
        "*Figure 1.1.* A picture of $X_t$, see [(1.1)](#eq-law).",
        "| 1 | [(1.2)](#eq-line) |",
        "[Arrow et al. (1951)](https://doi.org/10.2307/1906813) say",
        "[Salmon et al., 2011](https://doi.org/10.1145/2063384.2063405))",
        "[The second page](second.ipynb), [A page without code](SITE/book/plain.html)",
        "[the second](second.ipynb), [the web](https://example.org), <https://example.org>",
        "~~~python\n:::{note} is code here\n~~~",
        "### Exercise 1.1: Predict first\n\nWhat is [(1.2)](#eq-line)?",
        "<summary><b>Solution to Exercise 1.1</b></summary>\n\nIt is this.\n\n</details>",
        "### Exercise 1.2\n\nChange it:",
        "<summary><b>Solution to Exercise 1.2</b></summary>\n\nFirst this.\n\n</details>",
        "<summary><b>Solution to Exercise 1.2, continued</b></summary>\n\nThen that.",
        "After [Exercise 1.1](#ex-predict) and [Exercise 1.2](#ex-gated).",
    ],
)
def test_construct(text, expected):
    assert expected.replace("SITE", course.repository().site) in text


def test_code_of_a_solution_is_folded(cells):
    code = {
        cell["source"]: cell["metadata"]
        for cell in cells
        if cell["cell_type"] == "code"
    }
    folded = {"source_hidden": True, "outputs_hidden": True}
    assert code["# @title Solution to Exercise 1.2\n1 + 2"] == {
        "cellView": "form",
        "jupyter": folded,
    }
    assert (
        code["%%time\n1 + 3"]["jupyter"] == folded
    )  # a cell magic stays the first line
    assert code["1 + 1"] == {}


def test_code_cells_keep_their_tags(cells):
    assert [c["metadata"]["tags"] for c in cells if "tags" in c["metadata"]] == [
        ["hide-input"],
        ["remove-input"],
    ]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("# T\n\n{eq}`nowhere`", "book/first.md: there is no label nowhere"),
        ("# T\n\n{doc}`nowhere`", "book/first.md: there is no page nowhere"),
        ("# T\n\n{cite}`nobody1900`", "nobody1900 is not in book/references.bib"),
        ("# T\n\n[x](nowhere)", "there is no page nowhere"),
        ("# T\n\n![a dot](dot.png)", "there is no page dot.png"),
        ("# T\n\n{term}`nothing`", "nothing is not in the glossary"),
        ("# T\n\n{glue}`x`", "the role {glue} has no form in a twin"),
        (
            "# T\n\n```{mermaid}\nA --> B\n```",
            "the directive {mermaid} has no form in a twin",
        ),
        ("# T\n\n```{margin}\n:name: x\n\nx\n```", "{margin} has the option name"),
        ("# T\n\n(a)=\nText. {eq}`a`", "a is of a place, not an equation"),
        ("# T\n\n(a)=\nText. {ref}`a`", "a reference to a needs a text"),
        ("# T\n\n- x\n\n  ```{margin}\n  x\n  ```", "raw MyST would show"),
        ("# T\n\nx[^one]", "raw MyST would show in the twin: [^one]"),
        ("# T\n\n~~~{note}\nx", "~~~{note} is never closed"),
        ("# T\n\n```{margin}\n---\nx\n```", "a directive's --- is never closed"),
        ("# T\n\n$$\nx", "$$ is never closed"),
        ("# T\n\n$$\nx\n$$ (a)\n\n$$\ny\n$$ (a)", "the label a stands twice"),
        ("# T\n\n> $$ x $$ (label)", "raw MyST would show in the twin: $$ (label)"),
        ("no heading", "book/first.md: the page has no heading"),
    ],
)
def test_what_a_twin_cannot_show_is_refused(small_course, tmp_path, source, complaint):
    root = shutil.copytree(
        small_course, tmp_path / "copy", ignore=shutil.ignore_patterns("_build")
    )
    (root / "book" / "first.md").write_text(
        f"{source}\n\n```{{code-cell}} ipython3\n1\n```\n"
    )
    (root / "book" / "second.md").write_text("# Second\n")
    (root / "book" / "plain.md").write_text("# Plain\n")
    with pytest.raises(myst.MystError, match=re.escape(complaint)):
        notebooks.twins(root)
