"""Private names are one set for all classes: what a class keeps to itself is called `_0`, `_1` and so on (hosts only).

Every different name that the image holds is a row in a table in the heap, 10 bytes on the VM, and the table grows by
doubling (docs/firmware.md, "Memory"); this spares the lamp 300 names of 1,800. A private attribute or method that is
only ever reached through `self` belongs to its class alone, so two classes may call theirs alike. A name that somebody
reaches in another way (another object's, a text for `getattr`, a class attribute, an f-string) stays as it is, and so
does everything of a class whose relatives are not all in its module.

Lines stay where they are; a traceback tells a private method by its line.
"""

import ast
import builtins

from firmware.tools.edits import edited


def shorten(texts):
    """{module: text} with private names shortened, of all modules of one image."""
    trees = {module: ast.parse(text) for module, text in texts.items()}
    shared = _shared(trees)
    return {module: edited(text, _edits(trees[module], shared)) for module, text in texts.items()}


def _is_private(name):
    return name.startswith("_") and not name.endswith("__")


def _shared(trees):
    """Names that are reached otherwise than through `self` within a class, and classes that other modules build on."""
    shared = set()
    for tree in trees.values():
        own = {id(node) for top in tree.body if isinstance(top, ast.ClassDef) for node in _reached(top)}
        imported = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and id(node) not in own:
                shared.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                shared.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                shared |= {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
            elif isinstance(node, ast.ClassDef):
                shared |= {name.id for one in node.body for name in _assigned(one)}
                shared |= {imported.get(base.id, "") for base in node.bases if isinstance(base, ast.Name)}
    return shared


def _assigned(statement):
    """Names that a statement of a class's body binds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return []
    return [node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _reached(owner):
    """Attributes of `self` in the methods of a class."""
    for method in owner.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(method):
                is_own = (
                    isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
                )
                if is_own and method.args.args and method.args.args[0].arg == "self":
                    yield node


def _families(tree, shared):
    """Lists of classes that inherit from each other, where all relatives are known."""
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    family = {name: {name} for name in classes}
    strangers = {name for name in classes if name in shared}
    for name, node in classes.items():
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in classes:
                together = family[name] | family[base.id]
                for one in together:
                    family[one] = together
            elif not isinstance(base, ast.Name) or not hasattr(builtins, base.id):
                strangers.add(name)
    unique = {id(names): names for names in family.values()}
    return [[classes[name] for name in sorted(names)] for names in unique.values() if not names & strangers]


def _edits(tree, shared):
    edits = []
    for family in _families(tree, shared):
        places = [
            (node.end_lineno, node.end_col_offset - len(node.attr), node.attr)
            for owner in family
            for node in _reached(owner)
        ]
        for owner in family:
            for node in owner.body:
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    keyword = "async def " if isinstance(node, ast.AsyncFunctionDef) else "def "
                    places.append((node.lineno, node.col_offset + len(keyword), node.name))
        names = sorted({name for *_, name in places if _is_private(name) and name not in shared})
        short = {name: "_%d" % number for number, name in enumerate(names)}
        edits += [
            ((line, start, line, start + len(name)), short[name]) for line, start, name in places if name in short
        ]
    return edits
