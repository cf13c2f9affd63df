"""The bounds of the house are held by a check that finds what it says it finds."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def style() -> ModuleType:
    path = Path(__file__).parents[3] / "tools" / "measure_style.py"
    spec = importlib.util.spec_from_file_location("measure_style", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["measure_style"] = module
    spec.loader.exec_module(module)
    return module


def found(style: ModuleType, tmp_path: Path, **files: str) -> list[str]:
    package = tmp_path / "package"
    package.mkdir()
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    return [finding.what for finding in style.findings(package)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = 1\n" * 501, "501 lines"),
        ('"""d"""\ndef f() -> None:\n    """d"""\n' + "    x = 1\n" * 81, "f has 82 lines"),
        (
            'def f(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int, i: int) -> None:\n    """d"""\n',
            "9 parameters",
        ),
        ('def f(a) -> None:\n    """d"""\n', "not fully annotated"),
        ("try:\n    x = 1\nexcept Exception:\n    pass\n", "swallows"),
        ("class A(ValueError):\n    '''d'''\nclass B(KeyError):\n    '''d'''\n", "2 error roots"),
        ("def f() -> None:\n    x = 1\n", "no docstring"),
        (
            'def f() -> None:\n    """d"""\n    if 1:\n        if 1:\n            if 1:\n                if 1:\n'
            "                    if 1:\n                        pass\n",
            "nests 5 deep",
        ),
    ],
)
def test_what_is_out_of_bounds_is_named(style: ModuleType, tmp_path: Path, text: str, what: str) -> None:
    assert any(what in each for each in found(style, tmp_path, module=text))


def test_modules_that_import_each_other_are_a_cycle(style: ModuleType, tmp_path: Path) -> None:
    assert found(style, tmp_path, a="import package.b\n", b="from package import a\n") == ["import cycle"]


def test_the_house_is_within_its_bounds(style: ModuleType) -> None:
    assert style.findings(Path(__file__).parents[3] / "src" / "surefoot") == []
