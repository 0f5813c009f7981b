"""The style that drifts when nobody looks: `python -m tools.style [PAGE.md ...]` (all pages).

Each complaint is one line that says where and what to do. tests/test_style.py keeps the book clean.
"""

import ast
import re
import sys
import unicodedata
from typing import NamedTuple

from tools import course, myst, reading, visible

# Look-alikes that fonts hardly tell apart from the letter that the course uses.
LOOKALIKES = {
    "\u00b5": "μ U+03BC",  # micro sign
    "\u03d5": "φ U+03C6",  # phi symbol
    "\u03f5": "ε U+03B5",  # lunate epsilon
    "\u025b": "ε U+03B5",  # Latin open e
    "\u03d1": "θ U+03B8",  # theta symbol
    "\u03c2": "σ U+03C3",  # final sigma
}

# How the field spells its terms; what is not written so is found by the pattern.
TERMS = {
    r"\bnews[ -]?boys?\b|\bnews[ -]vendors?\b": "newsvendor",
    r"\bback[ -]orders?\b|\bback[ -]ordered\b": "backorder",
    r"\bre-orders?\b|\bre-order\b": "reorder",
    r"\bbase stock (?:levels?|polic(?:y|ies))\b": "base-stock level, base-stock policy",
    r"\bre-?ordering[ -]point\b|\border point\b": "reorder point",
    r"\blead time demand\b": "lead-time demand",
    r"\bleadtimes?\b": "lead time",
    r"\bfillrates?\b": "fill rate",
    r"\border up to level\b|\bup-to-level\b": "order-up-to level",
    r"\bstock[ -]outs?\b": "stockout",
    r"\blot-sizes?\b|\blotsizes?\b": "lot size",
    r"\bset-?up-costs?\b|\bset up costs?\b|\bset-up costs?\b": "setup cost",
    r"\bsavage value\b|\bsalvage price\b": "salvage value",
    r"\bshelf-life\b|\bshelflife\b": "shelf life",
    r"\bcross sections?\b": "cross-section",
    r"\bMonte-Carlo\b": "Monte Carlo",
    r"(?-i:(?<![\w(])s-S\b|\(s, ?S\)|\bs/S\b)": "s–S",
    r"(?-i:\(Q,r\)|\(Q, ?R\))": "(Q, r)",
    r"\b(?:colors?|colored|gray)\b": "colour, grey",
    r"(?-i:\bpoisson\b)": "Poisson",
}

# What a cell measures, the cell shows: a number typed beside it is of another machine.
NUMBER = r"(?:\d[\d.,]*|\b(?:two|three|four|five|six|seven|eight|nine|ten|twenty|fifty|hundred))"
TIMING = re.compile(
    rf"{NUMBER}\s*(?:ns|[μm]s|nano-?seconds?|micro-?seconds?|milli-?seconds?|seconds?)\b"
    r"|\d\s+s\b"
    rf"|{NUMBER}\s*(?:times|x|×|%)\s+(?:as (?:fast|slow)|faster|slower|quicker)\b"
    r"|\b(?:twice|half) as (?:fast|slow)\b",
    re.IGNORECASE,
)

# In a heading only these keep their capital after the first word.
NAMES = {
    "B", "Bellman", "CPU", "Carlo", "Christmas", "Colab", "EOQ", "GPU", "Greek", "I", "II", "III", "IV",
    "Inventory", "JAX",
    "Little", "MDPax", "Markov", "Monte", "Numba", "NumPy", "Palm", "Part", "Poisson", "Python", "Q",
    "R", "S", "SCV", "SimPy", "Theory",
}  # fmt: skip

LONGEST = 45  # minutes that a lecture takes, without its exercises

EXPLORER = "a {} has an explorer: see lectures_helpers.teaching.explore"


class Complaint(NamedTuple):
    page: str  #: path from the root
    line: int
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}: {self.text}"


# ------------------------------------------------------------------------------- prose


