"""A ring of log lines in bounded memory: transitions, not repetitions, as `words key=value key=value`.

A line like the one before is counted, not kept. Values of type bytes are written as their length and names that
sound like a secret as ***, so that no key reaches a log by accident.
"""

SECRETS = ("secret", "password", "salt", "key", "token")
LONGEST_LINE = 160


def _format(name, value):
    for word in SECRETS:
        if word in name:
            return name + "=***"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "%s=<%d bytes>" % (name, len(value))
    text = str(value)
    if " " in text or "\n" in text or text == "":
        text = '"%s"' % text.replace("\n", " ").replace('"', "'")
    return name + "=" + text


def format_line(words, values):
    """Return one line of at most 160 characters; `values` (a dict) in order of name, as MicroPython keeps no order."""
    parts = [words]
    for name in sorted(values):
        parts.append(_format(name, values[name]))
    line = " ".join(parts)
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 3] + "..."


class Log:
    """`capacity` is the most characters that are kept; `echo(line)` gets every new line (a console); `now()` gives
    what a line starts with (UTC ms, or ticks before the clock is set)."""

    def __init__(self, now=None, echo=None, capacity=2048):
        self._now = now
        self._echo = echo
        self._capacity = capacity
        self._lines = []
        self._characters = 0
        self._last = None
        self._repeated = 0
        self._states = {}

    def note(self, words, **values):
        """Write a line; one that repeats the line before is only counted."""
        line = format_line(words, values)
        if line == self._last:
            self._repeated += 1
            return
        if self._repeated:
            self._add("(the line above came %d more times)" % self._repeated)
        self._last = line
        self._repeated = 0
        self._add(line)

    def transition(self, subject, state, **values):
        """Write `subject state key=value` when the state of `subject` is another than at the last call."""
        if self._states.get(subject) != state:
            self._states[subject] = state
            self.note("%s %s" % (subject, state), **values)

    def lines(self):
        """Return the lines that are kept, oldest first."""
        return list(self._lines)

    def _add(self, line):
        if self._now is not None:
            line = "%s %s" % (self._now(), line)
        self._lines.append(line)
        self._characters += len(line)
        while self._characters > self._capacity:
            self._characters -= len(self._lines.pop(0))
        if self._echo is not None:
            self._echo(line)
