"""The style that drifts when nobody looks: `python -m tools.style [PAGE.md ...]` (all pages).

Each complaint is one line that says where and what to do. tests/test_style.py keeps the book clean.
"""

import ast
import re
import sys
import unicodedata
from typing import NamedTuple

from tools import course, myst

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
    "Bellman", "CPU", "Carlo", "Colab", "EOQ", "GPU", "Greek", "I", "II", "III", "Inventory", "JAX",
    "Little", "MDPax", "Markov", "Monte", "Numba", "NumPy", "Palm", "Part", "Poisson", "Python", "Q",
    "R", "S", "SCV", "SimPy", "Theory",
}  # fmt: skip


class Complaint(NamedTuple):
    page: str  #: path from the root
    line: int
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}: {self.text}"


# ------------------------------------------------------------------------------- prose


def prose(text):
    """(number, line) of each line that readers read as text: no code, formulas or options."""
    lines = text.split("\n")
    start = lines.index("---", 1) + 1 if lines[0] == "---" else 0
    fences, in_math = [], False
    for number, line in enumerate(lines[start:], start=start + 1):
        stripped = line.strip()
        if match := myst.FENCE.match(line):
            fence, info = match["fence"], match["info"].strip()
            directive = myst.DIRECTIVE.match(info)
            if fences and not info and fences[-1][0].startswith(fence[0]):
                fences.pop()
                continue
            if not (fence[0] == "`" and "`" in info):
                name = directive["name"] if directive else "code"
                fences.append((fence, name))
                if directive and name not in myst.VERBATIM:
                    yield number, _bare(directive["argument"])
                continue
        if any(name in myst.VERBATIM for _, name in fences):
            continue
        if stripped.startswith("$$") or in_math:
            in_math ^= stripped.count("$$") % 2 == 1
            continue
        if fences and myst.OPTION.match(stripped) and not stripped.startswith(":::"):
            key, value = myst.OPTION.match(stripped).groups()
            if key.endswith(("alt", "caption")):
                yield number, _bare(value)
            continue
        yield number, _bare(line)


def _bare(line):
    """A line without inline code, formulas, roles' targets and addresses."""
    line = re.sub(r"\{(?:term|doc|ref)\}`([^`<]*?)\s*<[^`]*>`", r"\1", line)
    line = re.sub(r"\{term\}`([^`]*)`", r"\1", line)
    line = re.sub(r"(?:\{[\w:.+-]+\})?(`+)[^`].*?\1", "x", line)
    line = re.sub(r"\$(?!\s)[^$]+?(?<!\s)\$(?!\d)", "x", line)
    line = re.sub(r"\]\([^()]*\)", "]", line)
    line = re.sub(r"https?://\S+|^\([\w-]+\)=$", " ", line)
    return re.sub(r"</?[A-Za-z][^<>]*>", " ", line)


def texts(text):
    """Prose, and what stands below the figures that cells draw."""
    yield from prose(text)
    for number, block in directives(text):
        mystnb = (block.options or {}).get("mystnb") or {}
        for key, of in (("figure", "caption"), ("image", "alt")):
            yield number, _bare(str((mystnb.get(key) or {}).get(of) or ""))


def headings(text):
    """(number, title) of each heading."""
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
    for number, line in texts(text):
        for pattern, term in TERMS.items():
            if match := re.search(pattern, line, re.IGNORECASE):
                yield number, f'the course writes "{term}", not "{match[0]}"'


def timings(text):
    lines = text.split("\n")
    for number, line in texts(text):
        cited = "{cite" in lines[number - 1]  # others' numbers, with their source
        if (match := TIMING.search(line)) and not cited:
            yield (
                number,
                f'"{match[0]}" is typed by hand: let a cell measure and display it',
            )


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


def figures(text):
    """Every figure has a caption, a name and an alt text."""
    for number, block in directives(text):
        if block.name == "code-cell":
            options = block.options or {}
            mystnb = options.get("mystnb") or {}
            source = "\n".join(block.lines)
            if not mystnb.get("figure"):
                if draws(source):
                    yield (
                        number,
                        "a figure without a caption: add `mystnb: figure: {name, caption}` "
                        "and `image: alt` to the cell",
                    )
                continue
            for key in ("caption", "name"):
                if not str(mystnb["figure"].get(key) or "").strip():
                    yield (
                        number,
                        f"a figure without a {key}: add it to `mystnb: figure:`",
                    )
            if (
                "explore(" not in source
                and not str((mystnb.get("image") or {}).get("alt") or "").strip()
            ):
                yield number, "a figure without an alt text: add `mystnb: image: alt:`"
        elif block.name in ("figure", "image"):
            if not block.options.get("alt", "").strip():
                yield number, "a picture without an alt text: add `:alt:`"
            if block.name == "figure" and not block.options.get("name"):
                yield number, "a figure without a name: add `:name:`"
            if block.name == "figure" and not "".join(block.lines).strip():
                yield number, "a figure without a caption: write it into the directive"
        elif "img-top" in (block.options or {}) and not block.options.get("img-alt"):
            yield number, "a card's picture without an alt text: add `:img-alt:`"
    for number, line in prose(text):
        if re.search(r"!\[\s*\]", line):
            yield number, "a picture without an alt text: write it between [ and ]"
    for number, line in enumerate(text.split("\n"), start=1):
        if "<img " in line and "alt=" not in line:
            yield number, "a picture without an alt text: give the <img> one"


