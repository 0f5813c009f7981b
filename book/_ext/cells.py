"""A cell whose code is folded shows what it makes first, and below it the code that made it."""

from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.transforms.post_transforms import SphinxPostTransform


class OutputFirst(SphinxPostTransform):
    default_priority = 200  # after MyST-NB has folded the code
    formats = ("html",)

    def run(self, **kwargs):
        for folded in list(self.document.findall(HideCodeCellNode)):
            cell = folded.parent
            # (A cell that is hidden as a whole stands within its fold.)
            if cell is None or cell.get("nb_element") != "cell_code":
                continue
            if cell[-1].get("nb_element") == "cell_code_output":
                cell.remove(folded)
                folded["classes"].append("below-output")
                cell.append(folded)


def setup(app):
    app.add_post_transform(OutputFirst)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
