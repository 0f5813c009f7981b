"""The local Sphinx extension: the execution cache follows the package."""

import importlib.util
from types import SimpleNamespace

import pytest

from tools import course


@pytest.fixture(scope="module")
def extension():
    path = course.ROOT / "book" / "_ext" / "lectures.py"
    spec = importlib.util.spec_from_file_location("lectures_extension", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path):
    (tmp_path / "lectures_helpers").mkdir()
    (tmp_path / "lectures_helpers" / "ss.py").write_text("x = 1\n")
    return tmp_path


def test_fingerprint_follows_the_sources(extension, package):
    source = package / "lectures_helpers" / "ss.py"
    first = extension.fingerprint(package)
    source.write_text("x = 2\n")
    assert extension.fingerprint(package) != first
    source.write_text("x = 1\n")
    assert extension.fingerprint(package) == first
    source.rename(source.with_name("other.py"))
    assert extension.fingerprint(package) != first


def test_fingerprint_follows_the_libraries(extension, package, monkeypatch):
    first = extension.fingerprint(package)
    monkeypatch.setattr(extension, "version", lambda name: "0.0")
    assert extension.fingerprint(package) != first


@pytest.mark.parametrize(("ci", "mode"), [("", "cache"), ("true", "force")])
def test_configure(extension, package, monkeypatch, ci, mode):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("LECTURES_STATIC_BUILD", "")
    monkeypatch.setenv("IPYTHONDIR", "")
    config = SimpleNamespace(nb_execution_mode="cache")
    extension.configure(SimpleNamespace(srcdir=package), config)
    assert config.nb_execution_mode == mode
    assert config.nb_execution_cache_path.endswith(extension.fingerprint(package))
    assert extension.os.environ["LECTURES_STATIC_BUILD"] == "1"
