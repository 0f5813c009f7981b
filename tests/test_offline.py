"""The zip of the whole course: complete, the same every time, and of use without a network."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile

import pytest

from tools import course, offline


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The zip of a made-up book of two files."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "html" / "book").mkdir(parents=True)
    link = f'<a href="../{offline.NAME}" download>all</a>'
    (folder / "html" / "book" / "intro.html").write_text(link)
    (folder / "html" / "script.js.map").touch()
    target = folder / "html" / offline.NAME
    offline.pack(folder / "html", target)
    return target


@pytest.fixture(scope="module")
def unpacked(packed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(packed) as file:
        file.extractall(folder)
    return folder / offline.FOLDER


def test_holds_every_page_and_the_package(unpacked):
    for page in course.pages():
        name = f"{page.name}.md"
        assert (unpacked / name).read_bytes() == (course.ROOT / name).read_bytes()
    for file in (course.ROOT / "lectures_helpers").rglob("*.py"):
        assert (unpacked / file.relative_to(course.ROOT)).exists()


def test_links_of_its_notebooks_stay_within_it(unpacked):
    """The published pages that a notebook names lie beside it."""
    for page in course.pages():
        if not (course.ROOT / f"{page.name}.ipynb").exists():
            continue
        notebook = unpacked / f"{page.name}.ipynb"
        text = notebook.read_text(encoding="utf-8")
        assert course.repository().site not in text
        for link in re.findall(r"\]\(((?:\.\./)+html/[^)#]+)", text):
            target = (notebook.parent / link).resolve()
            assert target.relative_to(unpacked / "html").suffix == ".html"


def test_holds_nothing_that_a_desk_leaves_behind(unpacked):
    names = [path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")]
    left = [name for name in names if "__pycache__" in name or "/." in name]
    assert not left
    assert "html/script.js.map" not in names


def test_does_not_hold_itself_and_links_to_the_published_one(unpacked):
    assert not list(unpacked.rglob(offline.NAME))
    text = (unpacked / "html" / "book" / "intro.html").read_text()
    assert f'href="{course.repository().site}/{offline.NAME}"' in text


def test_its_wheel_installs_without_a_network(unpacked, tmp_path):
    (wheel,) = unpacked.glob("*.whl")
    assert wheel.name in (unpacked / "README-OFFLINE.txt").read_text(encoding="utf-8")
    install = ["install", "-q", "--no-index", "--no-deps", "--target", tmp_path, wheel]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    code = "import lectures_helpers.expiry as e, json; print(json.dumps(e.__file__))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path), "JAX_PLATFORMS": "cpu"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout).startswith(str(tmp_path))


def test_is_the_same_every_time(packed, tmp_path):
    again = tmp_path / "again.zip"
    offline.pack(packed.parent, again)

    def digests(path):
        with zipfile.ZipFile(path) as file:
            return {
                name: hashlib.sha256(file.read(name)).hexdigest()
                for name in file.namelist()
                if not name.endswith(offline.NAME)
            }

    assert digests(packed) == digests(again)
