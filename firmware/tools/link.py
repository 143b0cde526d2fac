"""One module instead of a hundred: joins the modules of the lamp into the one that imports them (hosts only).

A module costs the lamp about 100 bytes of the chip's heap by being one, and 10 for every name that it imports from
another: a fifth of all that the firmware needs. The image therefore holds what a root imports under the root's name,
one module after the other; names that two of them share are told apart by their module's; functions and classes that
nobody uses are left out. A module stays one of its own when somebody handles it as an object (`__import__`, an alias
without an attribute) or when what it defines depends on something (`try: import`). What its `__getattr__` would make
is asked of that.

Nothing is reordered within a module and every line stays a line, so that the line of a traceback is found again
(`Linked.locate`).
"""

import ast
import builtins
import symtable

from firmware.tools.edits import edited, extent
from firmware.tools.scopes import Unit


class LinkError(Exception):
    """The sources cannot be joined; the text says where and why."""


class Linked:
    """texts: {module: text} of what goes into the image."""

    def __init__(self, texts, roots):
        self.units = {name: Unit(name, text, texts) for name, text in texts.items()}
        borrowed = {name for unit in self.units.values() for name in unit.borrowed}
        # The borrowed come last: what others need too stays in the heap anyway.
        self.roots = roots = (*roots, *sorted(borrowed))
        self.texts = {}
        self._starts = {}  # root: [(first line, module)]
        self._home = {}  # joined module: its root
        self._final = {}  # (root, meaning): name
        self._kept = {name for name, unit in self.units.items() if not unit.is_joinable} | set(roots)
        self._kept |= {module for unit in self.units.values() for module in self._handled(unit)}
        orders = {root: self._order(root) for root in roots}
        for root, order in orders.items():
            self._name(root, order)
        self._live = self._reach()
        for root, order in orders.items():
            self._join(root, order)
        for name, unit in self.units.items():
            if name not in self._home:
                self.texts[name] = edited(unit.text, self._edits_outside(unit))
        self._drop_unused()

    def locate(self, module, line):
        """(module, line) of the source that line `line` of the image's `module` comes from."""
        found = (module, line)
        for start, name in self._starts.get(module, ()):
            if line >= start:
                found = (name, line - start + 1)
        return found

    def _handled(self, unit):
        """Modules that `unit` uses as objects."""
        for use in unit.uses:
            if use.name in unit.names and use.attribute is None:
                kind, module, _ = self.meaning(*unit.names[use.name])
                if kind == "module":
                    yield module

    def _drop_unused(self):
        """Leave out what no module of the image asks for any more: whose names were all constants, or all joined."""
        wanted = {name for name, unit in self.units.items() if not unit.is_joinable} | set(self.roots)
        waiting = list(wanted)
        while waiting:
            tree = ast.parse(self.texts[waiting.pop()])
            for node in ast.walk(tree):
                found = []
                if isinstance(node, ast.ImportFrom):
                    found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                elif isinstance(node, ast.Import):
                    found = [alias.name for alias in node.names]
                new = {name for name in found if name in self.texts} - wanted
                wanted |= new
                waiting += new
        packages = {name.rpartition(".")[0] for name in wanted} | {name.split(".")[0] for name in wanted}
        packages -= {""}
        for package in packages - wanted:
            # What it offers is asked for elsewhere now; what it does (firmware: the collector's threshold) it does.
            acts = any(isinstance(statement, (ast.If, ast.Try)) for statement in self.units[package].tree.body)
            self.texts[package] = self.texts[package] if acts else ""
        self.texts = {name: text for name, text in self.texts.items() if name in wanted | packages}

    def _order(self, root):
        """Joined modules under `root` in order of execution, the root last."""
        order, seen = [], set()

        def visit(name):
            seen.add(name)
            for wanted in self.units[name].dependencies:
                if wanted not in seen and wanted not in self._home:
                    visit(wanted)
            if name == root or name not in self._kept:
                order.append(name)

        visit(root)
        self._home.update((name, root) for name in order)
        return order

    def meaning(self, kind, module, name):
        """What a name that was imported means in the end: ("own", module, name), ("module", ...) or ("from", ...)."""
        while kind == "from" and module in self.units:
            found = self.units[module].names.get(name)
            # A package's own name comes before its module of that name.
            if f"{module}.{name}" in self.units and found in (None, (kind, module, name)):
                return "module", f"{module}.{name}", None
            if found is None and self.units[module].is_joinable:
                raise LinkError(f"{module} has no {name}")
            if found is None or not self.units[module].is_joinable:
                break
            kind, module, name = found
        return kind, module, name

    def _name(self, root, order):
        """Give every top-level name of the joined modules its name in the root, free wherever it is used."""
        taken = {*dir(builtins), "__getattr__"}
        # `sun.events` must not become `events` in a function that has an `events` of its own.
        hidden = {}
        for module in order:
            unit = self.units[module]
            for use in unit.uses:
                if use.name in unit.names:
                    for meaning in (self._target(unit, use), self.meaning(*unit.names[use.name])):
                        hidden.setdefault(meaning, set()).update(use.hidden)
        todo = []
        for module in order:
            for name, given in self.units[module].names.items():
                meaning = self.meaning(*given)
                if meaning[0] == "own" and meaning[1] in order and meaning[1] != module:
                    continue
                if meaning[0] == "module" and self._home.get(meaning[1]) == root:
                    continue
                # Names that others ask the root for come first, then those from outside, which they are known by.
                rank = 0 if meaning[1] == root else 2 if meaning[0] == "own" and meaning[1] == module else 1
                todo.append((rank, name, meaning, module))
        for _, name, meaning, module in sorted(todo, key=lambda row: row[0]):
            if (root, meaning) in self._final:
                continue
            final, leaf = name, module.rpartition(".")[2]
            while final in taken or final in hidden.get(meaning, ()):
                # Without leading underscores: in a class `__name` would mean another.
                final = f"{name.strip('_')}_{leaf}" if final == name else final + "_"
            taken.add(final)
            self._final[root, meaning] = final

    def _target(self, unit, use):
        """The meaning that a use has, through an alias of a module too; None for what is not ours to change."""
        given = unit.names.get(use.name)
        if given is None:
            return None
        meaning = self.meaning(*given)
        if meaning[0] == "module" and use.attribute is not None and meaning[1] in self.units:
            names = self.units[meaning[1]].names
            if use.attribute.attr not in names and "__getattr__" in names and meaning[1] in self._home:
                return "own", meaning[1], "__getattr__"
            return self.meaning("from", meaning[1], use.attribute.attr)
        return meaning

    @staticmethod
    def _asked(use, meaning, final):
        """What stands for `module.NAME`: its name in the root, or a call of the module's `__getattr__`."""
        is_made = meaning[2] == "__getattr__" and use.attribute.attr != "__getattr__"
        return f'{final}("{use.attribute.attr}")' if is_made else final

    def _reach(self):
        """The meanings that are used, from all that is executed at import and all that other modules ask for."""
        needs, live = {}, set()
        for name, unit in self.units.items():
            for use in unit.uses:
                meaning = self._target(unit, use)
                if use.is_definition or meaning is None:
                    continue
                owner = use.owner if name in self._home else None
                needs.setdefault(owner and ("own", name, owner), set()).add(meaning)
            if name not in self._home or name in self.roots:
                todo = (given for statement, _ in unit.imports for _, given in unit.imported(statement))
                needs.setdefault(None, set()).update(self.meaning(*given) for given in todo)
        for root in self.roots:
            needs[None] |= {("own", root, name) for name in self.units[root].names}
        waiting = list(needs.get(None, ()))
        while waiting:
            meaning = waiting.pop()
            if meaning not in live:
                live.add(meaning)
                waiting += needs.get(meaning, ())
        return live

    def _join(self, root, order):
        lines, here = [], set()
        self._starts[root] = starts = []
        for module in order:
            starts.append((len(lines) + 1, module))
            unit = self.units[module]
            text = edited(unit.text, self._edits_inside(root, unit, here))
            lines += (text if text.endswith("\n") else text + "\n").splitlines(keepends=True)
        self.texts[root] = "".join(lines)
        missing = _unbound(self.texts[root]) - set(dir(builtins))
        if missing:
            raise LinkError(
                f"{root}: nothing is called {', '.join(sorted(missing))}; a tool of firmware.tools is wrong"
            )

    def _edits_inside(self, root, unit, here):
        """Edits of a module that is joined; `here` holds what its root has imported so far."""
        edits = []
        dead = unit.statements_of(
            name
            for name, meaning in unit.names.items()
            if meaning == ("own", unit.name, name) and meaning not in self._live and name in unit.definitions
        )
        for use in unit.uses:
            meaning = self._target(unit, use)
            if meaning is None or use.owner in dead:
                continue
            if meaning[0] == "module" and meaning[1] in self._home and self._home[meaning[1]] == root:
                raise LinkError(f"{unit.name}, line {use.node.lineno}: a joined module is handled as an object")
            edits += self._renamed(root, unit, use, meaning)
        for statement, is_top in unit.imports:
            edits.append(self._import_inside(root, unit, statement, is_top, here))
        for name in dead:
            edits.append(unit.removal(name))
        return edits

    def _renamed(self, root, unit, use, meaning):
        """The edits of one use in a joined module; `meaning` is that of the use with its attribute."""
        given = self.meaning(*unit.names[use.name])
        home = self._home.get(meaning[1]) if meaning[0] == "own" else None
        if use.attribute is None or given[0] != "module":
            return unit.renaming(use, self._final[root, meaning], False)
        if home == root:
            return unit.renaming(use, self._asked(use, meaning, self._final[root, meaning]), True)
        alias = self._final[root, given]
        if home is not None:
            return unit.renaming(use, f"{alias}.{self._asked(use, meaning, self._final[home, meaning])}", True)
        return unit.renaming(use, alias, False)

    def _import_inside(self, root, unit, statement, is_top, here):
        parts = []
        for name, given in unit.imported(statement):
            meaning = self.meaning(*given)
            home = self._home.get(meaning[1])
            if not is_top:
                if home == root:
                    raise LinkError(f"{unit.name}, line {statement.lineno}: import {name} at the top of the module")
                parts.append(self._import(name, given))
            elif home == root or (home is not None and meaning[0] == "own" and meaning not in self._live):
                continue
            elif meaning not in here:
                here.add(meaning)
                parts.append(self._import(self._final[root, meaning], given))
        return extent(statement), "; ".join(parts) or "0"

    def _import(self, name, given):
        """An import statement that binds `name` to what `given` means, wherever that is now."""
        kind, module, attribute = meaning = self.meaning(*given)
        if kind == "module":
            home = self._home.get(module)
            return (
                f"import {home or module} as {name}" if "." in (home or module) or module != name else f"import {name}"
            )
        home = self._home.get(module)
        if home is not None:
            module, attribute = home, self._final[home, meaning]
        return f"from {module} import {attribute}" + ("" if attribute == name else f" as {name}")

    def _edits_outside(self, unit):
        """Edits of a module that stays one: it looks for what was joined where that is now."""
        edits = []
        for statement, _ in unit.imports:
            given = list(unit.imported(statement))
            if any(self._home.get(self.meaning(*meaning)[1]) for _, meaning in given):
                edits.append((extent(statement), "; ".join(self._import(name, meaning) for name, meaning in given)))
        for use in unit.uses:
            meaning = self._target(unit, use)
            given = unit.names.get(use.name)
            if meaning is None or use.attribute is None or self.meaning(*given)[0] != "module":
                continue
            home = self._home.get(meaning[1])
            if home is not None:
                edits.append(
                    (extent(use.attribute), f"{use.name}.{self._asked(use, meaning, self._final[home, meaning])}")
                )
        return edits


def _unbound(text):
    """Names that functions of a module take from it and that it does not bind, by Python's own judgement."""
    top = symtable.symtable(text, "joined", "exec")
    bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    asked, tables = set(), [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        asked |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return asked - bound
