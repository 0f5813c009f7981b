"""The last touch to a page's HTML: where its lines may break, how large its pictures are.

Browsers break a line between a formula and the comma behind it, between a number and its unit,
and a long name wherever the line happens to end.
"""

import re

MATH = r'<span class="math notranslate nohighlight">[^<]*</span>'
# A bracket or quotation mark that opens before a formula, and what follows it without a space:
# punctuation, or the rest of a word such as the "th" of an n-th.
BOUND = re.compile(rf"([(\[\u201c\u2018]*)({MATH})((?:[^\s<&]|&(?!nbsp)\w+;){{0,8}})")
CODE = re.compile(r'(<code class="[^"]*\bliteral\b[^"]*">)(.*?)(</code>)', re.DOTALL)
TEXT = re.compile(r"(?<=>)[^<>]+(?=<)")
JOINT = re.compile(r"(?<=[^\W_])(_|\.(?=\D))(?=[^\W_])")
# Running text, or what is set as it stands: code, and formulas, which are MathJax's.
RUNNING = re.compile(
    r"<(pre|script|style|code|svg|textarea)\b.*?</\1>"
    r"|(?<=>)\s*(\\[(\[])[^<>]+(?=<)|(?<=>)[^<>]+(?=<)",
    re.DOTALL,
)
# A number and its unit, a product, a value and its error, a letter and its value.
UNIT = re.compile(
    r"(?<=\d) (?=€)|(?<=\d) (?=[×±] \d)|(?<=\d [×±]) (?=\d)"
    r"|(?<=\b[^\W\d_]) (?== [−-]?\d)|(?<=\b[^\W\d_] =) (?=[−-]?\d)"
)
# Python prints 5%, and so do all pages.
PERCENT = re.compile(r"(?<=\d)[ \N{NO-BREAK SPACE}]%")
# Of a negative number, as Python prints it.
HYPHEN = re.compile(r"(?<![\w)\]–-])-(?=\d)")
DATE = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
PAIR = re.compile(r"\(−?\d+(?:, −?\d+){1,2}\)")
# A picture's size as attributes, which the style sheet overrules on a narrow screen.
SIZE = re.compile(r'(<img [^>]*)style="width: (\d+)px; height: (\d+)px;"')
CORNER = re.compile(r"<th(?: [^>]*)?>(?:<p></p>)?</th>")
# What is pressed has the name that one sees on it.
UNNAMED = '<summary aria-label="Toggle hidden content">'


def keep_together(html):
    """No line begins with the punctuation that follows a formula."""

    def bind(match):
        before, formula, after = match.groups()
        if not before and not after:
            return formula
        return f'<span class="together">{before}{formula}{after}</span>'

    return BOUND.sub(bind, html)


def break_names(html):
    """A long name in the text breaks after its underscores and dots."""

    def offer(match):
        opened, inside, closed = match.groups()
        inside = TEXT.sub(lambda text: JOINT.sub(r"\1<wbr>", text[0]), f">{inside}<")
        return f"{opened}{inside[1:-1]}{closed}"

    return CODE.sub(offer, html)


def keep_units(html):
    """A number stays with its sign, its unit or its error, and a pair or three together."""

    def bind(found):
        if found[1] or found[2]:
            return found[0]
        text = PERCENT.sub("%", HYPHEN.sub("−", found[0]))
        text = UNIT.sub("\N{NO-BREAK SPACE}", text)
        text = DATE.sub("\\1\N{NON-BREAKING HYPHEN}\\2\N{NON-BREAKING HYPHEN}\\3", text)
        return PAIR.sub(lambda pair: pair[0].replace(" ", "\N{NO-BREAK SPACE}"), text)

    return RUNNING.sub(bind, html)


def plain_corners(html):
    """The corner of a table heads nothing."""
    return CORNER.sub("<td></td>", html)


def yielding_sizes(html):
    """Pictures keep their place while they load, their shape, and to the width that there is."""
    return SIZE.sub(r'\1width="\2" height="\3"', html)


def finish(app, pagename, templatename, context, doctree):
    if body := context.get("body"):
        for touch in (
            keep_together,
            break_names,
            keep_units,
            plain_corners,
            yielding_sizes,
        ):
            body = touch(body)
        context["body"] = body.replace(UNNAMED, "<summary>")


def setup(app):
    app.connect("html-page-context", finish, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
