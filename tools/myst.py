"""Rewrite MyST Markdown as the plain Markdown that Jupyter, Colab and GitHub show.

Two passes. `collect` walks the pages in reading order and gives every label its kind, number and
title, counting as Sphinx does (tests/test_notebooks.py compares the two). `Writer` then rewrites
the text: directives become quotes, headings or foldable blocks, roles become numbers and links.
A directive or role that is not known here is an error with its place, never raw text in a twin.

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

ADMONITIONS = {
    "note": "Note",
    "tip": "Tip",
    "hint": "Hint",
    "important": "Important",
    "attention": "Attention",
    "caution": "Caution",
    "warning": "Warning",
    "danger": "Danger",
    "error": "Error",
    "seealso": "See also",
}
TITLED = {"admonition", "margin", "sidebar", "topic"}  # the argument is a title
QUOTES = {"epigraph", "pull-quote", "highlights"}
FOLDED = {"dropdown"}
CARDS = {"card", "grid-item-card", "tab-item"}
CONTAINERS = {"grid", "grid-item", "tab-set", "div"}
THEOREMS = {
    "algorithm", "assumption", "axiom", "conjecture", "corollary", "criterion", "definition",
    "example", "lemma", "notation", "observation", "property", "proposition", "remark", "theorem",
}  # fmt: skip
CODE = {"code", "code-block", "sourcecode"}
VERBATIM = CODE | {"math", "code-cell", "eval-rst", "raw"}  # hold no Markdown
DROPPED = {"contents", "tableofcontents", "index"}
PAGE_ONLY = {
    "nb-exec-table": "The table of run times",
    "bibliography": "The bibliography",
}
GLOSSARY = "book/reference/glossary"
PYTHON_ROLES = {"func", "class", "meth", "attr", "mod", "data", "obj", "exc"}

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,}|:{3,})(?P<info>.*)$")
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
  | (?P<image>!)?\[(?P<text>(?:[^\[\]\\`]|\\.|`[^`]*`)*)\]\((?P<target>[^()\s]+)\)
  | <project:(?P<project>[^>\s]+)>
  | \[\^(?P<footnote>[^\]\s]+)\](?P<definition>:)?
    """,
    re.VERBOSE | re.DOTALL,
)
RAW = re.compile(  # what must not be left in a twin
    r"^\s*>?\s*:{3,}|^\s*>?\s*[`~]{3,}\s*\{|^\([^()\s]+\)=\s*$|^%|^\+\+\+"
    r"|\$\$\s*\([^()\s]+\)\s*$|\{[A-Za-z][\w:.+-]*\}`|^:[\w-]+:(\s|$)|<project:|\{\{\s*\w+\s*\}\}",
    re.MULTILINE,
)


class MystError(ValueError):
    """A page holds what a twin cannot show."""


class Block(NamedTuple):
    """A stretch of a page: text, code, comment, target, math or directive."""

    kind: str
    lines: list[str]  #: what it holds, its indent taken off
    indent: str = ""
    name: str = ""  #: of the directive; of the label for target and math
    argument: str = ""
    options: dict | None = None


class Label(NamedTuple):
    """What a cross-reference can point to."""

    kind: str  #: page, section, equation, figure, table, exercise, solution, or a theorem's kind
    page: str
    label: str
    number: str = ""
    title: str = ""

    @property
    def text(self):
        """What a reference to it reads."""
        if self.kind == "equation":
            return f"({self.number})"
        if self.kind in ("page", "section"):
            return self.title
        if self.kind == "solution":
            return f"Solution to {self.title}"
        return f"{self.kind.title()} {self.number}".strip()


# ------------------------------------------------------------------------------ reading


