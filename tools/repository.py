"""Write the repository's address everywhere: python -m tools.repository owner/name

Needs nothing but Python: the workflow that publishes a new repository runs this beside a token that
may write, and there no package of others should run. Twins are changed as all other files are;
their cells' ids do not depend on the address (tools/notebooks.py).
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from tools import course

SUFFIXES = {
    "", ".md", ".yml", ".yaml", ".toml", ".cff", ".py", ".txt", ".sh", ".bib", ".css",
    ".ipynb",
}  # fmt: skip
DOTTED = {".ci", ".github"}  # the hidden folders that are ours
MADE = re.compile(r"\..*|_build|build|dist|__pycache__|.*\.egg-info")  # by other tools
# The owner until the course has an address. It can be nobody's: names on GitHub are of letters,
# digits and hyphens, and those that a company manages have one underscore.
PLACEHOLDER = "owner__name"
# What GitHub takes for an owner and a name.
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+(?<!\.git)")
# What stands in the set-up cells until then, in a page and in a twin (which is JSON).
UNPUBLISHED = re.compile(
    r'(?<=except ModuleNotFoundError:)(?P<end>\n|\\n)    message = (?P<quote>\\?").*?(?P=quote)'
    r"(?P=end)    raise SystemExit\(message\) from None"
)
# README's word on the placeholder.
NOTE = re.compile(
    rf"^Until the course is published, `{PLACEHOLDER}`.*\n\n", re.MULTILINE
)


def set_up(found, slug):
    """What the set-up cells do once there is an address."""
    end, quote = found["end"], found["quote"]
    return (
        "  # on Colab: the course's package, and nothing else"
        f"{end}    %pip install -q --no-deps {quote}git+https://github.com/{slug}{quote}"
        f"{end}    import lectures_helpers"
    )


def text_files(root=course.ROOT):
    """The project's own text files: those that git knows or would add, and that are text.

    Where there is no git, what lies in its folders. A virtual environment is nobody's text.
    """
    paths = files_of_git(root) or set(files_below(root))
    environments = {path.parent for path in paths if path.name == "pyvenv.cfg"} - {root}
    for path in sorted(paths):
        if path.suffix not in SUFFIXES or environments.intersection(path.parents):
            continue
        try:
            path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        yield path


def files_of_git(root):
    if not (root / ".git").exists():
        return set()
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):  # no git, or not on our files
        return set()
    return {root / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name}


def files_below(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f in DOTTED or not MADE.fullmatch(f)]
        yield from (Path(folder, name) for name in names)


def replace(text, old, new):
    """Replace both forms of the address: on GitHub, and of the published book.

    Both at once, since the one may hold the other: me/me.github.io is published as
    https://me.github.io. From the placeholder, set-up cells that refuse become ones that install.
    """
    if old.startswith(f"{PLACEHOLDER}/"):
        text = NOTE.sub("", text)
        text = UNPUBLISHED.sub(lambda found: set_up(found, new), text)
    old_site, new_site = (
        course.Repository(slug, "").site.removeprefix("https://") for slug in (old, new)
    )
    slug = rf"(?<![\w.-]){re.escape(old)}"
    site = rf"(?<![\w.-])(?<!\w/){re.escape(old_site)}"
    end = r"(?![\w-]|\.(?!git\b)\w)"  # course.git is the course, course.x is another
    return re.sub(
        rf"(?:{slug}|(?P<site>{site})){end}",
        lambda found: new_site if found["site"] else new,
        text,
    )


def main():
    if len(sys.argv) != 2 or not SLUG.fullmatch(sys.argv[1]):
        named = " ".join(sys.argv[1:])
        sys.exit(
            f"{named!r} is no repository: run make repository REPO=owner/name,"
            " as on GitHub"
        )
    old, new = course.repository().slug, sys.argv[1]
    # _config.yml holds the old address until all else is written: what breaks off can be repeated.
    config = course.ROOT / "_config.yml"
    for path in sorted(text_files(), key=lambda path: path == config):
        before = path.read_text(encoding="utf-8")
        after = replace(before, old, new)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            print(f"changed {path.relative_to(course.ROOT)}")


if __name__ == "__main__":
    main()
