"""Rewrite MyST Markdown as the plain Markdown that Jupyter, Colab and GitHub show.

Two passes. `collect` walks the pages in reading order and gives every label its kind, number and
title, counting as Sphinx does (tests/test_notebooks.py compares the two). `Writer` then rewrites
the text: directives become quotes, headings or foldable blocks, roles become numbers and links.
What lectures do not write is not known here, and is an error with its place, never raw text in a
twin: CONTRIBUTING.md lists what is known.

Why not sphinx-tojupyter: what it writes has to be mended in seven places (dates, cell ids, tags,
exercise headings, solutions, page-local links, captions), and rebuilds the whole book to make one
twin. Rewriting the source keeps the author's Markdown as it stands and takes a second.
"""

import posixpath
import re
import unicodedata
from typing import NamedTuple

import yaml
from docutils.nodes import make_id

from tools import questions

TITLED = {"admonition", "margin"}  # the argument is a title
THEOREMS = {"theorem", "lemma", "corollary", "proposition", "definition"}
VERBATIM = {"code", "math", "code-cell", "eval-rst"}  # hold no Markdown
OPTIONS = {"label", "class"}  # of directives that a twin shows
GLOSSARY = "book/reference/glossary"

FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,}|:{3,})(?P<info>.*)$")
DIRECTIVE = re.compile(r"^\{(?P<name>[^}\s]+)\}[ \t]*(?P<argument>.*)$")
OPTION = re.compile(r"^:(?P<key>[\w-]+):[ \t]*(?P<value>.*)$")
TARGET = re.compile(r"^\((?P<label>[^()\s]+)\)=\s*$")
HEADING = re.compile(r"^(?P<marks>#{1,6})\s+(?P<title>.*?)\s*#*\s*$")
MATH_END = re.compile(r"\$\$\s*(?:\((?P<label>[^()\s]+)\))?\s*$")
INLINE = re.compile(
    r"""
    (?P<escape>\\.)
  | \{(?P<role>[A-Za-z][\w:.+-]*)\}(?P<ticks>`+)(?P<content>(?:(?!\n\s*\n).)+?)(?<!`)(?P=ticks)(?!`)
  | (?P<code>(?P<marks>`+)(?:(?!\n\s*\n).)+?(?<!`)(?P=marks)(?!`))
  | (?P<math>\$\$(?:\\.|[^$\\])+\$\$|\$(?!\s)(?:\\.|[^$\\])+?(?<!\s)\$(?!\d))
  | \[(?P<text>(?:[^\[\]\\`]|\\.|`[^`]*`)*)\]\((?P<target>[^()\s]+)\)
    """,
    re.VERBOSE | re.DOTALL,
)
RAW = re.compile(  # what must not be left in a twin
    r"^\s*>?\s*:{3,}|^\s*>?\s*[`~]{3,}\s*\{|^\([^()\s]+\)=\s*$|^%|^\+\+\+|\[\^[^\]\s]+\]"
    r"|\$\$\s*\([^()\s]+\)\s*$|\{[A-Za-z][\w:.+-]*\}`|^:[\w-]+:(\s|$)|<project:|\{\{\s*\w+\s*\}\}",
    re.MULTILINE,
)


class MystError(ValueError):
    """A page holds what a twin cannot show."""


class Block(NamedTuple):
    """A stretch of a page: text, code, comment, target, math or directive."""

    kind: str
    lines: list[str]
    line: int  #: its first one's number in what was parsed, from 0
    name: str = ""  #: of the directive; of the label for target and math
    argument: str = ""
    options: dict = {}  # noqa: RUF012 (never changed)

    @property
    def label(self):
        """Its own label, or an empty string."""
        own = self.name if self.kind == "math" else self.options.get("label")
        return str(own or "")


class Label(NamedTuple):
    """What a cross-reference can point to."""

    kind: str  #: page, section, equation, figure, exercise, or a theorem's kind
    page: str
    label: str
    number: str = ""
    title: str = ""

    @property
    def text(self):
        """What a reference to it reads."""
        if self.kind == "equation":
            return f"({self.number})"
        return self.title or f"{self.kind.title()} {self.number}".strip()


