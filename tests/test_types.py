"""What a reader's editor can show of the package: its face, annotated and short.

Whether the annotations are *true* is for mypy, in `make lint`.
"""

import importlib.resources
import inspect
import pkgutil

import pytest

import lectures_helpers

MODULES = [
    module.name
    for module in pkgutil.walk_packages(lectures_helpers.__path__, "lectures_helpers.")
    if not module.ispkg
]


def functions(owner, names):
    """The functions of those names in a module or class, what `jax.jit` wraps included."""
    for name in names:
        value = inspect.unwrap(inspect.getattr_static(owner, name))
        if isinstance(value, (staticmethod, classmethod, property)):
            value = value.fget if isinstance(value, property) else value.__func__
        if inspect.isfunction(value):
            yield name, value


@pytest.mark.parametrize("name", MODULES)
def test_the_face_of_a_module_is_annotated_and_described(name):
    module = importlib.import_module(name)
    faults = []
    found = dict(functions(module, module.__all__))
    for cls in (getattr(module, public) for public in module.__all__):
        if inspect.isclass(cls):
            own = [key for key in vars(cls) if not key.startswith("_")]
            methods = dict(functions(cls, own))
            found |= {f"{cls.__name__}.{key}": fn for key, fn in methods.items()}
            if not inspect.getdoc(cls):
                faults.append(f"{cls.__name__} has no docstring")
    for public, fn in found.items():
        signature = inspect.signature(fn)
        bare = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.annotation is parameter.empty and parameter.name != "self"
        ]
        if bare:
            faults.append(f"{public} says no type of {', '.join(bare)}")
        if signature.return_annotation is signature.empty:
            faults.append(f"{public} says no type of what it returns")
        described = inspect.getdoc(fn) or ""
        if not described:
            faults.append(f"{public} has no docstring")
        refuses = "raise ValueError" in inspect.getsource(fn)
        if refuses and "Args:" in described and "Raises:" not in described:
            faults.append(f"{public} does not say what it raises")
    assert not faults, f"{name}: {'; '.join(faults)}"


@pytest.mark.parametrize("name", MODULES)
def test_no_function_has_more_than_eight_arguments(name):
    """But for those that make a model: all its parameters stand there in one place."""
    module = importlib.import_module(name)
    own = [key for key, value in vars(module).items() if callable(value)]
    too_long = {
        key: len(inspect.signature(fn).parameters)
        for key, fn in functions(module, own)
        if fn.__module__ == name and not key.startswith("create_")
    }
    assert all(number <= 8 for number in too_long.values()), too_long


def test_whoever_installs_the_package_gets_its_types():
    assert (importlib.resources.files(lectures_helpers) / "py.typed").is_file()
