"""A proof with `:class: dropdown` opens on a click; its idea stands in the text above it.

(The buttons that fold solutions need a title, which a proof has not.)
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class folded(nodes.Element):
    """Holds what opens on a click."""


class FoldProofs(SphinxPostTransform):
    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs):
        for proof in list(self.document.findall(nodes.admonition)):
            if {"proof", "dropdown"} <= set(proof["classes"]):
                proof["classes"].remove("dropdown")
                box = folded()
                proof.replace_self(box)
                box += proof


def open_box(self, node):
    self.body.append('<details class="folded-proof"><summary>The proof</summary>\n')


def close_box(self, node):
    self.body.append("</details>\n")


def setup(app):
    app.add_node(folded, html=(open_box, close_box))
    app.add_post_transform(FoldProofs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
