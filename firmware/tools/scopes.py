"""What the top-level names of a module mean, and where they are used (hosts only; `firmware.link` joins modules by it).

Scopes as in the language reference, section 4.2: a function does not see the names of a class around it.
"""

import ast
import re

from firmware.tools.edits import extent

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_IMPORTS = (ast.Import, ast.ImportFrom)


class Use:
    """A place where a top-level name stands: `node`; `attribute` is the node of `name.x` around it, or None;
    `owner` the top-level definition that it is in, or None; `is_definition` when it is the name of one; `hidden`:
    names that would mean something of a function there."""

    def __init__(self, node, name, attribute, owner, is_definition, hidden=frozenset()):
        self.hidden = hidden
        self.node = node
        self.name = name
        self.attribute = attribute
        self.owner = owner
        self.is_definition = is_definition


class Unit:
    """One module.

    names: {top-level name: ("own", module, name), ("module", module, None) or ("from", module, name)}, the last as it
    is written, which may turn out to be a module; uses: [Use]; imports: [(statement, is at the top)];
    definitions: {name: statement} of what does nothing unless it is used;
    dependencies: known modules that it imports at its top, in order; borrowed: those that it names in
    `firmware.rarely.borrow`."""

    def __init__(self, name, text, known):
        self.name = name
        self.text = text
        self.lines = text.splitlines()
        self.known = known
        self.tree = ast.parse(text)
        self.names = {}
        self.uses = []
        self.imports = []
        self.definitions = {}
        self.dependencies = []
        self.borrowed = [
            node.args[0].value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "borrow"
        ]
        self.is_joinable = True
        for statement in self.tree.body:
            self._define(statement)
        read = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        if "__name__" in read:
            self.is_joinable = False
        owners = {id(statement): name for name, statement in self.definitions.items()}
        for statement in self.tree.body:
            self._visit(statement, [], owners.get(id(statement)))

    def imported(self, statement):
        """(name, meaning) of all that an import statement binds."""
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                yield alias.asname or alias.name, ("from", statement.module, alias.name)
        else:
            for alias in statement.names:
                name = alias.asname or alias.name.partition(".")[0]
                yield name, ("module", alias.name if alias.asname else name, None)

    def _bind(self, name, meaning):
        if self.names.setdefault(name, meaning) != meaning:
            self.is_joinable = False

    def _define(self, statement):
        if isinstance(statement, _IMPORTS):
            for name, meaning in self.imported(statement):
                self._bind(name, meaning)
                # A package is not needed for the module that is taken from it: what it imports is its own affair.
                inner = f"{meaning[1]}.{meaning[2]}"
                wanted = inner if inner in self.known else meaning[1]
                if wanted in self.known:
                    self.dependencies.append(wanted)
        elif isinstance(statement, _DEFINITIONS):
            self._bind(statement.name, ("own", self.name, statement.name))
            self.definitions[statement.name] = statement
        elif isinstance(statement, (ast.If, ast.Try)):
            self.is_joinable = False
        else:
            for name in _locals([statement]):
                self._bind(name, ("own", self.name, name))
                if isinstance(statement, ast.Assign) and _is_pure(statement):
                    self.definitions.setdefault(name, statement)

    def _visit(self, node, scopes, owner):
        """Note the uses in `node`; scopes: [(names, is a class)] from the outside in."""
        if isinstance(node, _IMPORTS):
            self.imports.append((node, not scopes))
        elif isinstance(node, ast.Global):
            self.uses += [Use(node, name, None, owner, False) for name in node.names]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            self._name(node.value, node, scopes, owner)
        elif isinstance(node, ast.Name):
            self._name(node, None, scopes, owner)
        elif isinstance(node, _DEFINITIONS):
            if not scopes:
                self.uses.append(Use(node, node.name, None, owner, True))
            is_class = isinstance(node, ast.ClassDef)
            outside = [*node.decorator_list, *(node.bases + node.keywords if is_class else _defaults(node.args))]
            self._inside(outside, scopes, owner)
            names = _locals(node.body) | (set() if is_class else _arguments(node.args))
            self._inside(node.body, [*scopes, (names, is_class)], owner)
        elif isinstance(node, ast.Lambda):
            self._inside(_defaults(node.args), scopes, owner)
            self._visit(node.body, [*scopes, (_arguments(node.args), False)], owner)
        elif isinstance(node, _COMPREHENSIONS):
            first = node.generators[0].iter
            self._visit(first, scopes, owner)
            names = {one.id for part in node.generators for one in ast.walk(part.target) if isinstance(one, ast.Name)}
            inside = [*scopes, (names, False)]
            results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            later = [part.iter for part in node.generators[1:]]
            self._inside([*results, *later, *(one for part in node.generators for one in part.ifs)], inside, owner)
        else:
            self._inside(ast.iter_child_nodes(node), scopes, owner)

    def _inside(self, nodes, scopes, owner):
        for node in nodes:
            self._visit(node, scopes, owner)

    def _name(self, node, attribute, scopes, owner):
        for number, (names, is_class) in enumerate(reversed(scopes)):
            if node.id in names and (number == 0 or not is_class):
                return
        is_definition = owner == node.id and not scopes and not isinstance(node.ctx, ast.Load)
        hidden = frozenset().union(*(names for names, _ in scopes))
        self.uses.append(Use(node, node.id, attribute, owner, is_definition, hidden))

    def statements_of(self, names):
        return {name: self.definitions[name] for name in names}

    def removal(self, name):
        """The edit that takes a definition out."""
        node = self.definitions[name]
        first = next(iter(getattr(node, "decorator_list", ())), node)
        return ((first.lineno, node.col_offset, node.end_lineno, node.end_col_offset), "0")

    def renaming(self, use, final, whole):
        """Edits that put `final` where the name stands, or where `name.attribute` stands when `whole`."""
        if whole:
            return [(extent(use.attribute), final)]
        if final == use.name:
            return []
        if isinstance(use.node, ast.Name):
            return [(extent(use.node), final)]
        line = self.lines[use.node.lineno - 1]
        found = re.compile(rf"\b{use.name}\b").search(line, use.node.col_offset)
        return [((use.node.lineno, found.start(), use.node.lineno, found.end()), final)]


def _is_pure(statement):
    """Whether an assignment of one name calls nothing."""
    is_one = len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)
    return is_one and not any(isinstance(node, (ast.Call, ast.Await)) for node in ast.walk(statement.value))


def _arguments(arguments):
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {one.arg for one in named if one is not None}


def _defaults(arguments):
    return [one for one in (*arguments.defaults, *arguments.kw_defaults) if one is not None]


def _locals(body):
    """Names that statements bind in their own scope, without those that they declare global."""
    names, outside = set(), set()

    def visit(node):
        if isinstance(node, _DEFINITIONS):
            names.add(node.name)
            return
        if isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            return
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            outside.update(node.names)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, _IMPORTS):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    for statement in body:
        visit(statement)
    return names - outside
