"""The identity in NVS: namespace "streetlight", key "identity", one blob of JSON text; else `identity.json`.

One blob, so that a power cut while provisioning leaves the old identity or the new one and never half of each. NVS
outlives a new file system image and can be encrypted. Keys of NVS hold at most 15 characters, and MicroPython reads
only i32 and blobs.
"""

import esp32

from contract.identity import DOCUMENT_BYTES, KEY, NAMESPACE
from firmware.hal import identity_file


def load(directory):
    """Return the provisioned identity; raises IdentityError with advice."""
    buffer = bytearray(DOCUMENT_BYTES)
    try:
        length = esp32.NVS(NAMESPACE).get_blob(KEY, buffer)
    except OSError:
        return identity_file.load(directory)
    return identity_file.parse(bytes(buffer[:length]), "NVS " + NAMESPACE + "/" + KEY)
