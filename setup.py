"""What pyproject.toml cannot say: on the package index, README's links lead to the repository."""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
#: A link or a picture whose file lies beside README.
RELATIVE = re.compile(r"(?<=\]\()(?![a-z]+:|#)(?=[^()\s]+\))")

with open(ROOT / "pyproject.toml", "rb") as file:
    repository = tomllib.load(file)["project"]["urls"]["Repository"]
readme = (ROOT / "README.md").read_text(encoding="utf-8")
setup(
    long_description=RELATIVE.sub(f"{repository}/blob/HEAD/", readme),
    long_description_content_type="text/markdown",
)
