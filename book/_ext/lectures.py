"""What building the lectures needs beyond Jupyter Book: an execution cache that can be trusted.

Jupyter Book's cache looks at the notebook alone: change the package, and a page keeps the output
of the old one. Here the cache lies in a folder named by what the outputs depend on, the package's
sources and the versions of the numerical libraries: a change executes every page anew, a change
back finds the old outputs again.

What has run is written down: the tests of the same change need not run it again.
"""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(
    0, str(ROOT)
)  # for tools/, a folder of the repository that is not installed

from tools import executed  # noqa: E402 (tools/ is within reach from here on)


def configure(app, config):
    root = Path(app.srcdir)
    config.nb_execution_cache_path = str(
        root / "_build" / "executed" / executed.fingerprint(root)
    )
    if os.environ.get("CI"):  # a published page never rests on an old output
        shutil.rmtree(config.nb_execution_cache_path, ignore_errors=True)
    # Kernels inherit these. An explorer then draws frames that move without a kernel, what the
    # text says of the printed numbers must be so, and neither the reader's own IPython settings
    # nor ipykernel's remarks on transport come in.
    os.environ["LECTURES_STATIC_BUILD"] = "1"
    os.environ["LECTURES_STRICT"] = "1"
    os.environ["IPYTHONDIR"] = str(quiet_ipython(root / "_build" / "ipython"))


def remember(app, error):
    """Write down which pages have run, so that the tests need not run them again."""
    if error is None and app.builder.name == "html":
        executed.remember(Path(app.srcdir))


def quiet_ipython(folder):
    """An IPython folder whose kernels report errors only."""
    settings = folder / "profile_default" / "ipython_kernel_config.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("get_config().IPKernelApp.log_level = 40\n", encoding="utf-8")
    return folder


def setup(app):
    app.connect("config-inited", configure)
    app.connect("build-finished", remember)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
