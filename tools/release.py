"""Make a release: python -m tools.release 0.2.0

Writes the version and the date where they stand, builds wheel and source archive into dist/, checks
them as strangers meet them, commits, and tags. Nothing leaves this machine: pushing the tag is what
publishes (.github/workflows/release.yml).
"""

import re
import shutil
import subprocess
import sys
import tempfile
import venv
from datetime import date
from pathlib import Path

from tools import course, repository

VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
UNRELEASED = "## Unreleased\n"
HEADING = re.compile(r"^## (\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)$", re.MULTILINE)
FILES = ("lectures_helpers/__init__.py", "CITATION.cff", "CHANGELOG.md")
TOOLS = ("build", "twine")

# What a stranger does first: an import, and the examples of README.md, which check themselves.
FIRST_USE = """
import lectures_helpers, importlib.metadata, pathlib

assert "site-packages" in lectures_helpers.__file__, lectures_helpers.__file__
assert importlib.metadata.version("lectures_helpers") == lectures_helpers.__version__
assert pathlib.Path(lectures_helpers.__file__).with_name("py.typed").exists()
print(lectures_helpers.__version__)
"""
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def releases(changelog):
    """(version, date) of each release in CHANGELOG.md, newest first."""
    return [(v, date.fromisoformat(day)) for v, day in HEADING.findall(changelog)]


def notes(changelog, version=None):
    """What CHANGELOG.md says of a version; of what is unreleased without one."""
    start = re.escape(f"## {version} (") + r"[^\n]*\n" if version else UNRELEASED
    found = re.search(rf"^{start}(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def as_numbers(version):
    return tuple(map(int, version.split(".")))


def fault(version, changelog):
    """Why this version cannot be released, in a line; None where it can."""
    if not VERSION.fullmatch(version):
        return f"{version!r} is no version: write three numbers, such as 0.2.0"
    earlier = releases(changelog)
    if earlier and as_numbers(version) <= as_numbers(earlier[0][0]):
        return f"{version} does not come after {earlier[0][0]}, the newest release"
    if not notes(changelog):
        return "CHANGELOG.md says nothing under Unreleased: what has changed?"
    return None


def written(version, day, read):
    """The files that name the version, with this one; `read` gives a file's text."""
    package, citation, changelog = map(read, FILES)
    citation = re.sub(r"^date-released:.*\n", "", citation, flags=re.MULTILINE)
    return {
        FILES[0]: re.sub(
            r'(?<=^__version__ = )".*"', f'"{version}"', package, flags=re.MULTILINE
        ),
        FILES[1]: re.sub(
            r"^version: .*$",
            f"version: {version}\ndate-released: {day}",
            citation,
            flags=re.MULTILINE,
        ),
        FILES[2]: changelog.replace(
            UNRELEASED, f"{UNRELEASED}\n## {version} ({day})\n", 1
        ),
    }


def run(*command, **options):
    subprocess.run([str(c) for c in command], cwd=course.ROOT, check=True, **options)


def git(*arguments):
    command = ["git", *arguments]
    done = subprocess.run(
        command, cwd=course.ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def check_archives():
    """Build both into dist/; the index takes them, and each installs and computes."""
    dist = course.ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        tools = environment(folder, "tools")
        run(tools, "-m", "pip", "install", "-qq", *TOOLS)
        run(
            tools,
            "-m",
            "build",
            "--outdir",
            dist,
            course.ROOT,
            stdout=subprocess.DEVNULL,
        )
        archives = sorted(dist.iterdir())
        readme = (course.ROOT / "README.md").read_text(encoding="utf-8")
        first_use = "\n".join([FIRST_USE, *EXAMPLE.findall(readme)])
        run(tools, "-m", "twine", "check", "--strict", *archives)
        for archive in archives:
            python = environment(folder, archive.suffix)
            run(python, "-m", "pip", "install", "-qq", archive)
            print(f"{archive.name}: ", end="", flush=True)
            subprocess.run([python, "-I", "-c", first_use], cwd=folder, check=True)
    for left in (course.ROOT / "build", course.ROOT / "lectures_helpers.egg-info"):
        shutil.rmtree(left, ignore_errors=True)


def environment(folder, name):
    place = Path(folder, f"env-{name.strip('.')}")
    venv.create(place, with_pip=True)
    return place / "bin" / "python"


def disagreements(tag, read):
    """What names another version than a tag does."""
    package, citation, changelog = map(read, FILES)
    version = tag.removeprefix("v")
    newest = releases(changelog)[:1]
    day = f"date-released: {newest[0][1]}\n" if newest else ""
    named = {
        FILES[0]: f'__version__ = "{version}"\n' in package,
        FILES[1]: f"\nversion: {version}\n" in citation and day in citation,
        FILES[2]: [v for v, _ in newest] == [version],
    }
    return [name for name, agrees in named.items() if not agrees]


def read(name):
    return (course.ROOT / name).read_text(encoding="utf-8")


def release(version):
    why = fault(version, read("CHANGELOG.md"))
    if not why and git("status", "--porcelain"):
        why = "commit first: there are changes that are not"
    if not why and git("tag", "--list", f"v{version}"):
        why = f"there is a tag v{version} already"
    if course.repository().slug.startswith(f"{repository.PLACEHOLDER}/"):
        why = why or "the course has no address yet: make repository REPO=owner/name"
    if why:
        sys.exit(f"No release: {why}")
    for name, text in written(version, date.today(), read).items():
        (course.ROOT / name).write_text(text, encoding="utf-8", newline="\n")
    try:
        check_archives()
    except BaseException:  # Ctrl-C, too: a release that failed leaves no trace
        git("checkout", "--", *FILES)
        raise
    git("commit", "--quiet", "--all", "--message", f"Release {version}")
    git("tag", "--annotate", f"v{version}", "--message", f"Release {version}")
    print(f"Tagged v{version}. To publish it: git push origin HEAD v{version}")


def main():
    match sys.argv[1:]:
        case ["--check"]:
            check_archives()
        case ["--notes"]:  # of the newest release
            changelog = read("CHANGELOG.md")
            print(notes(changelog, releases(changelog)[0][0]))
        case ["--agrees", tag]:
            if wrong := disagreements(tag, read):
                sys.exit(f"{tag}: another version stands in {', '.join(wrong)}")
        case [version]:
            release(version)
        case _:
            sys.exit("Which version? For example: make release VERSION=0.2.0")


if __name__ == "__main__":
    main()