# ------------------------------------------------------------------------------ reading


def parse(text):
    """Split Markdown into blocks, looking no deeper than the outermost fences."""
    lines, blocks, i = text.split("\n"), [], 0
    while i < len(lines):
        line = lines[i]
        fence = FENCE.match(line)
        if fence and not (fence["fence"][0] == "`" and "`" in fence["info"]):
            end = fence_end(lines, i)
            blocks.append(fenced(fence, lines[i + 1 : end - 1], i))
            i = end
        elif line.startswith("$$"):
            start, body, i = i, [line[2:]], i + 1
            while not (end := MATH_END.search(body[-1])):
                if i == len(lines):
                    raise MystError("$$ is never closed")
                body.append(lines[i])
                i += 1
            body[-1] = body[-1][: end.start()]
            body = "\n".join(body).strip().split("\n")
            blocks.append(Block("math", body, start, end["label"] or ""))
        else:
            if match := TARGET.match(line):
                blocks.append(Block("target", [], i, match["label"]))
            elif line.startswith("%"):
                blocks.append(Block("comment", [], i))
            elif blocks and blocks[-1].kind == "text":
                blocks[-1].lines.append(line)
            else:
                blocks.append(Block("text", [line], i))
            i += 1
    return blocks


def fence_end(lines, i):
    """Number of the line after the fence that closes the one in line i."""
    fence = FENCE.match(lines[i])["fence"]
    closing = re.compile(rf"^\s*{re.escape(fence[0])}{{{len(fence)},}}\s*$")
    for j in range(i + 1, len(lines)):
        if closing.match(lines[j]):
            return j + 1
    raise MystError(f"{lines[i].strip()} is never closed")


def fenced(fence, body, line):
    """The block of a fence: a directive, or code."""
    info = fence["info"].strip()
    if not (directive := DIRECTIVE.match(info)):
        return Block("code", [fence["fence"] + info, *body, fence["fence"]], line)
    options, body = split_options(body)
    argument = directive["argument"].strip()
    return Block("directive", body, line, directive["name"], argument, options)


def walk(text, start=1):
    """(line number, block) of all blocks, also of those within directives; text line by line."""
    for block in parse(text):
        if block.kind == "text":
            for i, line in enumerate(block.lines):
                yield start + block.line + i, block._replace(lines=[line])
            continue
        yield start + block.line, block
        if block.kind == "directive" and block.name not in VERBATIM:
            below = text.split("\n")[block.line + 1 :]
            skipped = len(below) - len(split_options(below)[1])
            inside = start + block.line + 1 + skipped
            yield from walk("\n".join(block.lines), inside)


def split_options(body):
    """Take a directive's options, `:key: value` lines or a YAML block, off its body."""
    if body and body[0].strip() == "---":
        end = next((i for i in range(1, len(body)) if body[i].strip() == "---"), None)
        if end is None:
            raise MystError("a directive's --- is never closed")
        return yaml.safe_load("\n".join(body[1:end])) or {}, body[end + 1 :]
    options = {}
    while body and (match := OPTION.match(body[0])):
        options[match["key"]] = match["value"].strip()
        body = body[1:]
    return options, body


def title_of(text):
    """The first heading of a page."""
    for block in parse(text):
        if block.kind == "text":
            for line in block.lines:
                if match := HEADING.match(line):
                    return match["title"]
    raise MystError("the page has no heading")


def glossary_terms(text):
    """The terms that a page's {glossary} defines, in lower case -> their anchors."""
    return {
        line.strip().lower(): term_anchor(line.strip())
        for block in parse(text)
        if block.kind == "directive" and block.name == "glossary"
        for line in block.lines
        if line.strip() and not line.startswith((" ", "\t"))
    }


def term_anchor(term):
    """The id that Sphinx gives to a term: letters and digits of ASCII, the rest hyphens."""
    ascii_only = unicodedata.normalize("NFKD", term).encode("ascii", "ignore").decode()
    return "term-" + re.sub(r"[^a-zA-Z0-9._]+", "-", ascii_only).strip("-")


