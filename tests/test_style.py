"""The style gate: the book is clean, and each check finds what it is there to find."""

import pytest

from tools import course, repository, style, visible

FILES = [path.relative_to(course.ROOT).as_posix() for path in repository.text_files()]


@pytest.mark.parametrize("page", course.pages(), ids=lambda page: page.name)
def test_a_page_keeps_the_style(page):
    name = f"{page.name}.md"
    text = (course.ROOT / name).read_text(encoding="utf-8")
    found = style.complaints(name, text, page.chapter is not None)
    if found:
        pytest.fail("\n".join(map(str, found)), pytrace=False)


@pytest.mark.parametrize("name", [n for n in FILES if n.endswith((".py", ".md"))])
def test_one_code_point_a_letter(name):
    text = (course.ROOT / name).read_text(encoding="utf-8")
    found = [str(style.Complaint(name, *place)) for place in style.code_points(text)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


FIGURE = (
    "```{{code-cell}} ipython3\n---\nmystnb:\n  figure:\n    name: fig-x\n"
    "    caption: {}\n  image:\n    alt: {}\n---\nplt.show()\n```"
)
CELL = "```{{code-cell}} ipython3\n{}\n```"


def lines_of(check, text):
    return [line for line, _ in check(text)]


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (style.code_points, "The mean is \u00b5."),
        (style.spelling, "A news vendor sells papers."),
        (style.spelling, "Its back-orders wait."),
        (style.spelling, "An s-S rule, and (S - s) too."),
        (style.timings, "The call takes 3.5 ms here."),
        (style.timings, "It is 40 times faster."),
        (style.timings, "It is twice as fast, or takes three seconds."),
        (style.timings, FIGURE.format("Took 3 ms.", "a curve")),
        (style.numbers, "The error is 9.1e-05."),
        (style.numbers, "It changes by -3 units (-0.5 %)."),
        (style.numbers, FIGURE.format("A curve.", "it falls to -178")),
        (style.numbers, CELL.format('Markdown(f"The error is {x:.1e}.")')),
        (style.numbers, CELL.format('print(f"It changes by -{x}.")')),
        (style.inks, CELL.format('ax.annotate("a", (1, 2), color=COLORS["setup"])')),
        (style.spelling, FIGURE.format("A newsboy.", "a curve")),
        (style.spelling, FIGURE.format("A curve.", "a newsboy")),
        (style.spelling, "If x < 3 the newsboy is y > 2."),
        (style.sentence_case, "## `Foo` Thing"),
        (style.figures, "```{code-cell} ipython3\nfor x in y:\n    plt.show()\n```"),
        (style.brackets, "Count by echelon ({eq}`chain-law`, {eq}`chain-costs`)."),
        (style.roles, CELL.format('Markdown(f"A {{{{term}}}}`lot`.")')),
        (style.demos, "(demo18)=\n## A sweep"),
        (style.exercises, "```{solution-start} ex-a\n```"),
        (style.spelling, ":::{margin} A newsboy\n:class: x\nText.\n:::"),
        (style.spelling, "::::{margin}\nText.\n\n:::{tip}\nA newsboy.\n:::\n::::"),
        (style.sentence_case, "# The Best Level"),
        (style.figures, "```{code-cell} ipython3\nplt.plot(x)\nplt.show()\n```"),
        (
            style.figures,
            "```{code-cell} ipython3\n---\nmystnb:\n  figure:\n    name: fig-x\n"
            "    caption: What it shows.\n---\nplt.show()\n```",
        ),
        (style.demos, "(demo-3)=\n## A sweep\n\n```{code-cell} ipython3\nx = 1\n```"),
        (style.exercises, "```{exercise-start}\n:label: ex-a\n```\n\nProve it.\n"),
        (
            style.exercises,
            "```{exercise-start}\n:label: ex-a\n```\n*Trains: proof. About 5 minutes.*\n"
            "```{exercise-end}\n```\n```{solution-start} ex-a\n:class: dropdown\n```\nSo.",
        ),
        (style.sitting, "word " * 6000),
        (visible.complaints, CELL.format("fig, ax = plt.subplots()")),
        (visible.complaints, CELL.format('y = 1\nx = 1\nprint(f"It is {x}.")')),
        (visible.complaints, CELL.format("x = (\n" + 20 * "    1 +\n" + "    1)")),
    ],
)
def test_a_fault_is_found_once_a_kind(check, text):
    assert lines_of(check, text)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (style.numbers, "Set `tol=1e-7`: $x^{-1}$, −3, 3-4 units, state-of-the-art."),
        (style.numbers, "- a list\n- 3 loaves, or `1e5`"),
        (style.numbers, CELL.format('f"{x:.3g} {y:,.2f} {x - 1:+.0%} {x}-{y}"')),
        (style.numbers, CELL.format('float(f"{x:.1e}")')),
        (style.inks, CELL.format('ax.text(1, 2, "a", color=figures.ink(blue))')),
        (style.inks, CELL.format('c = figures.ink(blue)\nax.text(1, 2, "a", color=c)')),
        (
            style.inks,
            CELL.format('ax.text(1, 2, "7", color="black" if x else "white")'),
        ),
        (style.spelling, "`news vendor` and $s-S$ and https://a.b/news-vendor"),
        (style.spelling, "```python\nbackorder = 'back-order'\n```"),
        (style.brackets, "Count by echelon, {eq}`chain-law` (or by place)."),
        (style.timings, "The authors report 3.5 ms {cite}`someone`."),
        (style.timings, "```\ntook 3.5 ms\n```"),
        (style.sentence_case, "## Palm's theorem: a surprise. Why?"),
        (style.sentence_case, "### (a) The loop"),
        (style.sentence_case, "## What GPUs do to NumPy's arrays"),
        (style.figures, "```{code-cell} ipython3\ndef f():\n    plt.show()\n```"),
        (
            style.demos,
            "(demo-3)=\n## A sweep\n\n```{code-cell} ipython3\n:tags: [parameters]\nx = 1\n```\n"
            "```{code-cell} ipython3\nexplore.explore(f)\n```",
        ),
        (
            style.exercises,
            "```{exercise-start}\n:label: ex-a\n```\n*Trains: proof. Easy. About 5 minutes.*"
            "\n```{exercise-end}\n```\n```{solution-start} ex-a\n:class: dropdown\n```\nSo.",
        ),
    ],
)
def test_what_is_right_passes(check, text):
    assert not lines_of(check, text)


