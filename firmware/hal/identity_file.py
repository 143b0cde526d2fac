"""`identity.json` in the flash folder: what provisioning wrote. `firmware.identity` checks the fields.

No error here quotes the file: it holds the master secret and the Wi-Fi password.
"""

import json

from firmware.errors import IdentityError

NAME = "identity.json"


def parse(data, where):
    """Return the dict in `data` (JSON text as bytes) that was found `where`; raises IdentityError."""
    try:
        fields = json.loads(data)
    except (ValueError, UnicodeError):
        fields = None
    if not isinstance(fields, dict):
        raise IdentityError("%s holds no JSON object" % where, "provision the lamp again")
    return fields


def load(directory):
    """Return the identity in flash folder `directory`; raises IdentityError when it is missing or unreadable."""
    path = directory + "/" + NAME
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        raise IdentityError("there is no %s" % path, "provision the lamp, or name the right flash folder") from None
    return parse(data, path)