# ---------------------------------------------------------------------------- numbering


class Numbers:
    """Counts figures, equations, theorems and exercises as Sphinx's numfig does.

    In a numbered chapter the count starts anew and carries the chapter's number; pages without a
    number share one count.
    """

    def __init__(self):
        self.counts = {}
        self.given = {}  # page -> its numbers, in the order of its text

    def next(self, kind, page):
        # Theorems, lemmas and their like are found by one count (_config.yml says so to Sphinx).
        counted = ("theorem" if kind in THEOREMS else kind, page.chapter)
        count = self.counts[counted] = self.counts.get(counted, 0) + 1
        number = f"{page.chapter}.{count}" if page.chapter else str(count)
        self.given.setdefault(page.name, []).append(number)
        return number


def numbered_kind(block):
    """Kind under which a block is counted, or None."""
    if block.kind == "math" or block.name == "math":
        return "equation" if block.label else None
    if block.name == "exercise-start":
        return "exercise"
    kind = block.name.removeprefix("prf:")
    return kind if block.kind == "directive" and kind in THEOREMS else None


def collect(text, page, numbers, labels):
    """Enter the labels of a stretch of a page into `labels`, in the order of the text."""
    pending = []  # targets wait for what they stand before
    for block in parse(text):
        if block.kind == "target":
            pending.append(block.name)
            continue
        found = Label("", page.name, "")
        if block.kind == "text":
            lines = [line for line in block.lines if line.strip()]
            if not lines:
                continue
            if heading := HEADING.match(lines[0]):
                found = Label("section", page.name, "", title=plain(heading["title"]))
        elif kind := numbered_kind(block):
            found = Label(kind, page.name, "", numbers.next(kind, page))
        for name in [*pending, *filter(None, [block.label])]:
            enter(labels, found._replace(label=name))
        pending = []
        if block.kind == "directive" and block.name not in VERBATIM:
            collect("\n".join(block.lines), page, numbers, labels)


def collect_figure(metadata, page, numbers, labels):
    """Number the figure of a code cell, if it has a caption."""
    if figure := metadata.get("mystnb", {}).get("figure"):
        number = numbers.next("figure", page)
        if figure.get("name"):
            enter(labels, Label("figure", page.name, figure["name"], number))


def enter(labels, label):
    if label.label in labels:
        raise MystError(f"the label {label.label} stands twice")
    labels[label.label] = label


def plain(text):
    """A heading's text, as a link to it shows it."""
    return re.sub(r"[*_]{1,2}(\S[^*_]*)[*_]{1,2}", r"\1", text)


# ------------------------------------------------------------------------------ writing


class Course(NamedTuple):
    """What a page's twin must know of the other pages."""

    repository: NamedTuple
    titles: dict  #: name of each page, in reading order -> its title
    twins: set  #: names of the pages that have one
    labels: dict  #: label -> Label
    numbers: Numbers  #: as `collect` gave them
    terms: dict  #: of the glossary: term in lower case -> its anchor
    works: dict  #: key -> (authors, year, address or None)


