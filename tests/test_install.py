"""What is installed and published: the package's archives, and what they say of themselves."""

import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser

import pytest
import yaml

import lectures_helpers
from tools import course


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the source archive and the wheel, built from what git would hand out."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("lectures_helpers", "tests", "tools"):
        for file in (course.ROOT / name).rglob("*.py"):
            copy = folder / file.relative_to(course.ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        (folder / name).write_bytes((course.ROOT / name).read_bytes())
    # What setuptools is about to drop is an error: builds take its newest release.
    build = (
        "import warnings, setuptools as s, setuptools.build_meta;"
        "warnings.simplefilter('error', s.SetuptoolsDeprecationWarning);"
        "s.build_meta.build_sdist('dist'); s.build_meta.build_wheel('dist')"
    )
    command = [sys.executable, "-c", build]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "dist"


def test_the_source_archive_holds_no_tests_without_their_helpers(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        folders = {
            name.split("/")[1] for name in file.getnames() if name.count("/") > 1
        }
    assert folders == {"lectures_helpers", "lectures_helpers.egg-info"}


def test_the_wheel_says_what_the_course_says(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        (name,) = [n for n in file.namelist() if n.endswith(".dist-info/METADATA")]
        said = Parser().parsestr(file.read(name).decode("utf-8"))
    citation = yaml.safe_load((course.ROOT / "CITATION.cff").read_text("utf-8"))
    assert said["Version"] == lectures_helpers.__version__ == citation["version"]
    assert said["License-Expression"] == citation["license"] == "BSD-3-Clause"
    assert said["License-File"] == "LICENSE"
    address = course.repository()
    assert set(said.get_all("Project-URL")) == {
        f"Documentation, {address.site}",
        f"Repository, {address.url}",
    }


def test_the_readme_shows_its_picture_wherever_it_is_read():
    """On the package index there is no file beside it."""
    picture = course.repository().raw("book/assets/sawtooth.svg")
    assert f"]({picture})" in (course.ROOT / "README.md").read_text(encoding="utf-8")
