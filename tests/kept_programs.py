"""A plugin for the lectures as tests: what a page compiled when it was built, it finds again."""

import os

import pytest

from tools import course, programs


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.path.suffix == ".ipynb":  # its kernel starts with its first cell
        page = item.path.with_suffix("").relative_to(course.ROOT).as_posix()
        os.environ.update(programs.environment(page))
