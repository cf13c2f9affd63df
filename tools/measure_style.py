"""Holds a package to the bounds of the house and says where it is outside: maxima, never averages.

    python tools/measure_style.py src/surefoot

A function's length leaves out its docstring; `elif` does not nest; parameters leave out self and cls; a public name is one
without a leading underscore, its class included. An import under TYPE_CHECKING or inside a function is no edge of a cycle.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE_LINES, FUNCTION_LINES, PAGE_LINES, PARAMETERS, NESTING, METHODS = 500, 80, 40, 8, 4, 20
DOCUMENTED, ROOT_ERRORS = 0.9, 1
PAGE = "pipeline.py"
BUILTIN_ERRORS = {
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
}
Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


@dataclass(frozen=True)
class Finding:
    """Something out of bounds."""

    where: str
    what: str


@dataclass(frozen=True)
class Module:
    """One parsed file."""

    path: Path
    name: str
    tree: ast.Module
    lines: int


def read(package: Path) -> list[Module]:
    """Every module of a package."""
    found = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text("utf-8")
        name = ".".join((package.name, *path.relative_to(package).with_suffix("").parts)).removesuffix(".__init__")
        found.append(Module(path, name, ast.parse(text), text.count("\n")))
    return found


def findings(package: Path) -> list[Finding]:
    """Everything out of bounds, file by file, then what concerns the whole."""
    modules = read(package)
    found = [finding for module in modules for finding in _of_module(module)]
    names = {module.name for module in modules}
    found += [
        Finding(" -> ".join(ring), "import cycle") for ring in cycles({m.name: imports(m, names) for m in modules})
    ]
    found += _documentation(modules)
    roots = error_roots(modules)
    if len(roots) > ROOT_ERRORS:
        found.append(Finding(", ".join(sorted(roots)), f"{len(roots)} error roots, at most {ROOT_ERRORS}"))
    return found


def _of_module(module: Module) -> Iterator[Finding]:
    if module.lines > FILE_LINES:
        yield Finding(str(module.path), f"{module.lines} lines, at most {FILE_LINES}")
    most = PAGE_LINES if module.path.name == PAGE else FUNCTION_LINES
    for node in ast.walk(module.tree):
        where = f"{module.path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, Function):
            yield from _of_function(node, where, most)
        elif isinstance(node, ast.ClassDef):
            methods = sum(isinstance(child, Function) for child in node.body)
            if methods > METHODS:
                yield Finding(where, f"class {node.name} has {methods} methods, at most {METHODS}")
        elif isinstance(node, ast.ExceptHandler) and _swallows(node):
            yield Finding(where, "a broad except that swallows")


def _of_function(node: Function, where: str, most: int) -> Iterator[Finding]:
    length = (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
    if length > most:
        yield Finding(where, f"{node.name} has {length} lines, at most {most}")
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    counted = [argument for argument in arguments if argument.arg not in ("self", "cls")]
    number = len(counted) + bool(node.args.vararg) + bool(node.args.kwarg)
    if number > PARAMETERS:
        yield Finding(where, f"{node.name} takes {number} parameters, at most {PARAMETERS}")
    if any(argument.annotation is None for argument in counted) or node.returns is None:
        yield Finding(where, f"{node.name} is not fully annotated")
    depth = nesting(node)
    if depth > NESTING:
        yield Finding(where, f"{node.name} nests {depth} deep, at most {NESTING}")


def nesting(node: ast.AST, depth: int = 0) -> int:
    """How deep blocks stand in blocks; nested functions count for themselves."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*Function.__args__, ast.ClassDef, ast.Lambda)):
            continue
        is_elif = isinstance(child, ast.If) and isinstance(node, ast.If) and child in node.orelse
        deepest = max(deepest, nesting(child, depth + (isinstance(child, BLOCKS) and not is_elif)))
    return deepest


def _docstring_lines(node: Function) -> int:
    first = node.body[0]
    is_doc = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return (first.end_lineno or first.lineno) - first.lineno + 1 if is_doc else 0


def _swallows(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")) for kind in kinds
    )
    return broad and all(isinstance(statement, ast.Pass | ast.Continue) for statement in handler.body)


def imports(module: Module, names: set[str]) -> set[str]:
    """The package's own modules that a module imports when it is loaded."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, (*Function.__args__, ast.Lambda)):
            return
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            base = node.module or ""
            found.update(full if (full := f"{base}.{alias.name}") in names else base for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(module.tree)
    return (found & names) - {module.name}


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Rings of modules that import each other: every module that can reach itself, in groups."""
    reach = {name: _reachable(graph, name) for name in graph}
    rings: dict[frozenset[str], list[str]] = {}
    for name in graph:
        if name in reach[name]:
            ring = frozenset(other for other in reach[name] if name in reach[other])
            rings[ring] = sorted(ring)
    return list(rings.values())


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def _documentation(modules: list[Module]) -> Iterator[Finding]:
    public, bare = 0, []
    for module in modules:
        for node in _public(module.tree):
            public += 1
            if ast.get_docstring(node) is None:
                bare.append(f"{module.path}:{node.lineno} {node.name}")
    if public and 1 - len(bare) / public < DOCUMENTED:
        yield Finding("; ".join(bare[:10]), f"{len(bare)} of {public} public names have no docstring")


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, (*Function.__args__, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def error_roots(modules: list[Module]) -> set[str]:
    """Exception classes that derive straight from a builtin."""
    return {
        node.name
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id in BUILTIN_ERRORS for base in node.bases)
    }


def main() -> int:
    """Print what is out of bounds; 1 when anything is."""
    found = [finding for argument in sys.argv[1:] for finding in findings(Path(argument))]
    for finding in found:
        print(f"{finding.where}: {finding.what}")
    print(f"{len(found)} out of bounds" if found else "within the bounds of the house")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
