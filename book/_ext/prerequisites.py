"""The box below a lecture's opening: where it stands, how long it takes, what to know before.

```{prerequisites}
{doc}`sample_paths`; what a cumulative distribution function is.
```

And the same minutes elsewhere: {minutes}`classical/eoq` minutes
"""

from pathlib import Path

import lectures  # noqa: F401 (puts tools/ within reach)
from docutils import nodes
from sphinx.util.docutils import SphinxDirective, SphinxRole

from tools import course, reading


class Prerequisites(SphinxDirective):
    has_content = True

    def run(self):
        self.assert_has_content()
        source = Path(self.env.doc2path(self.env.docname)).read_text(encoding="utf-8")
        self.env.note_dependency(reading.__file__)
        box = nodes.container(classes=["prerequisites"])
        box += self.place()
        box += line("Time", nodes.Text(str(reading.of_page(source))))
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        if len(parsed) != 1 or not isinstance(parsed[0], nodes.paragraph):
            raise self.error("{prerequisites} holds one paragraph")
        box += line("Before", *parsed[0].children)
        return [box]

    def place(self):
        """The course's title, linked, for those whom a search engine sends here."""
        root = Path(self.env.srcdir)
        pages = {page.name: page for page in course.pages(root)}
        number, part = course.place(pages[self.env.docname], root)
        parsed, _ = self.parse_inline(f"{{doc}}`/{course.pages(root)[0].name}`")
        return nodes.paragraph(
            "", "", nodes.strong("", number), nodes.Text(" in "), *parsed,
            nodes.Text(f", {part}"),
        )  # fmt: skip


class Minutes(SphinxRole):
    def run(self):
        source = Path(self.env.relfn2path(f"{self.text}.md")[1])
        if not source.exists():
            place = self.inliner.reporter.error(
                f"there is no page {self.text}", line=self.lineno
            )
            return [], [place]
        self.env.note_dependency(str(source))
        self.env.note_dependency(reading.__file__)
        time = reading.of_page(source.read_text(encoding="utf-8"))
        return [nodes.Text(str(time.reading))], []


def line(head, *children):
    return nodes.paragraph("", "", nodes.strong("", head), nodes.Text(": "), *children)


def setup(app):
    app.add_directive("prerequisites", Prerequisites)
    app.add_role("minutes", Minutes())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