def blocks(text):
    """(line number, block) of a page, at every depth, without its header."""
    if header := re.match(r"---\n.*?\n---\n", text, re.DOTALL):
        text = "\n" * header[0].count("\n") + text[header.end() :]
    return list(myst.walk(text))


def code_cells(text):
    """(line number, source, what its header says to MyST-NB) of each cell of code."""
    for number, block in blocks(text):
        if block.name == "code-cell":
            mystnb = block.options.get("mystnb") or {}
            yield number, "\n".join(block.lines), mystnb


def prose(text):
    """(line number, text) of what readers read as text: no code, formulas or addresses."""
    for number, block in blocks(text):
        if block.kind == "text":
            yield number, bare(block.lines[0])
        elif block.kind == "directive":
            mystnb = block.options.get("mystnb") or {}
            shown = [
                "" if block.name in myst.VERBATIM else block.argument,
                (mystnb.get("figure") or {}).get("caption"),
                (mystnb.get("image") or {}).get("alt"),
            ]
            for piece in filter(None, shown):
                yield number, bare(str(piece))


def bare(line):
    """A line without inline code, formulas, roles' targets and addresses."""
    line = re.sub(r"\{(?:term|doc|ref)\}`([^`<]*?)\s*<[^`]*>`", r"\1", line)
    line = re.sub(r"\{term\}`([^`]*)`", r"\1", line)
    line = re.sub(r"(?:\{[\w:.+-]+\})?(`+)[^`].*?\1", "x", line)
    line = re.sub(r"\$(?!\s)[^$]+?(?<!\s)\$(?!\d)", "x", line)
    line = re.sub(r"\]\([^()]*\)", "]", line)
    line = re.sub(r"https?://\S+", " ", line)
    return re.sub(r"</?[A-Za-z][^<>]*>", " ", line)


def headings(text):
    """(line number, title) of each heading."""
    for number, line in prose(text):
        if match := re.match(r"^#{1,6}\s+(.*)$", line):
            yield number, match[1]


# ------------------------------------------------------------------------------ checks


def code_points(text):
    for number, line in enumerate(text.split("\n"), start=1):
        for character in line:
            if character in LOOKALIKES:
                name = unicodedata.name(character)
                yield number, f"write {LOOKALIKES[character]}, not {name}"


def spelling(text):
    for number, line in prose(text):
        for pattern, term in TERMS.items():
            if match := re.search(pattern, line, re.IGNORECASE):
                yield number, f'the course writes "{term}", not "{match[0]}"'


def timings(text):
    lines = text.split("\n")
    for number, line in prose(text):
        cited = "{cite" in lines[number - 1]  # others' numbers, with their source
        if (match := TIMING.search(line)) and not cited:
            yield (
                number,
                f'"{match[0]}" is typed by hand: let a cell measure and display it',
            )


def numbers(text):
    """Numbers as people write them, in the text and in what a cell says."""
    for number, line in prose(text):
        if match := re.search(r"\b\d[\d.]*e[-+]?\d+\b", line):
            yield number, f'write "{match[0]}" as a power of ten: 9.1 × 10⁻⁵'
        if match := re.search(r"(?:^|[\s(])(-\d[\d.,]*)", line):
            yield number, f'write "{match[1]}" with a minus, −, not with a hyphen'
    for number, source, _ in code_cells(text):
        tree = parsed(source)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        # Text that is read as a number again, to round it.
        rounded = [call.args[0] for call in calls if ast.unparse(call.func) == "float"]
        for node in ast.walk(tree):
            said = isinstance(node, ast.JoinedStr) and node not in rounded
            if said and (fault := hard_number(node)):
                yield number, fault


def hard_number(text):
    """What makes numbers of an f-string hard to read, or None."""
    for i, part in enumerate(text.values):
        if isinstance(part, ast.FormattedValue):
            spec = ast.unparse(part.format_spec) if part.format_spec else ""
            if re.search(r"[eE]['\"]$", spec):
                return f"{{{ast.unparse(part.value)}}} reads 9e-05: use reports.number"
        elif re.search(r"[\s(]-$", part.value) or (i == 0 and part.value == "-"):
            return f'"{part.value}" puts a hyphen before a number: write a minus, −'
    return None