def parse(text):
    """Split Markdown into blocks, looking no deeper than the outermost fences."""
    lines, blocks, i = text.split("\n"), [], 0

    def add_text(line):
        if blocks and blocks[-1].kind == "text":
            blocks[-1].lines.append(line)
        else:
            blocks.append(Block("text", [line]))

    while i < len(lines):
        line = lines[i]
        if match := FENCE.match(line):
            indent, fence, info = match["indent"], match["fence"], match["info"].strip()
            directive = DIRECTIVE.match(info)
            if (fence[0] == "`" and "`" in info) or (fence[0] == ":" and not directive):
                add_text(line)  # code within a line; or ::: that fences nothing
                i += 1
                continue
            closing = re.compile(rf"^\s*{re.escape(fence[0])}{{{len(fence)},}}\s*$")
            end = next(
                (j for j in range(i + 1, len(lines)) if closing.match(lines[j])), None
            )
            if end is None:
                raise MystError(f"{line.strip()} is never closed")
            body = [inner.removeprefix(indent) for inner in lines[i + 1 : end]]
            if directive:
                options, body = split_options(body)
                name, argument = directive["name"], directive["argument"].strip()
                blocks.append(Block("directive", body, indent, name, argument, options))
            else:
                blocks.append(Block("code", [fence + info, *body, fence], indent))
            i = end + 1
        elif line.lstrip().startswith("$$"):
            indent = line[: len(line) - len(line.lstrip())]
            rest = line.lstrip()[2:]
            body = []
            while not (match := MATH_END.search(rest)):
                body.append(rest)
                i += 1
                if i == len(lines):
                    raise MystError("$$ is never closed")
                rest = lines[i].removeprefix(indent)
            body.append(rest[: match.start()])
            body = "\n".join(body).strip().split("\n")
            blocks.append(Block("math", body, indent, match["label"] or ""))
            i += 1
        elif match := TARGET.match(line):
            blocks.append(Block("target", [], name=match["label"]))
            i += 1
        elif line.startswith("%"):
            blocks.append(Block("comment", []))
            i += 1
        else:
            add_text(line)
            i += 1
    return blocks


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
        self.counts[kind, page.chapter] = count = (
            self.counts.get((kind, page.chapter), 0) + 1
        )
        number = f"{page.chapter}.{count}" if page.chapter else str(count)
        self.given.setdefault(page.name, []).append(number)
        return number


def numbered_kind(block):
    """Kind under which a block is counted, or None."""
    if block.kind == "math":
        return "equation" if block.name else None
    if block.kind != "directive":
        return None
    options = block.options
    if block.name == "math":
        return "equation" if options.get("label") else None
    if block.name in ("exercise", "exercise-start"):
        return None if "nonumber" in options else "exercise"
    if block.name.startswith("prf:") and block.name[4:] in THEOREMS:
        return None if "nonumber" in options else block.name[4:]
    if block.name == "figure":
        return "figure" if "".join(block.lines).strip() else None
    if block.name in ("table", "list-table"):
        return "table" if block.argument else None
    if block.name in CODE:
        return "listing" if options.get("caption") else None
    return None


def label_of(block):
    """The block's own label, or an empty string."""
    if block.kind == "math":
        return block.name
    return str(
        (block.options or {}).get("label") or (block.options or {}).get("name") or ""
    )


def collect(text, page, numbers, labels):
    """Enter the labels of a stretch of a page into `labels`, in the order of the text."""
    pending = []  # targets wait for what they stand before
    for block in parse(text):
        if block.kind == "target":
            pending.append(block.name)
            continue
        found = []
        if block.kind == "text":
            lines = [line for line in block.lines if line.strip()]
            if not lines:
                continue
            heading = HEADING.match(lines[0])
            if heading:
                found = [Label("section", page.name, "", title=plain(heading["title"]))]
        elif block.kind in ("math", "directive"):
            kind = numbered_kind(block)
            number = numbers.next(kind, page) if kind else ""
            if block.name in ("exercise", "exercise-start"):
                kind = "exercise"
            if block.name in ("solution", "solution-start"):
                exercise = labels.get(block.argument)
                found = [
                    Label(
                        "solution",
                        page.name,
                        "",
                        title=exercise.text if exercise else "",
                    )
                ]
            elif kind:
                found = [Label(kind, page.name, "", number)]
        for name in [
            *pending,
            label_of(block) if block.kind in ("math", "directive") else "",
        ]:
            if name:
                enter(
                    labels,
                    (found or [Label("", page.name, "")])[0]._replace(label=name),
                )
        pending = []
        if block.kind == "directive" and block.name not in VERBATIM:
            collect("\n".join(block.lines), page, numbers, labels)
    for name in pending:
        enter(labels, Label("", page.name, name))


