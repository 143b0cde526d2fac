"""Sentences stay in flash: texts that functions of a module say are cut out of one constant when they are said.

A constant text is an object in the heap from the import on, 20 bytes of the chip's heap for each of some 350 messages
that are hardly ever said. Short texts and those that are names anyway are not worth it, and what is said at import
would only be made twice.
"""

import ast

from firmware.tools.edits import edited, extent

_WORTH = 11  # characters; shorter texts are names to mpy-cross
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_PROLOGUE = 'text_ = lambda start, end: str(TEXTS_[start:end], "utf-8"); TEXTS_ = memoryview({}); '


def gather(text):
    """Return the source `text` with its sentences in one constant, on the same lines."""
    tree = ast.parse(text)
    names = {value for node in ast.walk(tree) for value in _names(node)}
    found = []

    def visit(node, is_inside):
        if isinstance(node, ast.JoinedStr):
            return
        if isinstance(node, ast.Constant) and is_inside and _is_sentence(node.value) and node.value not in names:
            found.append(node)
        body = getattr(node, "body", None)
        if isinstance(node, _FUNCTIONS):
            for inner in body if isinstance(body, list) else [body]:
                visit(inner, True)
            return
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for inner in () if is_text else ast.iter_child_nodes(node):
            visit(inner, is_inside and not isinstance(node, ast.ClassDef))

    visit(tree, False)
    if not found:
        return text
    places, content = {}, b""
    for node in found:
        if node.value not in places:
            places[node.value] = (len(content), len(content) + len(node.value.encode()))
            content += node.value.encode()
    edits = [(extent(node), "text_({}, {})".format(*places[node.value])) for node in found]
    return _PROLOGUE.format(content) + edited(text, edits)


def _is_sentence(value):
    return isinstance(value, str) and len(value) >= _WORTH


def _names(node):
    """Texts that are names in the heap already."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, (ast.arg, ast.keyword)):
        yield node.arg
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