def roles(text):
    """What a cell says is Markdown, which Jupyter and Colab read too: no role of MyST."""
    for number, source, _ in code_cells(text):
        if role := re.search(r"(?<![`\w])\{(?:\w+:)?\w+\}+`", source):
            yield number, f"a cell says {role[0]}...`: only the book knows that role"


def brackets(text):
    """An equation's number has its own."""
    for number, block in blocks(text):
        line = block.lines[0] if block.kind == "text" else ""
        if twice := re.search(r"\(\{eq\}`[^`]*`(?:, \{eq\}`[^`]*`)*\)", line):
            yield number, f"{twice[0]} is shown in two pairs of brackets"


def sentence_case(text):
    for number, title in headings(text):
        wrong = []
        for match in re.finditer(r"[^\W\d_][\w'’–-]*", title):
            before = title[: match.start()].rstrip(' "“(*')
            begins = not before or before[-1] in ":.?!)"
            name = re.sub(r"['’]?s$", "", match[0])
            if match[0][0].isupper() and not begins and not {match[0], name} & NAMES:
                wrong.append(match[0])
        if wrong:
            yield (
                number,
                f"headings are in sentence case: write {', '.join(wrong)} in lower case"
                " (a name goes into NAMES in tools/style.py)",
            )


DEFINITION = re.compile(r"^(?:def|class) .*\n(?:(?:[ \t].*)?\n)*", re.MULTILINE)


def figures(text):
    """Every figure that a cell draws has a caption, a name and an alt text."""
    for number, source, mystnb in code_cells(text):
        if not (figure := mystnb.get("figure")):
            # Shown by the cell itself, not by a function or class that it defines.
            if ".show()" in DEFINITION.sub("", source + "\n"):
                yield number, "a figure without a caption: add `mystnb: figure:`"
            continue
        for key in ("caption", "name"):
            if not str(figure.get(key) or "").strip():
                yield number, f"a figure without a {key}: add it to `mystnb: figure:`"
        alt = str((mystnb.get("image") or {}).get("alt") or "")
        if "explore(" not in source and not alt.strip():
            yield number, "a figure without an alt text: add `mystnb: image: alt:`"


# What writes a text into a figure, and the arguments that give it a colour.
WRITES = {"annotate", "text", "set_title", "set_xlabel", "set_ylabel", "tick_params"}
INKS = {"color", "colors", "labelcolor"}


def inks(text):
    """Text in a line's colour is written in a shade that can be read."""
    for number, source, _ in code_cells(text):
        if '"white"' in source:  # on a map of colours, text is black or white
            continue
        for node in ast.walk(parsed(source)):
            if not isinstance(node, ast.Call):
                continue
            if getattr(node.func, "attr", None) not in WRITES:
                continue
            for given in node.keywords:
                color = ast.unparse(given.value)
                fine = re.search(r"ink\(|NEUTRAL|TEXT|black", color)
                fine = fine or f"{color} = figures.ink(" in source
                if given.arg in INKS and not fine:
                    yield (
                        number,
                        f"text in a line's colour is pale: figures.ink({color})",
                    )


