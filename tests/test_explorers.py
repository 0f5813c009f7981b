"""The explorers' script: modules put together as modules are, the figures' colours, the weight."""

import gzip
import re

import pytest
from matplotlib.colors import to_hex
from page_modules import extension
from test_figures import by_night

from lectures_helpers.teaching import figures
from tools import course

explorers = extension()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "d.js").write_text("var q=1,r=2;export{q as one,r};\n")
    (tmp_path / "b.js").write_text(
        "export const twice = (x) => 2 * x;\nconst own = 1;\n"
    )
    return tmp_path


def test_a_module_becomes_a_function(folder):
    (folder / "a.js").write_text(
        'import { one, r as two } from "./vendor/d.js";\n'
        'import {\n  twice,\n} from "./b.js";\n'
        "export function sum() {\n  return twice(one) + two;\n}\n"
    )
    script = explorers.bundle(folder, "a")
    assert script.count("module_b = ") == 1
    assert "const { one, r: two } = module_vendor_d;" in script
    assert "return { one: q, r: r };" in script
    assert "return { twice: twice };" in script  # and not `own`
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('import * as b from "./b.js";\n', "a.js: write imports"),
        ("export default 1;\n", "a.js: write imports"),
        ('import { a } from "./a.js";\n', "a -> a: modules import in a circle"),
    ],
)
def test_what_the_bundle_does_not_know_is_refused(folder, text, fault):
    (folder / "a.js").write_text(text)
    with pytest.raises(ValueError, match=fault):
        explorers.bundle(folder, "a")


def test_the_script_is_light_and_asks_for_nothing():
    script = explorers.bundle()
    assert len(gzip.compress(script.encode(), mtime=0)) <= 120_000
    assert not re.search(r"\beval\(|new Function|https?://(?!www\.w3\.org/)", script)


def test_pages_without_an_explorer_load_no_script():
    class App:
        loaded = ()

        def add_js_file(self, name):
            self.loaded += (name,)

    app = App()
    explorers.load(app, "a", "page.html", {"body": "<p>explorer</p>"}, None)
    assert app.loaded == ()
    body = '<div class="explorer" data-model="sawtooth">'
    explorers.load(app, "a", "page.html", {"body": body}, None)
    assert app.loaded == (explorers.SCRIPT,)


def test_the_script_has_the_models_that_lectures_name():
    main = (explorers.FOLDER / "main.js").read_text(encoding="utf-8")
    listed = re.search(r"const MODELS = \{([^}]*)\}", main)[1].replace(" ", "")
    named = {
        name
        for path in (course.ROOT / "book").rglob("*.md")
        for name in re.findall(r'^ +model="(\w+)",', path.read_text("utf-8"), re.M)
    }
    assert set(listed.strip().strip(",").replace("\n", "").split(",")) == named


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_those_of_the_figures(theme):
    css = (course.ROOT / "book" / "assets" / "course.css").read_text(encoding="utf-8")
    block = re.search(rf'html\[data-theme="{theme}"\] \{{(\s+--explorer[^}}]*)\}}', css)
    found = dict(re.findall(r"--explorer-([\w-]+): (#\w+);", block[1]))
    wanted = {}
    for name, color in {**figures.COLORS, "neutral": figures.NEUTRAL}.items():
        for suffix, shade in (("", color), ("-ink", figures.ink(color))):
            shown = by_night(shade) if theme == "dark" else shade
            wanted[name.replace(" ", "-") + suffix] = to_hex(shown)
    assert found == wanted
