"""What can go wrong in the lamp itself. CoAP, OSCORE, the codecs and LwM2M draw their own trees in their own packages.

    LampError                       what happened, and what a person does about it (`.advice`)
    ├── StorageError                flash could not keep or return a record
    ├── IdentityError               the provisioned identity is missing or unusable: provision the lamp again
    ├── SettingError                a value that a setting does not take (`.name`, `.reason`)
    ├── OverrideError               a manual command that cannot be carried out (`.reason`)
    └── ProgramError                a schedule that was refused; the old one keeps running (`.path`, `.reason`)

Foreign exceptions (OSError, ValueError of a codec) are translated once, where they are caught.
"""


class LampError(Exception):
    """`what` happened and `advice`: one sentence that tells a person what to do next."""

    def __init__(self, what, advice):
        super().__init__("%s: %s" % (what, advice))
        self.what = what
        self.advice = advice


class StorageError(LampError):
    """A record could not be written, read back or removed. What was stored before is still there."""


class IdentityError(LampError):
    """The identity cannot be used. Its text never holds a key."""


class SettingError(LampError):
    """Setting `name` does not take the value, for `reason`. Nothing was changed."""

    def __init__(self, name, reason):
        super().__init__("setting %s %s" % (name, reason), "correct the value and write it again; nothing was changed")
        self.name = name
        self.reason = reason


class OverrideError(LampError):
    """A manual command is refused for `reason`; the lamp stays as it is."""

    def __init__(self, reason):
        super().__init__(reason, "correct the command and send it again; the lamp stays as it is")
        self.reason = reason


class ProgramError(LampError):
    """The schedule is refused at `path` (text such as "/3454/0/4/0") for `reason`; the old one keeps running."""

    def __init__(self, path, reason):
        super().__init__("%s %s" % (path, reason), "correct the schedule and write it again; the old one keeps running")
        self.path = path
        self.reason = reason
