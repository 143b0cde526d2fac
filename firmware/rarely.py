"""Modules that a lamp needs now and then: borrowed for the moment, so that they do not stay in the heap."""

import sys


def borrow(name):
    """Import the module `name` (dotted) and return it. On MicroPython it is not kept: it goes when the caller lets go,
    and the next time it is loaded again, which takes milliseconds."""
    module = __import__(name, None, None, ("*",))
    if sys.implementation.name == "micropython":
        del sys.modules[name]
        parent, _, leaf = name.rpartition(".")
        delattr(sys.modules[parent], leaf)
    return module
