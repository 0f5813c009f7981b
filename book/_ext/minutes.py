"""{minutes}: how long a page takes to read, as its own box says.

{minutes}`classical/eoq` minutes
"""

from pathlib import Path

import lectures  # noqa: F401 (puts tools/ within reach)
from docutils import nodes
from sphinx.util.docutils import SphinxRole

from tools import reading


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


def setup(app):
    app.add_role("minutes", Minutes())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