def parsed(source):
    """The syntax of a cell; nothing of one with a magic."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def demos(text):
    """A demonstration, labelled demo-N, begins with its parameters and has an explorer."""
    for number, line in enumerate(text.split("\n"), start=1):
        if re.match(r"^\(demo(?!-\d+\)=$)", line):
            yield number, f"a demo's label is (demo-N)= on its own line, not {line}"
    cells = {}
    for number, block in blocks(text):
        if block.kind == "target" and block.name.startswith("demo-"):
            cells[number] = []
        elif block.name == "code-cell" and cells:
            cells[max(cells)].append(block)
    for number, of_demo in cells.items():
        if not of_demo or "parameters" not in str(of_demo[0].options.get("tags")):
            yield number, "a demo begins with its parameters: tag the cell `parameters`"
        if not any("explore.explore(" in line for b in of_demo for line in b.lines):
            yield number, EXPLORER.format("demo")


def exercises(text):
    """An exercise says what it trains, how hard it is and how long it takes; it has a solution."""
    found, end = blocks(text), "{exercise-end}"
    solved = {b.argument for _, b in found if b.name == "solution-start"}
    for number, block in found:
        if block.name == "exercise-start":
            body = "\n".join(text.split("\n")[number:]).partition(end)[0]
            if not re.search(r"[Tt]rains\b", body) or not re.search(
                r"[Aa]bout \d+ minutes", body
            ):
                yield number, 'an exercise begins with "*Trains: ... About N minutes.*"'
            if not re.search(r"\b(Easy|Medium|Hard)\.", body):
                yield number, "an exercise says how hard it is: Easy. Medium. Hard."
            if block.label not in solved:
                yield number, "an exercise without a solution: add {solution-start}"
        if block.name == "solution-start" and "dropdown" not in str(block.options):
            yield number, "a solution is folded: add `:class: dropdown`"


def lecture(text):
    """What every lecture has, in its order."""
    titles = [title for _, title in headings(text)]
    names = [block.name for _, block in blocks(text)]
    if names.count("prerequisites") != 1:
        yield 1, "a lecture has one {prerequisites} box, below its opening question"
    if "Exercises" not in titles:
        yield 1, 'a lecture has a section "Exercises"'
    if titles[-1] != "What you can now do":
        yield len(text.split("\n")), 'a lecture ends with "## What you can now do"'
    if "explore.explore(" not in text:
        yield 1, EXPLORER.format("lecture")
    if "{term}`" not in text:
        yield 1, "link the field's words to the glossary where they come first: {term}"


def sitting(text):
    """A lecture is one sitting."""
    if (minutes := reading.of_page(text).reading) > LONGEST:
        yield (
            1,
            (
                f"{minutes} minutes without its exercises, more than {LONGEST}: split the"
                " lecture, fold proofs (`:class: dropdown`) and code, or cut"
            ),
        )


def questions(text):
    """A lecture asks two to four questions that answer."""
    asked = sum(block.name == "question" for _, block in blocks(text))
    if not 2 <= asked <= 4:
        yield 1, f"a lecture asks two to four {{question}}s that answer, not {asked}"


PAGE = (
    code_points,
    spelling,
    timings,
    numbers,
    roles,
    brackets,
    sentence_case,
    figures,
    inks,
    demos,
    exercises,
)
LECTURE = (lecture, sitting, visible.complaints, questions)


def complaints(name, text, chapter=False):
    """All complaints about one page, in the order of its lines."""
    checks = (*PAGE, *LECTURE) if chapter else PAGE
    try:
        found = {Complaint(name, *place) for check in checks for place in check(text)}
    except myst.MystError as error:  # then nothing after that place can be told apart
        opened = str(error).removesuffix(" is never closed")
        lines = [line.strip() for line in text.split("\n")]
        place = len(lines) - lines[::-1].index(opened) if opened in lines else 1
        found = [Complaint(name, place, str(error))]
    return sorted(found)


def main():
    chapters = {page.name: page.chapter is not None for page in course.pages()}
    names = [argument.removesuffix(".md") for argument in sys.argv[1:]] or chapters
    found = []
    for name in names:
        path = course.ROOT / f"{name}.md"
        if not path.exists():
            sys.exit(f"there is no page {name}.md: name it from the repository's root")
        if name not in chapters and name != "book/template":
            sys.exit(f'{name}.md is not in _toc.yml: add "- file: {name}" to a part')
        found += complaints(
            f"{name}.md", path.read_text(encoding="utf-8"), chapters.get(name, False)
        )
    for complaint in found:
        print(complaint)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
