"""What the CoAP endpoint has seen since it was started: whole numbers for status pages and tests."""


class Counters:
    """Datagrams and messages, counted.

    `received` and `sent` datagrams (repeats included) · `retransmitted` of the sent ones · `duplicates`: messages that
    came again · `malformed` · `refused`: requests that never reached a handler · `dropped`: requests left unanswered
    because too many were under way, and datagrams the network did not take · `failed`: handlers that raised.
    """

    def __init__(self):
        self.received = 0
        self.sent = 0
        self.retransmitted = 0
        self.duplicates = 0
        self.malformed = 0
        self.refused = 0
        self.dropped = 0
        self.failed = 0
