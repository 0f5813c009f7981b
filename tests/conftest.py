"""Settings of every test, put in place before JAX is imported.

JAX stays in its default 32-bit mode: what needs 64 bits must say so itself.
"""

import os

# The tests' sizes suit a CPU. The kernels of the lectures inherit these variables from here.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_DEBUG_KEY_REUSE", "1")  # a random key used twice is an error
os.environ.setdefault("LECTURES_STRICT", "1")  # what a text says of its numbers is so

import hypothesis
import jax
import pytest

# No silent change of precision, no broadcast that nobody asked for.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)

# Most of what unit tests do is compile small programs that run once: compiled fast, not to run
# fast. (Lectures, and tests that start processes of their own, compile as everybody does.)
# FULL_OPTIMIZATION=1 makes the tests do so, too.
jax.config.update(
    "jax_disable_most_optimizations", not os.environ.get("FULL_OPTIMIZATION")
)

# No deadline: how long an example takes says more of the machine than of the code. The same
# examples in every run of CI: a rare failure is found at a desk, and then kept.
hypothesis.settings.register_profile("desk", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """The run's last line says so when the book was not looked at in a browser."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in reporter.stats.get("skipped", [])
        if report.nodeid.startswith(("tests/test_site.py", "tests/test_explorers"))
    ]
    if reasons:
        reporter.write_line(
            f"Not tested: the built book and its explorers in a browser. {len(reasons)}"
            f" tests were skipped: {reasons[0]}"
        )


@pytest.fixture(scope="module")
def in_page():
    """What a function of an explorer's module returns in a browser, as `called_in_page`."""
    from page_modules import called_in_page  # a browser, which most tests need not load

    with called_in_page() as call:
        yield call
