"""The local Sphinx extensions: a cache that follows the package, and a page's description."""

import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from jupyter_cache import get_cache
from matplotlib.figure import Figure
from myst_nb.core.config import NbParserConfig
from myst_parser.config.main import MdParserConfig
from PIL import Image

from tools import course, executed


@pytest.fixture(scope="module")
def extension():
    path = course.ROOT / "book" / "_ext" / "lectures.py"
    spec = importlib.util.spec_from_file_location("lectures_extension", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path):
    (tmp_path / "lectures_helpers").mkdir()
    (tmp_path / "lectures_helpers" / "ss.py").write_text("x = 1\n")
    return tmp_path


def test_fingerprint_follows_the_sources(package):
    source = package / "lectures_helpers" / "ss.py"
    first = executed.fingerprint(package)
    source.write_text("x = 2\n")
    assert executed.fingerprint(package) != first
    source.write_text("x = 1\n")
    assert executed.fingerprint(package) == first
    source.rename(source.with_name("other.py"))
    assert executed.fingerprint(package) != first


def test_fingerprint_follows_the_libraries(package, monkeypatch):
    first = executed.fingerprint(package)
    monkeypatch.setattr(executed, "version", lambda name: "0.0")
    assert executed.fingerprint(package) != first


def write_notebook(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    of_code = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=of_code), path)


def test_only_what_the_book_has_run_as_it_is_does_not_run_again(package):
    built = package / "_build" / "jupyter_execute" / "book"
    source = package / "lectures_helpers" / "ss.py"
    assert executed.again(package) == []
    for page in ("same", "edited", "longer", "gone"):
        write_notebook(built / f"{page}.ipynb", "x = 1", "x")
    executed.remember(package)
    write_notebook(package / "book" / "same.ipynb", "x = 1", "# @title Solution\nx")
    write_notebook(package / "book" / "edited.ipynb", "x = 2", "x")
    write_notebook(package / "book" / "longer.ipynb", "x = 1", "x", "y")
    write_notebook(package / "book" / "new.ipynb", "x = 1", "x")
    assert executed.again(package) == ["book/same"]
    source.write_text("x = 2\n")
    assert executed.again(package) == []


@pytest.mark.parametrize("ci", ["", "true"])
def test_configure(extension, package, monkeypatch, ci):
    monkeypatch.setenv("CI", ci)
    for variable in ("LECTURES_STATIC_BUILD", "LECTURES_STRICT", "IPYTHONDIR"):
        monkeypatch.setenv(variable, "")
    old = package / "_build" / "executed" / executed.fingerprint(package) / "global.db"
    old.parent.mkdir(parents=True)
    old.touch()
    config = SimpleNamespace()
    extension.configure(SimpleNamespace(srcdir=package), config)
    assert old.exists() == (not ci)  # what is published rests on no old output
    assert config.nb_execution_cache_path.endswith(executed.fingerprint(package))
    assert extension.os.environ["LECTURES_STATIC_BUILD"] == "1"
    assert extension.os.environ["LECTURES_STRICT"] == "1"


PAGE = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---

# Shop

