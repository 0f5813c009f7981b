"""{question}: a question whose choices answer when they are opened, without a kernel or a script.

Each choice is a box that opens by tap, click, Enter or Space; on paper the closed boxes are the
choices to tick. tools/questions.py says how one is written.
"""

import lectures  # noqa: F401 (puts tools/ within reach)
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from tools import questions


class choice(nodes.Element):
    """A choice with its feedback: its children, after the choice's own text."""


class choice_text(nodes.TextElement):
    """What a choice says."""


class Question(SphinxDirective):
    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        try:
            found = questions.choices(list(self.content))
        except ValueError as error:
            raise self.error(str(error)) from None
        box = nodes.container(classes=["question"])
        asked, _ = self.parse_inline(self.arguments[0])
        box += nodes.paragraph("", "", *asked, classes=["asked"])
        for one in found:
            node = choice(right=one.right)
            text, _ = self.parse_inline(one.text)
            node += choice_text("", "", *text)
            told = nodes.Element()
            lines = StringList(
                f"**{one.verdict}** {one.feedback}".split("\n"),
                self.content.source(0),
            )
            self.state.nested_parse(lines, self.content_offset, told)
            node += told.children
            box += node
        return [box]


def open_choice(self, node):
    kind = "right" if node["right"] else "wrong"
    self.body.append(f'<details class="choice {kind}">')


def close_choice(self, node):
    self.body.append("</details>\n")


def open_text(self, node):
    self.body.append("<summary>")


def close_text(self, node):
    self.body.append("</summary>\n")


def setup(app):
    app.add_node(choice, html=(open_choice, close_choice))
    app.add_node(choice_text, html=(open_text, close_text))
    app.add_directive("question", Question)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
