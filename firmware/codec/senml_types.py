"""What both directions of SenML share: the error, and what a number is. Source: RFC 8428 section 4."""


class SenmlError(ValueError):
    """Bytes that are no SenML pack, or a record that SenML cannot carry; the text says which record and why."""


def is_number(value):
    """Whether an int fits LwM2M's 64 bits (of either sign), a float is finite."""
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 64
    return value - value == 0
