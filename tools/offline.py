"""The whole course as one zip that needs no network: the built book, the notebooks, the package.

`make book` packs it and the landing page offers it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools import course

NAME = "inventory-lectures.zip"
FOLDER = "inventory-lectures"  # what the zip unpacks to
PACKAGE = "lectures_helpers"
FILES = ("README.md", "LICENSE", "CITATION.cff", "pyproject.toml", "setup.py")

# Nobody's browser asks for these: maps of minified scripts, MathJax's other bundles, and what
# links to the published pages show.
UNUSED = re.compile(
    r".*\.map|previews/.*|_static/mathjax/(node-main|.*svg.*|mml-.*|tex-mml-.*|tex-chtml-full.*)\.js"
)
START = (
    '<!doctype html><meta charset="utf-8"><title>Inventory Theory in JAX</title>'
    '<meta http-equiv="refresh" content="0; url=html/index.html">'
    '<a href="html/index.html">Inventory Theory in JAX</a>\n'
)
README = """Inventory Theory in JAX: the whole course, to be used without a network.

Read
    Open START.html in a browser. Mathematics, figures, sliders and search work offline.

Run a lecture
    The notebooks lie in book/. While you have a network, in this folder and with Python >= 3.11:

        python -m venv env
        . env/bin/activate                  (on Windows: env\\Scripts\\activate)
        pip install jax scipy matplotlib ipywidgets tqdm jupyterlab          (about 1 GB)

    From then on no network is needed:

        pip install --no-index --no-deps {wheel}
        jupyter lab book

    For a room full of machines, fetch the packages once, on a machine like theirs, and carry them:

        pip download -d wheels jax scipy matplotlib ipywidgets tqdm jupyterlab
        pip install --no-index --find-links wheels jax scipy matplotlib ipywidgets tqdm jupyterlab

Change it
    Pages (book/**/*.md) and package are here to read. To build and to check them, and to
    contribute, take the repository: {url}
"""


def pack(html, target):
    """Write the zip of the built book `html` and of the sources around it."""
    html, target = Path(html), Path(target)
    with tempfile.TemporaryDirectory() as folder:
        wheel = make_wheel(folder)
        entries = {
            "README-OFFLINE.txt": README.format(
                wheel=wheel.name, url=course.repository().url
            ),
            "START.html": START,
            wheel.name: wheel,
            **{f"html/{name}": file for name, file in built(html, target)},
            **dict(sources()),
        }
        # Names in order and no dates: the same course makes the same zip.
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as z:
            for name in sorted(entries):
                content = entries[name]
                if isinstance(content, Path):
                    content = content.read_bytes()
                info = zipfile.ZipInfo(f"{FOLDER}/{name}")
                info.external_attr = 0o644 << 16
                z.writestr(info, content, zipfile.ZIP_DEFLATED)


def make_wheel(folder):
    """The package as a file that pip installs without a network; the same each time."""
    copy = Path(folder, "source")  # setuptools leaves its traces where it builds
    shutil.copytree(course.ROOT / PACKAGE, copy / PACKAGE)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(course.ROOT / name, copy)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
         "--no-build-isolation", "--wheel-dir", folder, copy],
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "315532800"},  # the first date of a zip
    )  # fmt: skip
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


def built(html, target):
    """The book's files that a reader's browser can ask for."""
    for file in sorted(html.rglob("*")):
        name = file.relative_to(html).as_posix()
        if not file.is_file() or file == target or UNUSED.fullmatch(name):
            continue
        if file.suffix == ".html" and NAME in (text := file.read_text("utf-8")):
            # The zip does not hold itself: there the link leads to the published site.
            site = course.repository().site
            yield name, re.sub(rf'href="[./]*{NAME}"', f'href="{site}/{NAME}"', text)
        else:
            yield name, file


def sources():
    """Pages, notebooks and package; a notebook's links to the published book stay in the zip."""
    for name in FILES:
        yield name, course.ROOT / name
    for folder in ("book", PACKAGE):
        for file in sorted((course.ROOT / folder).rglob("*")):
            name = file.relative_to(course.ROOT)
            made = any(
                part.startswith((".", "__pycache__", "_ext")) for part in name.parts
            )
            if not file.is_file() or made:
                continue
            if file.suffix == ".ipynb":
                up = "../" * (len(name.parts) - 1)
                text = file.read_text(encoding="utf-8")
                yield (
                    name.as_posix(),
                    text.replace(course.repository().site, f"{up}html"),
                )
            else:
                yield name.as_posix(), file
