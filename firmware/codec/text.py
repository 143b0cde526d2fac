"""UTF-8 as the RFC has it, on an interpreter that does not check all of it.

MicroPython's `bytes.decode` lets overlong forms, surrogates and code points above U+10FFFF pass. A peer that checks
would then refuse whatever the lamp repeats from them, a report included. Source: RFC 3629 section 4.
"""


def decode_utf8(data):
    """Text of bytes (bytes or bytearray); raises ValueError naming the offset of the first byte that is not UTF-8."""
    if not data or max(data) < 0x80:
        return str(data, "utf-8")
    at = 0
    size = len(data)
    while at < size:
        first = data[at]
        if first < 0x80:
            at += 1
            continue
        # The allowed range of the second byte rules out overlong forms, surrogates and what is beyond U+10FFFF.
        low, high = 0x80, 0xBF
        if 0xC2 <= first <= 0xDF:
            more = 1
        elif 0xE0 <= first <= 0xEF:
            more = 2
            if first == 0xE0:
                low = 0xA0
            elif first == 0xED:
                high = 0x9F
        elif 0xF0 <= first <= 0xF4:
            more = 3
            if first == 0xF0:
                low = 0x90
            elif first == 0xF4:
                high = 0x8F
        else:
            more = size  # no character starts with this byte
        if at + more >= size or not low <= data[at + 1] <= high:
            raise ValueError("byte %d is not UTF-8" % at)
        for offset in range(at + 2, at + 1 + more):
            if data[offset] & 0xC0 != 0x80:
                raise ValueError("byte %d is not UTF-8" % at)
        at += 1 + more
    return str(data, "utf-8")


def is_unicode(text):
    """Whether a text can be written as UTF-8: surrogates, which JSON can smuggle in, cannot."""
    try:
        decode_utf8(text.encode())
    except ValueError:
        return False
    return True
