"""Changes to a source in which every line stays where it is."""

import ast


def extent(node):
    """(line, column, end line, end column) of a node; columns count bytes."""
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def edited(text, edits):
    """Return `text` with `edits`, [(extent, new text)]. What lies within another edit is dropped with its content."""
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    outer = []
    for place, new in sorted(edits, key=lambda edit: (edit[0][:2], (-edit[0][2], -edit[0][3]))):
        if not outer or place[:2] >= outer[-1][0][2:]:
            outer.append((place, new))
    for (line, column, end_line, end_column), new in reversed(outer):
        lines[line - 1] = lines[line - 1][:column] + new.encode() + lines[end_line - 1][end_column:]
        for number in range(line, end_line):
            lines[number] = b"\n"
    return b"".join(lines).decode()


def for_micropython(text):
    """Return `text` with every `if sys.implementation.name == "micropython"` of its top level decided.

    The branch that a lamp takes must be simple statements, which then share a line."""
    edits = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.If):
            test = ast.unparse(node.test)
            for operator, branch in (("==", node.body), ("!=", node.orelse)):
                if test == f"sys.implementation.name {operator} 'micropython'":
                    edits.append((extent(node), "; ".join(ast.unparse(one) for one in branch) or "0"))
    return edited(text, edits)
