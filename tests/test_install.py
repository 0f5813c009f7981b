"""What is installed and published: the environment, the package's archives, what they say."""

import fcntl
import os
import re
import shutil
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
        files = (course.ROOT / name).rglob("*")
        for file in (f for f in files if f.suffix in (".py", ".json", ".typed")):
            copy = folder / file.relative_to(course.ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
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


def metadata(archive):
    """What an archive says to the index."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as file:
            (name,) = [n for n in file.namelist() if n.endswith(".dist-info/METADATA")]
            return Parser().parsestr(file.read(name).decode("utf-8"))
    with tarfile.open(archive) as file:
        (name,) = [n for n in file.getnames() if re.fullmatch(r"[^/]+/PKG-INFO", n)]
        return Parser().parsestr(file.extractfile(name).read().decode("utf-8"))


def test_the_wheel_says_what_the_course_says(built):
    (wheel,) = built.glob("*.whl")
    said = metadata(wheel)
    citation = yaml.safe_load((course.ROOT / "CITATION.cff").read_text("utf-8"))
    assert said["Version"] == lectures_helpers.__version__ == citation["version"]
    assert said["License-Expression"] == citation["license"] == "BSD-3-Clause"
    assert said["License-File"] == "LICENSE"
    address = course.repository()
    assert set(said.get_all("Project-URL")) == {
        f"Documentation, {address.site}",
        f"Repository, {address.url}",
    }


def test_the_wheel_holds_what_is_no_code(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = [n for n in file.namelist() if n.startswith("lectures_helpers/")]
    assert {name for name in names if not name.endswith(".py")} == {
        "lectures_helpers/py.typed",
        "lectures_helpers/teaching/labs.json",
        "lectures_helpers/optimal/learned.json",
    }


def test_the_readme_shows_its_picture_wherever_it_is_read():
    """On the package index there is no file beside it."""
    picture = course.repository().raw("book/assets/sawtooth.svg")
    assert f"]({picture})" in (course.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_the_readme_links_to_files_wherever_it_is_read(built, kind):
    """On the package index nothing lies beside it: there its links lead to the repository."""
    (archive,) = built.glob(kind)
    said = metadata(archive)
    assert said["Description-Content-Type"] == "text/markdown"
    readme = (course.ROOT / "README.md").read_text(encoding="utf-8")
    shown = said.get_payload()
    files = set()
    for link in re.findall(r"\]\(([^)]*)\)", shown):
        assert link.startswith("https://"), link
        path = link.removeprefix(f"{course.repository().url}/blob/HEAD/")
        if path != link:
            assert (course.ROOT / path).is_file(), path
            files.add(path)
    # All that is beside README, and nothing else has changed.
    assert files == set(re.findall(r"\]\(([^):]*)\)", readme)) != set()
    for path in files:
        shown = shown.replace(
            f"]({course.repository().url}/blob/HEAD/{path})", f"]({path})"
        )
    assert shown.rstrip() == readme.rstrip()


def run(folder, *command, **variables):
    """Run a command in `folder`, as in a shell of its own: status, and all that it said."""
    ours = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "PAGE")
    environment = {name: v for name, v in os.environ.items() if name not in ours}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.returncode, done.stdout


# Makes a folder for an environment, and has a pip that says what the variable PIP_SAYS says.
PYTHON = f"""#!/bin/sh
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip install "*) printf %s "$PIP_SAYS"; test -z "$PIP_SAYS" ;;
  "-m pip "*) ;;
  *) exec "{sys.executable}" "$@" ;;
esac
"""
MAKE = ("bash", "tools/make_env.sh", ".venv", "requirements.txt")


@pytest.fixture
def checkout(tmp_path):
    """The files that make an environment, and a Python to make it from."""
    folder = tmp_path / "ein Übungs kurs"
    (folder / "tools").mkdir(parents=True)
    for name in ("make_env.sh", "environment.sh", "find_python.sh", "alone.py"):
        shutil.copy(course.ROOT / "tools" / name, folder / "tools")
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(course.ROOT / name, folder)
    (folder / "a python").write_text(PYTHON)
    (folder / "a python").chmod(0o755)
    return folder


def make(checkout, **variables):
    return run(checkout, *MAKE, PYTHON=str(checkout / "a python"), **variables)


@pytest.mark.parametrize("left", [".unfinished", "bin/python", None])
def test_a_half_made_environment_is_made_anew(checkout, left):
    """One that was broken off, one without pip, one that has nothing in it."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    if left:
        (checkout / ".venv" / left).touch()
    status, said = make(checkout)
    assert status == 0
    assert "anew" in said.splitlines()[0]
    assert not (checkout / ".venv" / ".unfinished").exists()


def test_an_environment_is_installed_into_once(checkout):
    assert make(checkout) == (
        0,
        "Installing into .venv (some minutes the first time) ...\n",
    )
    (checkout / "requirements.txt").touch()  # what it says counts, not its date
    assert make(checkout) == (0, "")
    moved = checkout.rename(checkout.parent / "moved")
    status, said = make(moved)
    assert status == 0
    assert "was made elsewhere" in said


@pytest.mark.parametrize(
    ("pip", "advice", "half_made"),
    [
        ("[Errno 28] No space left on device", "disk is full", True),
        ("No matching version (from versions: none)", "is there a network", False),
        ("something else", "see pip's message above", True),
    ],
)
def test_advice_is_of_what_went_wrong(checkout, pip, advice, half_made):
    status, said = make(checkout, PIP_SAYS=pip)
    assert status == 1
    assert pip in said
    assert advice in said.splitlines()[-1]
    assert (checkout / ".venv" / ".unfinished").exists() == half_made
    assert make(checkout)[0] == 0


def test_ctrl_c_gets_no_advice(checkout):
    """Whatever was at work: here the look whether the Python can make an environment."""
    python = checkout / "a python"
    stop = 'case "$2" in *ensurepip*) kill -INT $PPID; kill -INT $$ ;; esac\n'
    python.write_text(PYTHON.replace("#!/bin/sh\n", f"#!/bin/sh\n{stop}"))
    status, said = make(checkout)
    assert (status, said) == (130, "")
    python.write_text(PYTHON)
    assert make(checkout)[0] == 0


def test_an_old_python_is_refused_in_a_line(checkout):
    old = checkout / "old python"
    old.write_text('#!/bin/sh\ncase "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac\n')
    old.chmod(0o755)
    status, said = run(checkout, "bash", "tools/find_python.sh", PYTHON=str(old))
    assert status == 1
    assert said == f"PYTHON={old} is Python 3.9: 3.11 or newer is needed.\n"


def test_a_second_make_says_that_it_waits(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    alone = course.ROOT / "tools" / "alone.py"
    command = ["bash", "-c", f'exec 9<.; exec "{sys.executable}" "{alone}"']
    second = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert "waiting" in second.stdout.readline()
    os.close(folder)
    assert second.wait(timeout=60) == 0
    second.stdout.close()


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_the_makefile_says_how_a_page_is_named_and_tests_after_the_book():
    status, said = run(course.ROOT, "make", "page")
    assert status == 2
    assert "make page PAGE=book/" in said.splitlines()[0]
    _, said = run(course.ROOT, "make", "-n", "page", "PAGE=./book/classical/eoq.md")
    assert "tools.style book/classical/eoq\n" in said
    _, said = run(course.ROOT, "make", "-n", "-j2", "test", "book")
    assert said.index("jupyter-book build") < said.index("-m pytest")