def collect_figure(metadata, page, numbers, labels):
    """Number the figure of a code cell, if it has a caption; returns the number."""
    figure = metadata.get("mystnb", {}).get("figure")
    if not figure:
        return ""
    number = numbers.next("figure", page)
    if figure.get("name"):
        enter(labels, Label("figure", page.name, figure["name"], number))
    return number


def enter(labels, label):
    if label.label in labels:
        raise MystError(f"the label {label.label} stands twice")
    labels[label.label] = label


def plain(text):
    """A heading's text, as a link to it shows it."""
    return re.sub(r"[*_]{1,2}(\S[^*_]*)[*_]{1,2}", r"\1", text)


# ------------------------------------------------------------------------------ writing


class Writer:
    """Rewrites one page, from top to bottom."""

    def __init__(
        self,
        page,
        labels,
        twins,
        titles,
        works,
        repository,
        numbers,
        terms,
        time,
        place,
    ):
        self.page = page
        self.labels = labels  # label -> Label, of all pages
        self.twins = twins  # names of the pages that have a twin
        self.titles = titles  # name of each page -> its title
        self.works = works  # key -> (authors, year, address), or address None
        self.repository = repository
        self.numbers = iter(numbers.given.get(page.name, []))  # as `collect` gave them
        self.terms = terms  # of the glossary: term in lower case -> its anchor
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
            if block.kind == "comment":
                continue
            if block.kind == "text":
                part = self.inline("\n".join(block.lines))
                for line in block.lines:
                    if match := HEADING.match(line):
                        self.level = len(match["marks"])
            elif block.kind == "code":
                part = "\n".join(block.lines)
            elif block.kind == "target":
                part = f"{anchor(block.name)}\n"
            elif block.kind == "math":
                part = self.equation("\n".join(block.lines), block.name)
            else:
                part = self.directive(block)
            if block.indent:
                part = indent(part, block.indent)
            parts.append(part)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip("\n")

    def body(self, block):
        level = self.level
        text = self.text("\n".join(block.lines))
        self.level = level
        return text

    def equation(self, formula, label):
        """A displayed formula; a labelled one carries its number as a tag."""
        formula = formula.strip()
        if r"\\" in formula and not formula.startswith(r"\begin{"):
            formula = f"\\begin{{aligned}}\n{formula}\n\\end{{aligned}}"
        if not label:
            return f"$$\n{formula}\n$$"
        number = next(self.numbers)
        return f"{anchor(label)}\n\n$$\n{formula}\n\\tag{{{number}}}\n$$"

    def directive(self, block):
        name, argument, options = block.name, block.argument, block.options
        kind = numbered_kind(block)
        if kind == "equation" or name == "math":
            formula = "\n".join([argument, *block.lines] if argument else block.lines)
            return "\n" + self.equation(formula, str(options.get("label", ""))) + "\n"
        number = next(self.numbers) if kind else ""
        mark = f"{anchor(label_of(block))}\n\n" if label_of(block) else ""
        folded = "dropdown" in re.split(r"[,\s]+", str(options.get("class", "")))

        if name in ADMONITIONS:
            content = "\n\n".join(
                filter(None, [self.inline(argument), self.body(block)])
            )
            return self.note(mark, ADMONITIONS[name], content, folded)
        if name in TITLED:
            return self.note(mark, self.inline(argument), self.body(block), folded)
        if name in QUOTES:
            return "\n" + mark + quote(self.body(block)) + "\n"
        if name in FOLDED:
            return self.note(
                mark, self.inline(argument) or "More", self.body(block), True
            )
        if name in CONTAINERS:
            return "\n" + mark + self.body(block) + "\n"
        if name in CARDS:
            return "\n" + mark + self.card(block) + "\n"
        if name == "prf:proof":
            return f"\n{mark}**Proof.** {self.body(block)} ∎\n"
        if name.startswith("prf:") and name[4:] in THEOREMS:
            head = f"**{name[4:].title()} {number}**".replace(" **", "**")
            head += f" ({self.inline(argument)})" if argument else ""
            return "\n" + mark + quote(f"{head}\n\n{self.body(block)}") + "\n"
        if name in ("exercise", "exercise-start"):
            head = f"Exercise {number}".strip() + (
                f": {self.inline(argument)}" if argument else ""
            )
            head = "#" * min(self.level + 1, 6) + " " + head
            return f"\n{mark}{head}\n\n{self.body(block)}\n"
        if name in ("solution", "solution-start"):
            exercise = self.find(argument)
            title = f"Solution to {exercise.text}"
            if name == "solution":
                return "\n" + mark + fold(title, self.body(block)) + "\n"
            return f"\n{mark}{SOLUTION}{title}{SOLUTION}\n"
        if name == "solution-end":
            return f"\n{SOLUTION}{SOLUTION}\n"
        if name == "exercise-end":
            return ""
        if name in ("figure", "image"):
            picture = f"![{options.get('alt', '')}]({self.picture(argument)})"
            caption = self.body(block)
            if kind:
                picture += f"\n\n*Figure {number}.* {caption}"
            return f"\n{mark}{picture}\n"
        if name in ("table", "list-table"):
            caption = f"*Table {number}.* {self.inline(argument)}\n\n" if kind else ""
            rows = self.body(block) if name == "table" else self.list_table(block)
            return f"\n{mark}{caption}{rows}\n"
        if name in CODE:
            caption = (
                f"*Listing {number}.* {self.inline(options['caption'])}\n\n"
                if kind
                else ""
            )
            return (
                "\n"
                + mark
                + caption
                + "\n".join(["```" + argument, *strip_blank(block.lines), "```"])
            )
        if name == "prerequisites":
            first = next(iter(self.titles))  # the landing page
            course = f"[{self.titles[first]}]({self.page_address(first)})"
            lines = (
                f"**{self.place[0]}** in {course}, {self.place[1]}",
                f"**Time**: {self.time}",
                f"**Before**: {self.body(block)}",
            )
            return "\n" + quote("\n\n".join(lines))
        if name in PAGE_ONLY:
            return f"{PAGE_ONLY[name]} stands on the [published page]({self.published(self.page.name)})."
        if name in DROPPED:
            return ""
        raise MystError(
            f"the directive {{{name}}} has no form in a twin (tools/myst.py)"
        )

    def note(self, mark, title, content, folded):
        if folded:
            return "\n" + mark + fold(title, content) + "\n"
        head = f"**{title}**\n\n" if title else ""
        return "\n" + mark + quote(head + content) + "\n"

    def card(self, block):
        title, link = self.inline(block.argument), str(block.options.get("link", ""))
        if title and link:
            if block.options.get("link-type") == "doc":
                link = self.page_address(self.page_name(link))
            elif block.options.get("link-type") == "ref":
                link = self.address(self.find(link))
            title = f"[{title}]({link})"
        return "\n\n".join(
            filter(None, [f"**{title}**" if title else "", self.body(block)])
        )

    def list_table(self, block):
        """A list of lists as a Markdown table; its first row is the head."""
        rows = []
        for line in "\n".join(block.lines).split("\n"):
            if match := re.match(r"^\* - ?(.*)$", line):
                rows.append([match[1]])
            elif match := re.match(r"^  - ?(.*)$", line):
                rows[-1].append(match[1])
            elif line.strip():
                rows[-1][-1] += " " + line.strip()
        rows.insert(1, [":---"] * len(rows[0]))
        return "\n".join(
            f"| {' | '.join(self.inline(cell) for cell in row)} |" for row in rows
        )

    # Text

    def inline(self, source):
        """Rewrite roles, links and footnotes; code and formulas stay as they are."""
        return INLINE.sub(self.replace, source)

    def replace(self, match):
        if match["role"]:
            return self.role(match["role"], " ".join(match["content"].split()))
        if match["project"]:
            return self.link("", match["project"])
        if match["target"]:
            if match["image"]:
                return f"![{match['text']}]({self.picture(match['target'])})"
            return self.link(self.inline(match["text"]), match["target"])
        if match["footnote"]:
            return f"<sup>{match['footnote']}</sup>"
        return match[0]

    def role(self, role, content):
        explicit = re.match(r"^(?P<text>.+?)\s*<(?P<target>[^<>]+)>$", content)
        text, target = (
            (explicit["text"], explicit["target"]) if explicit else ("", content)
        )
        if role in ("eq", "math:numref"):
            return self.reference(target, text, "equation")
        if role in ("ref", "prf:ref", "any"):
            return self.reference(target, text)
        if role == "numref":
            label = self.find(target)
            text = text.replace("%s", label.number).replace("{number}", label.number)
            return self.reference(target, text)
        if role == "doc":
            name = self.page_name(target)
            return f"[{text or self.titles[name]}]({self.page_address(name)})"
        if role == "cite" or role.startswith("cite:"):
            return self.citation(
                role.removeprefix("cite").removeprefix(":") or "p", content
            )
        if role.removeprefix("py:") in PYTHON_ROLES:
            name = target.removeprefix("~")
            shown = text or (name.split(".")[-1] if target.startswith("~") else name)
            return f"[`{shown}`]({self.published('book/reference/api')}#{name})"
        if role == "math":
            return f"${content}$"
        if role in ("code", "file", "command", "program"):
            return f"`{content}`"
        if role in ("sub", "sup", "kbd"):
            return f"<{role}>{content}</{role}>"
        if role in ("subscript", "superscript"):
            return f"<{role[:3]}>{content}</{role[:3]}>"
        if role == "term":
            return self.term(text, target)
        if role == "abbr":
            return text or re.sub(r"\s*\(.*\)$", "", content)
        if role == "dfn":
            return f"*{content}*"
        if role == "download":
            return f"[{text or target}]({self.picture(target)})"
        raise MystError(f"the role {{{role}}} has no form in a twin (tools/myst.py)")

    def term(self, text, target):
        """A word of the glossary, linked to its entry; Sphinx, too, is deaf to case there."""
        if target.lower() not in self.terms:
            raise MystError(f"{target} is not in the glossary, {GLOSSARY}.md")
        return f"[{text or target}]({self.published(GLOSSARY)}#{self.terms[target.lower()]})"

    def link(self, text, target):
        """A Markdown link: to the web, to a label, or to another page or file."""
        if re.match(r"^(https?|mailto):", target):
            return f"[{text}]({target})" if text else f"<{target}>"
        label = target.removeprefix("#")
        if label in self.labels:
            return self.reference(label, text)
        path, _, fragment = target.partition("#")
        if path and (name := self.page_name(path, missing_ok=True)):
            if fragment:
                return self.reference(fragment, text)
            return f"[{text or self.titles[name]}]({self.page_address(name)})"
        if path and not fragment and text and posixpath.splitext(path)[1]:
            return f"[{text}]({self.repository.url}/blob/{self.repository.branch}/{self.beside(path)})"
        raise MystError(f"the link to {target} leads nowhere: no such label or page")

    def citation(self, style, content):
        cited = []
        for key in content.split(","):
            if key.strip() not in self.works:
                raise MystError(f"{key.strip()} is not in book/references.bib")
            authors, year, address = self.works[key.strip()]
            address = address or self.published("book/reference/bibliography")
            shown = f"{authors} ({year})" if "t" in style else f"{authors}, {year}"
            cited.append(f"[{shown}]({address})")
        return ", ".join(cited) if "t" in style else f"({'; '.join(cited)})"

    # Where things are

    def find(self, name):
        label = self.labels.get(name) or self.labels.get(name.lower())
        if label is None:
            raise MystError(f"there is no label {name}")
        return label

    def reference(self, name, text="", kind=None):
        label = self.find(name)
        if kind and label.kind != kind:
            raise MystError(
                f"the label {name} is of a {label.kind or 'place'}, not of an {kind}"
            )
        shown = text or label.text
        if not shown:
            raise MystError(f"a reference to {name} needs a text of its own")
        return f"[{shown}]({self.address(label)})"

    def address(self, label):
        if label.page == self.page.name:
            return f"#{make_id(label.label)}"
        if label.page in self.twins:
            return f"{self.page_address(label.page)}#{make_id(label.label)}"
        prefix = "equation-" if label.kind == "equation" else ""
        return f"{self.published(label.page)}#{prefix}{make_id(label.label)}"

    def page_address(self, name):
        if name in self.twins:
            return posixpath.relpath(name, posixpath.dirname(self.page.name)) + ".ipynb"
        return self.published(name)

    def published(self, name):
        return f"{self.repository.site}/{name}.html"

    def page_name(self, path, missing_ok=False):
        """The page that a relative path (or one from the root, /book/...) names."""
        name = self.beside(path).removesuffix(".md").removesuffix(".ipynb")
        if name in self.titles:
            return name
        if missing_ok:
            return None
        raise MystError(f"there is no page {path}")

    def beside(self, path):
        """Path from the repository's root of a path that the page names."""
        if path.startswith("/"):
            return path[1:]
        return posixpath.normpath(
            posixpath.join(posixpath.dirname(self.page.name), path)
        )

    def picture(self, path):
        """Colab shows no picture by its relative path: give it the whole address."""
        return (
            path
            if re.match(r"^https?:", path)
            else self.repository.raw(self.beside(path))
        )