```{code-cell} ipython3
%s
```
"""


@pytest.fixture
def ahead(monkeypatch):
    monkeypatch.syspath_prepend(course.ROOT / "book" / "_ext")
    return importlib.import_module("ahead")


def settings_and_env(folder, **settings):
    """What the build tells its extensions, for pages in that folder."""
    settings = NbParserConfig(
        execution_mode="cache", execution_cache_path=str(folder / "cache"), **settings
    )
    env = SimpleNamespace(
        mystnb_config=settings,
        myst_config=MdParserConfig(),
        doc2path=lambda name: str(folder / f"{name}.md"),
        path2doc=lambda path: Path(path).stem,
    )
    return settings, env


def test_pages_that_time_nothing_run_ahead(ahead, tmp_path, monkeypatch):
    pages = {
        "adds": PAGE % "1 + 1",
        "breaks": PAGE % "1 / 0",
        "dies": PAGE % "import os\n\nos.kill(os.getpid(), 9)",
        "times": PAGE % "runtime.timed(print)",
        "words": "# Shop",
    }
    for name, text in pages.items():
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    settings, env = settings_and_env(tmp_path)
    monkeypatch.delenv("LECTURES_TIMES", raising=False)
    ahead.run(None, env, set(pages))
    cache = get_cache(settings.execution_cache_path)
    (kept,) = cache.list_cache_records()
    assert Path(kept.uri).stem == "adds"
    cells = cache.get_cache_bundle(kept.pk).nb.cells
    assert [output["data"]["text/plain"] for output in cells[-1].outputs] == ["2"]
    assert list(ahead.jobs(env, {"adds", "times", "words"}, cache)) == []
    monkeypatch.setenv("LECTURES_TIMES", "any")  # nobody is to read them
    ((path, _),) = ahead.jobs(env, {"adds", "times", "words"}, cache)
    assert path.stem == "times"


def test_pages_at_once_have_cores_of_their_own(ahead, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 5}, raising=False)
    assert ahead.shares(2) == [[0, 1], [2, 5]]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert ahead.shares(2) == [[3]]
    monkeypatch.delattr(os, "sched_getaffinity")
    assert ahead.shares(2) == [None, None]


def test_a_page_that_does_not_end_is_left_to_the_build(ahead, tmp_path):
    """No cell is above its limit; the page is above the time in which one has to end."""
    wait = "import time\n\ntime.sleep(2)"
    page = PAGE % f"{wait}\n```\n\n```{{code-cell}} ipython3\n{wait}"
    (tmp_path / "waits.md").write_text(page, encoding="utf-8")
    settings, env = settings_and_env(tmp_path, execution_timeout=3)
    ahead.run(None, env, {"waits"})
    assert get_cache(settings.execution_cache_path).list_cache_records() == []


def test_words_of_a_signature_carry_no_mark_without_a_look(monkeypatch):
    monkeypatch.syspath_prepend(course.ROOT / "book" / "_ext")
    face = importlib.import_module("face")
    marked = '<em><span class="n"><span class="pre">Q</span></span></em>'
    kept = '<dt class="sig sig-object py"><span class="o">=</span>'
    for body, lighter in [
        (kept + marked, kept + "<em>Q</em>"),
        (marked, marked),  # no signature on this page
    ]:
        context = {"body": body}
        face.drop_plain_marks(None, "api", "page.html", context, None)
        assert context["body"] == lighter


@pytest.fixture
def published(monkeypatch):
    monkeypatch.syspath_prepend(course.ROOT / "book" / "_ext")
    return importlib.import_module("published")


def test_pictures_are_lighter_and_look_the_same(published, tmp_path):
    figure = Figure(facecolor="none")
    ax = figure.add_subplot(facecolor="none")
    ax.plot(np.sin(np.linspace(0, 20, 500)))
    ax.imshow(np.eye(40), extent=(100, 300, -0.5, 0.5), aspect="auto", cmap="cividis")
    path = tmp_path / "x.png"
    figure.savefig(path)
    before, pixels = path.stat().st_size, np.asarray(Image.open(path).convert("RGBA"))
    published.lighten_pictures(tmp_path)
    assert path.stat().st_size < 0.6 * before
    seen = np.asarray(Image.open(path).convert("RGBA"))
    # The palette's colours are means over cells of 32 levels a channel, and most cells hold one.
    apart = np.abs(seen.astype(int) - pixels)
    assert apart.max() <= 32
    assert apart.mean() < 0.5


@pytest.fixture
def previews(monkeypatch):
    monkeypatch.syspath_prepend(course.ROOT / "book" / "_ext")
    return importlib.import_module("previews")


def test_a_link_shows_the_opening_question_and_a_picture(previews):
    said = {"og:title": "A & B", "og:image": "https://a.b/c.png"}
    assert previews.metatags('How many "loaves"?', said) == (
        '<meta name="description" content="How many &quot;loaves&quot;?">\n'
        '<meta property="og:title" content="A &amp; B">\n'
        '<meta property="og:image" content="https://a.b/c.png">\n'
        '<meta name="twitter:card" content="summary_large_image">\n'
    )
    assert "twitter" not in previews.metatags("x", {"og:title": "x"})


@pytest.mark.parametrize("size", [(900, 300), (300, 900), (2400, 1800)])
def test_a_preview_is_a_figure_on_white(previews, tmp_path, size):
    Image.new("RGBA", size, (0, 114, 178, 255)).save(tmp_path / "figure.png")
    previews.on_white(tmp_path / "figure.png", tmp_path / "deep" / "preview.png")
    with Image.open(tmp_path / "deep" / "preview.png") as image:
        assert image.size == previews.SIZE
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert (pixels[0, 0] == 255).all()
    assert np.abs(pixels[315, 600] - (0, 114, 178)).max() <= 2
    drawn = (pixels < 200).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(width / 1120, height / 550) == pytest.approx(1, abs=0.01)
    assert width / height == pytest.approx(size[0] / size[1], rel=0.01)
