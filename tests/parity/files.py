"""Flash in memory, for tests that run on both interpreters; it never fails (tests/firmware/flash.py does)."""


class Files:
    """Flash in memory."""

    def __init__(self):
        self.files = {}

    def pieces(self, name):
        if name not in self.files:
            raise OSError(2)
        for at in range(0, len(self.files[name]), 20):
            yield self.files[name][at : at + 20]

    def read(self, name, start, count):
        return self.files[name][start : start + count]

    def write(self, name, parts):
        self.files[name] = b"".join(parts)

    def remove(self, name):
        self.files.pop(name, None)