class Writer:
    """Rewrites one page, from top to bottom."""

    def __init__(self, page, course, time, place):
        self.page = page
        self.course = course
        self.numbers = iter(course.numbers.given.get(page.name, []))
        self.time = time  # that the page takes, in words
        self.place = place  # of the page in the course: lecture and part, in words
        self.level = 1  # of the last heading
        self.solution = ""  # title of the solution that is open

    # Blocks

    def cell(self, source):
        """Rewrite a cell of Markdown; the text of a solution that spans cells is folded."""
        outside, *rest = re.split(f"{SOLUTION}(.*?){SOLUTION}", self.text(source))
        parts = [self.solved(outside, ", continued")]
        for title, text in zip(rest[::2], rest[1::2], strict=True):
            self.solution = title
            parts.append(self.solved(text, ""))
        return "\n\n".join(filter(None, parts))

    def solved(self, text, suffix):
        text = text.strip("\n")
        return fold(self.solution + suffix, text) if self.solution and text else text

    def text(self, source):
        """Rewrite a stretch of Markdown."""
        parts = []
        for block in parse(source):
            if block.kind == "text":
                parts.append(self.inline("\n".join(block.lines)))
                for line in block.lines:
                    if match := HEADING.match(line):
                        self.level = len(match["marks"])
            elif block.kind == "code":
                parts.append("\n".join(block.lines))
            elif block.kind == "target":
                parts.append(f"{anchor(block.name)}\n")
            elif block.kind == "math":
                parts.append(self.equation(block))
            elif block.kind == "directive":
                parts.append(self.directive(block))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip("\n")

    def body(self, block):
        level = self.level
        text = self.text("\n".join(block.lines))
        self.level = level
        return text

    def equation(self, block):
        """A displayed formula; a labelled one carries its number as a tag."""
        formula = "\n".join(block.lines).strip()
        if r"\\" in formula and not formula.startswith(r"\begin{"):
            formula = f"\\begin{{aligned}}\n{formula}\n\\end{{aligned}}"
        if not block.label:
            return f"$$\n{formula}\n$$"
        number = next(self.numbers)
        return f"{anchor(block.label)}\n\n$$\n{formula}\n\\tag{{{number}}}\n$$"

    def directive(self, block):
        name, title = block.name, self.inline(block.argument)
        if unknown := set(block.options) - OPTIONS:
            raise MystError(f"{{{name}}} has the option {min(unknown)}: {NO_FORM}")
        if name == "math":
            return f"\n{self.equation(block)}\n"
        number = next(self.numbers) if numbered_kind(block) else ""
        mark = f"\n{anchor(block.label)}\n\n" if block.label else "\n"
        if name in TITLED:
            head = f"**{title}**\n\n" if title else ""
            return mark + quote(head + self.body(block)) + "\n"
        if name == "dropdown":
            return mark + fold(title, self.body(block)) + "\n"
        if name == "prf:proof":
            if "dropdown" in str(block.options.get("class", "")):
                return mark + fold("Proof", f"{self.body(block)} ∎") + "\n"
            return f"{mark}**Proof.** {self.body(block)} ∎\n"
        if name == "question":
            return f"{mark}{self.question(block)}\n"
        if name.removeprefix("prf:") in THEOREMS:
            head = f"**{name[4:].title()} {number}**" + (f" ({title})" if title else "")
            return mark + quote(f"{head}\n\n{self.body(block)}") + "\n"
        if name == "exercise-start":
            head = f"Exercise {number}" + (f": {title}" if title else "")
            marks = "#" * min(self.level + 1, 6)
            return f"{mark}{marks} {head}\n\n{self.body(block)}\n"
        if name == "solution-start":
            exercise = self.find(block.argument).text
            return f"{mark}{SOLUTION}Solution to {exercise}{SOLUTION}\n"
        if name == "solution-end":
            return f"\n{SOLUTION}{SOLUTION}\n"
        if name == "exercise-end":
            return ""
        if name == "prerequisites":
            first = next(iter(self.course.titles))  # the landing page
            course = f"[{self.course.titles[first]}]({self.page_address(first)})"
            lines = (
                f"**{self.place[0]}** in {course}, {self.place[1]}",
                f"**Time**: {self.time}",
                f"**Before**: {self.body(block)}",
            )
            return "\n" + quote("\n\n".join(lines))
        if name == "nb-exec-table":
            page = f"[published page]({self.published(self.page.name)})"
            return f"The table of run times stands on the {page}."
        raise MystError(f"the directive {{{name}}} {NO_FORM}")

    def question(self, block):
        """A question; each choice opens its feedback."""
        try:
            found = questions.choices(block.lines)
        except ValueError as error:
            raise MystError(str(error)) from None
        parts = [f"**Question.** {self.inline(block.argument)}"]
        parts += [
            fold(plain(one.text), f"**{one.verdict}** {self.inline(one.feedback)}")
            for one in found
        ]
        return "\n\n".join(parts)

    # Text

    def inline(self, source):
        """Rewrite roles and links; code and formulas stay as they are."""
        return INLINE.sub(self.replace, source)

    def replace(self, match):
        if match["role"]:
            return self.role(match["role"], " ".join(match["content"].split()))
        if match["target"]:
            return self.link(self.inline(match["text"]), match["target"])
        return match[0]

    def role(self, role, content):
        explicit = re.match(r"^(?P<text>.+?)\s*<(?P<target>[^<>]+)>$", content)
        text, target = explicit.groups() if explicit else ("", content)
        if role in ("eq", "ref", "prf:ref", "numref"):
            label = self.find(target)
            if role == "eq" and label.kind != "equation":
                kind = label.kind or "place"
                raise MystError(f"the label {target} is of a {kind}, not an equation")
            if not (shown := text or label.text):
                raise MystError(f"a reference to {target} needs a text of its own")
            return f"[{shown}]({self.address(label)})"
        if role == "doc":
            name = self.page_name(target)
            return f"[{text or self.course.titles[name]}]({self.page_address(name)})"
        if role in ("cite", "cite:t"):
            return self.citation(content, in_text=role == "cite:t")
        if role == "term":
            # Sphinx, too, is deaf to case there.
            if not (place := self.course.terms.get(target.lower())):
                raise MystError(f"{target} is not in the glossary, {GLOSSARY}.md")
            return f"[{text or target}]({self.published(GLOSSARY)}#{place})"
        raise MystError(f"the role {{{role}}} {NO_FORM}")

    def link(self, text, target):
        """A Markdown link: to the web, or to another page."""
        if re.match(r"^(https?|mailto):", target):
            return f"[{text}]({target})"
        return f"[{text}]({self.page_address(self.page_name(target))})"

    def citation(self, keys, in_text):
        cited = []
        for key in map(str.strip, keys.split(",")):
            if key not in self.course.works:
                raise MystError(f"{key} is not in book/references.bib")
            authors, year, address = self.course.works[key]
            address = address or self.published("book/reference/bibliography")
            shown = f"{authors} ({year})" if in_text else f"{authors}, {year}"
            cited.append(f"[{shown}]({address})")
        return ", ".join(cited) if in_text else f"({'; '.join(cited)})"

    # Where things are

    def find(self, name):
        if name not in self.course.labels:
            raise MystError(f"there is no label {name}")
        return self.course.labels[name]

    def address(self, label):
        page = "" if label.page == self.page.name else self.page_address(label.page)
        return f"{page}#{make_id(label.label)}"

    def page_address(self, name):
        if name in self.course.twins:
            return posixpath.relpath(name, posixpath.dirname(self.page.name)) + ".ipynb"
        return self.published(name)

    def published(self, name):
        return f"{self.course.repository.site}/{name}.html"

    def page_name(self, path):
        """The page that a path relative to this one names."""
        beside = posixpath.join(posixpath.dirname(self.page.name), path)
        name = posixpath.normpath(beside).removesuffix(".md")
        if name not in self.course.titles:
            raise MystError(f"there is no page {path}")
        return name


NO_FORM = "has no form in a twin (tools/myst.py)"
SOLUTION = "\x02"  # stands around the title where a solution begins; around nothing where it ends


def anchor(label):
    """A place that a link in the same notebook finds: by name in Colab, by id in Jupyter."""
    return f'<a name="{make_id(label)}" id="{make_id(label)}"></a>'


def quote(text):
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def fold(title, text):
    """Text that opens on a click. The blank lines let Markdown be read inside."""
    return f"<details>\n<summary><b>{title}</b></summary>\n\n{text}\n\n</details>"


def raw_myst(text):
    """What is left of MyST in a twin's Markdown, or None; code does not count."""
    fence, outside = None, []
    for line in text.split("\n"):
        match = re.match(r"^[\s>]*(`{3,}|~{3,})(.*)$", line)
        if fence is None and match and not match[2].startswith("{"):
            fence = match[1]
        elif fence and match and match[1].startswith(fence) and not match[2].strip():
            fence = None
        elif fence is None:
            outside.append(line)
    prose = re.sub(r"(?<!\})(`+)(?!`).+?(?<!`)\1(?!`)", "", "\n".join(outside))
    match = RAW.search(prose)
    return match[0].strip() if match else None
