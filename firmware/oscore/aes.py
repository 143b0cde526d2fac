"""AES-128 in ECB and CBC mode: MicroPython's `cryptolib.aes`, or the same two calls on CPython.

`aes(key, MODE_ECB)` and `aes(key, MODE_CBC, iv)`; `encrypt(data, out)` takes and fills whole blocks, and `out` may be
`data`. An ECB object may be used again; a CBC object goes on from its last block, so one serves one message.
"""

MODE_ECB = 1
MODE_CBC = 2
BLOCK_BYTES = 16

try:
    from cryptolib import aes
except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class aes:  # noqa: N801 (the name that MicroPython gives it)
        def __init__(self, key, mode, iv=None):
            self._encryptor = Cipher(
                algorithms.AES(key), modes.ECB() if mode == MODE_ECB else modes.CBC(iv)
            ).encryptor()

        def encrypt(self, data, out):
            out[:] = self._encryptor.update(data)


__all__ = ("BLOCK_BYTES", "MODE_CBC", "MODE_ECB", "aes")
