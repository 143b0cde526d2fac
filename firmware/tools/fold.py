"""Named numbers cost nothing on the lamp: puts the value of a constant wherever its name stands (hosts only).

In a .mpy every name of a module costs about 18 bytes of the chip's heap, so 500 named constants are 9 KB of 128. The
image is therefore compiled from sources in which constants are replaced by their values and their definitions are
gone. A constant is a name in capitals that a module of contract/ or firmware/ assigns once, at its top level, an
expression of literals and other constants; whole numbers, truth values and short words are replaced. Whatever is
reached in another way (`getattr`, an attribute of something that is no module, `__all__`) keeps its definition.

Lines stay where they are, so that a traceback from the pole still points into the source.
"""

import ast
import importlib
import operator

from firmware.tools.edits import edited, extent, for_micropython

_OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
}

# mpy-cross interns texts up to this length; a longer one would be an object of its own wherever it is used.
_SHORT = 10


def fold(texts):
    """{module name: source text} with constants in place, of all sources that go into one image."""
    return Program(texts).fold()


class Unknown(Exception):
    """An expression has no value that is known before the lamp runs."""


class Module:
    """One source: its tree, its constants, and what its names mean elsewhere."""

    def __init__(self, name, text):
        self.name = name
        self.text = text
        self.tree = ast.parse(text)
        self.definitions = {}  # constant: its Assign statement
        self.imported = {}  # name: (module, attribute), or (module, None) when it is a module itself
        self.residue = set()  # names that are still read after folding
        self.edits = []  # (extent, new text)
        self._find_names()

    def _find_names(self):
        bindings = {}
        for node in ast.walk(self.tree):
            for name in _bound(node):
                bindings[name] = bindings.get(name, 0) + 1
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if isinstance(target, ast.Name) and target.id.isupper() and bindings[target.id] == 1:
                    self.definitions[target.id] = statement
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if bindings[alias.asname or alias.name] == 1:
                        self.imported[alias.asname or alias.name] = (node.module, alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname and bindings[alias.asname] == 1:
                        self.imported[alias.asname] = (alias.name, None)


def _bound(node):
    """Names that this node binds in whatever scope."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ExceptHandler) and node.name:
        return [node.name]
    if isinstance(node, ast.Global):
        return node.names
    return []


class Program:
    """All sources that go into one image, by the names of their modules."""

    def __init__(self, texts):
        self.modules = {name: Module(name, for_micropython(text)) for name, text in texts.items()}

    def value(self, module, node):
        """The value of an expression in `module`. Raises Unknown."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](self.value(module, node.left), self.value(module, node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](self.value(module, node.operand))
        if isinstance(node, ast.Name):
            return self._named(module, node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(module, node)
        raise Unknown

    def _named(self, module, name):
        if name in module.definitions:
            return self.value(module, module.definitions[name].value)
        source, attribute = module.imported.get(name, (None, None))
        if attribute is None or source not in self.modules:
            raise Unknown
        return self._member(source, attribute)

    def _member(self, name, attribute):
        if attribute in self.modules[name].definitions:
            return self._named(self.modules[name], attribute)
        raise Unknown

    def _attribute(self, module, node):
        chain = []
        while isinstance(node, ast.Attribute):
            chain.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in module.imported or not chain[0].isupper():
            raise Unknown
        source, attribute = module.imported[node.id]
        if attribute is not None:
            source = f"{source}.{attribute}"
        if source not in self.modules:
            raise Unknown
        if len(chain) == 1:
            return self._member(source, chain[0])
        if not source.startswith("contract."):
            raise Unknown
        # A field of a table of the contract, which is the same on every interpreter.
        found = importlib.import_module(source)
        for step in chain:
            found = getattr(found, step, None)
        return found

    def literal(self, module, node):
        """The text that may stand for this expression, or None."""
        try:
            value = self.value(module, node)
        except (Unknown, TypeError, ValueError, ZeroDivisionError):
            return None
        if type(value) in (int, bool) or (type(value) is str and len(value) <= _SHORT and value.isidentifier()):
            return repr(value) if type(value) is not int or value >= 0 else f"({value})"
        return None

    def fold(self):
        """{module name: source text} with constants in place."""
        for module in self.modules.values():
            self._replace(module)
        elsewhere = set()
        for module in self.modules.values():
            elsewhere |= module.attributes
        for module in self.modules.values():
            self._remove_imports(module)
        wanted = {pair for module in self.modules.values() for pair in module.still_imported}
        for module in self.modules.values():
            for name, statement in module.definitions.items():
                is_read = name in module.residue or name in elsewhere or (module.name, name) in wanted
                if not is_read and self.literal(module, statement.value) is not None:
                    module.edits.append((extent(statement), "0"))
        return {name: edited(module.text, module.edits) for name, module in self.modules.items()}

    def _replace(self, module):
        """Note the edits that put values in place, and what is still read by name."""
        module.attributes = set()
        kept = {id(statement) for statement in module.definitions.values()}

        def visit(node):
            if isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)):
                text = self.literal(module, node) if _is_capital(node) and isinstance(node.ctx, ast.Load) else None
                if text is not None:
                    module.edits.append((extent(node), text))
                    return
                if isinstance(node, ast.Name):
                    module.residue.add(node.id)
                else:
                    module.attributes.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                module.attributes.add(node.value)  # getattr and its like
            elif id(node) in kept and self.literal(module, node.value) is not None:
                return  # either the whole statement goes, or it stays as it is
            elif isinstance(node, ast.JoinedStr):
                for name in ast.walk(node):
                    if isinstance(name, ast.Name):
                        module.residue.add(name.id)
                    elif isinstance(name, ast.Attribute):
                        module.attributes.add(name.attr)
                return  # positions inside f-strings are not reliable before Python 3.12
            for child in ast.iter_child_nodes(node):
                visit(child)

        visit(module.tree)

    def _remove_imports(self, module):
        module.still_imported = set()
        for node in ast.walk(module.tree):
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            source = getattr(node, "module", None)
            kept = []
            for alias in node.names:
                name = alias.asname or alias.name
                home = source if source in self.modules and alias.name in self.modules[source].definitions else None
                is_ours = home is not None or f"{source}.{alias.name}" in self.modules or alias.name in self.modules
                # A package whose __init__ imports a name offers it to others.
                is_gone = is_ours and name in module.imported and name not in module.residue
                if is_gone and not self._is_offered(module, name):
                    continue
                kept.append(alias)
                if home is not None:
                    module.still_imported.add((home, alias.name))
            if len(kept) < len(node.names):
                names = ", ".join(f"{alias.name} as {alias.asname}" if alias.asname else alias.name for alias in kept)
                start = f"from {source} import " if source else "import "
                module.edits.append((extent(node), start + names if kept else "0"))

    def _is_offered(self, module, name):
        return any(
            name in other.attributes or (module.name, name) in other.imported.values()
            for other in self.modules.values()
            if other is not module
        )


def _is_capital(node):
    """Whether an expression is a constant's name, or reads something of one: CAPITALS, module.CAPITALS.id"""
    while isinstance(node, ast.Attribute):
        if node.attr.isupper():
            return True
        node = node.value
    return isinstance(node, ast.Name) and node.id.isupper()
