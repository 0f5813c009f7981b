"""The workflows: who may write, and on which versions the course runs.

That actions are pinned, that rights are few and that no script holds an expression, zizmor checks:
the job `lint` of ci.yml runs it.
"""

import re
import tomllib

import pytest
import yaml

from tools import course, edits

WORKFLOWS = sorted((course.ROOT / ".github" / "workflows").glob("*.yml"))
# Jobs that need more than to read, and what they need it for.
WRITERS = {
    "pages.yml: address": {"contents": "write"},
    "pages.yml: deploy": {"pages": "write", "id-token": "write"},
    "release.yml: publish": {"id-token": "write"},
    "release.yml: announce": {"contents": "write"},
}
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)


def jobs(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


def workflow(name):
    return course.ROOT / ".github" / "workflows" / name


def oldest_python():
    with open(course.ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]["requires-python"].removeprefix(">=")


def python_of(job):
    return [
        step["with"]["python-version"]
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/setup-python@")
    ]


def pythons_of_script(name):
    script = (course.ROOT / "tools" / name).read_text(encoding="utf-8")
    return re.findall(r"\bpython(\d\.\d+)\b", script)


def test_each_week_runs_the_edits_of_every_page():
    (job,) = jobs(workflow("numerics.yml")).values()
    asked = [what.split("PAGE=") for what in job["strategy"]["matrix"]["what"]]
    folders = [
        folder for target, *pages in asked if target == "edits " for folder in pages
    ]
    assert folders
    pages = edits.asked_for(folders, edits.rows())
    assert sorted(pages) == sorted(edits.rows())


@every_workflow
def test_nothing_is_written_unless_a_job_needs_it(path):
    granted = yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"]
    for name, job in jobs(path).items():
        where = f"{path.name}: {name}"
        rights = job.get("permissions", granted)
        assert rights == WRITERS.get(where) or set(rights.values()) <= {"read"}, (
            f"{where}: say in WRITERS of tests/test_workflows.py why it writes"
        )
        assert "timeout-minutes" in job, f"{where}: give it timeout-minutes"


@every_workflow
def test_a_job_that_writes_installs_nothing(path):
    """A package could leave a git hook, or a program before git in the path."""
    may_run = re.compile(
        r"(actions/(checkout|deploy-pages|download-artifact)|pypa/gh-action-pypi-publish)@.*"
    )
    installs = re.compile(r"\b(make (?!repository)|pip|npm|npx|curl|wget|apt-get)\b")
    for name, job in jobs(path).items():
        if f"{path.name}: {name}" in WRITERS:
            for step in job["steps"]:
                assert may_run.fullmatch(step.get("uses", "actions/checkout@")), (
                    f"{path.name}: {name}: runs {step['uses']} beside a token that writes"
                )
                commands = re.sub(r"\becho .*", "", step.get("run", ""))
                assert not installs.search(commands), (
                    f"{path.name}: {name}: installs beside a token that writes"
                )


@every_workflow
def test_no_workflow_holds_the_address(path):
    """GitHub refuses a push by a workflow that changes a workflow."""
    assert course.repository().slug not in path.read_text(encoding="utf-8"), (
        f"{path.name}: use $GITHUB_REPOSITORY"
    )


def test_python_versions():
    """From the oldest that we promise to Colab's, each where it is needed."""
    oldest, colab = oldest_python(), "3.13"
    ci = jobs(workflow("ci.yml"))
    for place, versions, needed in [
        ("ci.yml: test", ci["test"]["strategy"]["matrix"]["python"], oldest),
        ("ci.yml: test", ci["test"]["strategy"]["matrix"]["python"], colab),
        ("ci.yml: lowest", python_of(ci["lowest"]), oldest),
        ("colab.yml: colab", python_of(jobs(workflow("colab.yml"))["colab"]), colab),
        ("tools/lowest.sh", pythons_of_script("lowest.sh"), oldest),
        ("tools/colab.sh", pythons_of_script("colab.sh"), colab),
    ]:
        assert needed in versions, f"{place}: add Python {needed} to {versions}"


def test_the_book_is_published_under_the_address_of_its_repository():
    build = jobs(workflow("pages.yml"))["build"]
    commands = [step["run"] for step in build["steps"] if "run" in step]
    address, book = 'make repository REPO="$GITHUB_REPOSITORY"', "make book"
    assert [c for c in commands if c in (address, book)] == [address, book], (
        f"pages.yml: build: run `{address}`, then `{book}`"
    )


def test_what_is_released_was_checked():
    """A tag alone starts it, and each job waits for the one before."""
    path = workflow("release.yml")
    events = yaml.safe_load(path.read_text(encoding="utf-8"))[True]
    assert events == {"push": {"tags": ["v*"]}}
    first, *later = jobs(path).items()
    commands = [step.get("run", "") for step in first[1]["steps"]]
    assert any("tools.release --agrees" in command for command in commands)
    assert any("tools.release --check" in command for command in commands)
    for (before, _), (name, job) in zip([first, *later], later, strict=False):
        assert job.get("needs") == before, f"release.yml: {name} must need {before}"
        assert "if" not in job, f"release.yml: {name} would run though {before} did not"


def test_only_main_is_published():
    path = workflow("pages.yml")
    # YAML 1.1, which PyYAML reads, takes the key `on` for true.
    events = yaml.safe_load(path.read_text(encoding="utf-8"))[True]
    assert events == {"push": {"branches": ["main"]}, "workflow_dispatch": None}, (
        "pages.yml: run on a push to main, or by hand, and on nothing else"
    )
    # By hand one may choose another branch; the later jobs need the first.
    first, *later = jobs(path).items()
    assert first[1].get("if") == "github.ref == 'refs/heads/main'", (
        f"pages.yml: {first[0]}: must run on main only"
    )
    for (before, _), (name, job) in zip([first, *later], later, strict=False):
        assert job.get("needs") == before, f"pages.yml: {name} must need {before}"
        assert "if" not in job, f"pages.yml: {name} would run though {before} did not"