def test_a_complaint_says_where():
    text = "# A title\n\nText.\n\nA newsboy calls.\n"
    (found,) = style.complaints("book/page.md", text)
    assert str(found) == (
        'book/page.md:5: the course writes "newsvendor", not "newsboy"'
    )


def test_a_fence_that_is_never_closed_is_named_with_its_line():
    (found,) = style.complaints("book/page.md", "# A title\n\n```{note}\nText.\n")
    assert str(found) == "book/page.md:3: ```{note} is never closed"


def test_a_lecture_has_its_parts():
    found = "\n".join(text for _, text in style.lecture("# A title\n\nText.\n"))
    for part in (
        "prerequisites",
        "Exercises",
        "What you can now do",
        "explorer",
        "term",
    ):
        assert part in found


def test_code_that_is_folded_or_has_its_reason_may_be_long():
    long = CELL.format("x = (\n" + 20 * "    1 +\n" + "    1)")
    reason = f"{visible.REASON}one sum.\n{long}"
    folded = long.replace("ipython3\n", "ipython3\n:tags: [hide-input]\n")
    solution = f"```{{solution-start}} a\n```\n{long}\n```{{solution-end}}\n```"
    for text in (reason, folded, solution):
        assert not lines_of(visible.complaints, text)
    drawn = CELL.format("x = 1\nfor y in x:\n    ax.plot(y)\nx.sum()\nMarkdown('x')")
    assert visible.of_page(drawn) == (2, 2, 1)