SOLUTION = "\x02"  # stands around the title where a solution begins; around nothing where it ends


def anchor(label):
    """A place that a link in the same notebook finds: by name in Colab, by id in Jupyter."""
    return f'<a name="{make_id(label)}" id="{make_id(label)}"></a>'


def quote(text):
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def fold(title, text):
    """Text that opens on a click. The blank lines let Markdown be read inside."""
    return f"<details>\n<summary><b>{title}</b></summary>\n\n{text}\n\n</details>"


def strip_blank(lines):
    """Lines without the blank ones at the beginning and the end."""
    return "\n".join(lines).strip("\n").split("\n")


def indent(text, by):
    return "\n".join(by + line if line else line for line in text.split("\n"))


def raw_myst(text):
    """What is left of MyST in a twin's Markdown, or None; code does not count."""
    outside = []
    for block in parse_plain(text):
        outside.append(block)
    prose = re.sub(r"(?<!\})(`+)(?!`).+?(?<!`)\1(?!`)", "", "\n".join(outside))
    match = RAW.search(prose)
    return match[0].strip() if match else None


def parse_plain(text):
    """The lines of Markdown that lie outside fenced code."""
    fence = None
    for line in text.split("\n"):
        match = re.match(r"^[\s>]*(`{3,}|~{3,})(.*)$", line)
        if fence is None and match and not match[2].startswith("{"):
            fence = match[1]
        elif fence and match and match[1].startswith(fence) and not match[2].strip():
            fence = None
        elif fence is None:
            yield line