def draws(source):
    """Whether a cell shows a figure itself, rather than define what may."""
    try:
        waiting = list(ast.parse(source).body)
    except SyntaxError:  # a magic: no cell that draws has one
        return False
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".show"):
            return True
        waiting += ast.iter_child_nodes(node)
    return False


def demos(text):
    """A demonstration, labelled demo-N, begins with its parameters and has an explorer."""
    blocks = list(directives(text))
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if re.match(r"^\(demo(?!-\d+\)=$)", line):
            yield (
                number,
                f"a demo's label is (demo-N)=, on a line of its own, not {line}",
            )
    places = [i for i, x in enumerate(lines, 1) if re.match(r"^\(demo-\d+\)=$", x)]
    for place, end in zip(places, [*places[1:], len(lines)], strict=False):
        cells = [b for n, b in blocks if place < n < end and b.name == "code-cell"]
        if not cells or "parameters" not in str((cells[0].options or {}).get("tags")):
            yield (
                place,
                "a demo begins with a cell of its parameters: tag it `parameters`",
            )
        if not any("explore.explore(" in line for b in cells for line in b.lines):
            yield place, "a demo has an explorer: see lectures_helpers.teaching.explore"


def exercises(text):
    """An exercise says what it trains and how long it takes, and has a solution."""
    solved = {b.argument for _, b in directives(text) if b.name.startswith("solution")}
    lines = text.split("\n")
    for number, block in directives(text):
        if block.name not in ("exercise", "exercise-start"):
            continue
        end = next(
            (
                i
                for i in range(number, len(lines))
                if re.match(r"^\s*[`:]{3,}(\{exercise-end\})?", lines[i])
                and (block.name == "exercise" or "exercise-end" in lines[i])
            ),
            len(lines),
        )
        body = "\n".join(lines[number:end])
        if not re.search(r"[Tt]rains\b", body) or not re.search(
            r"[Aa]bout \d+ minutes", body
        ):
            yield number, 'an exercise begins with "*Trains: ... About N minutes.*"'
        if block.options.get("label") not in solved:
            yield number, "an exercise without a solution: add a {solution}"
    for number, block in directives(text):
        folded = "dropdown" in str((block.options or {}).get("class"))
        if block.name in ("solution", "solution-start") and not folded:
            yield number, "a solution is folded: add `:class: dropdown`"


def lecture(text):
    """What every lecture has, in its order."""
    titles = [title for _, title in headings(text)]
    names = [block.name for _, block in directives(text)]
    if names.count("prerequisites") != 1:
        yield 1, "a lecture has one {prerequisites} box, below its opening question"
    if "Exercises" not in titles:
        yield 1, 'a lecture has a section "Exercises"'
    if titles[-1] != "What you can now do":
        yield len(text.split("\n")), 'a lecture ends with "## What you can now do"'
    if "explore.explore(" not in text:
        yield 1, "a lecture has an explorer: see lectures_helpers.teaching.explore"
    if "{term}`" not in text:
        yield 1, "link the field's words to the glossary where they come first: {term}"


def directives(text):
    """(line, block) of every directive, however deep."""
    lines = text.split("\n")
    place = 0
    for i, line in enumerate(lines):
        match = myst.FENCE.match(line)
        if not match or not myst.DIRECTIVE.match(match["info"].strip()):
            continue
        if i < place:
            continue
        (block, *_) = [
            b
            for b in myst.parse("\n".join(lines[i : _end(lines, i)]))
            if b.kind == "directive"
        ]
        if block.name in myst.VERBATIM:
            place = _end(lines, i)
        yield i + 1, block


def _end(lines, i):
    """Index after the fence that closes the one in line i."""
    fence = myst.FENCE.match(lines[i])["fence"]
    closing = re.compile(rf"^\s*{re.escape(fence[0])}{{{len(fence)},}}\s*$")
    return next(
        (j + 1 for j in range(i + 1, len(lines)) if closing.match(lines[j])), len(lines)
    )


PAGE = (code_points, spelling, timings, sentence_case, figures, demos, exercises)


def complaints(name, text, chapter=False):
    """All complaints about one page, in the order of its lines."""
    try:
        myst.parse(text)
    except myst.MystError as error:  # then nothing after that place can be told apart
        opened = str(error).removesuffix(" is never closed")
        lines = [line.strip() for line in text.split("\n")]
        place = len(lines) - lines[::-1].index(opened) if opened in lines else 1
        return [Complaint(name, place, str(error))]
    checks = (*PAGE, lecture) if chapter else PAGE
    found = {Complaint(name, *place) for check in checks for place in check(text)}
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
