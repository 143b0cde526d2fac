"""How patient CoAP is: the transmission parameters of RFC 7252 section 4.8 and what follows from them, in milliseconds.

A slow network or a test changes a parameter; the derived times follow by the formulas of section 4.8.2.
"""


class Tuning:
    """Transmission parameters; the defaults are those of RFC 7252 table 2.

    `ack_random_permille` is ACK_RANDOM_FACTOR in thousandths (at least 1000): an ESP32 would round a float.
    """

    def __init__(
        self,
        ack_timeout_ms=2000,
        ack_random_permille=1500,
        max_retransmit=4,
        nstart=1,
        max_latency_ms=100_000,
        processing_delay_ms=None,
    ):
        if ack_timeout_ms < 1 or ack_random_permille < 1000 or max_retransmit < 0 or nstart < 1 or max_latency_ms < 1:
            raise ValueError("a time, a factor or a count of the CoAP tuning is too small; see RFC 7252 section 4.8")
        self.ack_timeout_ms = ack_timeout_ms
        self.ack_random_permille = ack_random_permille
        self.max_retransmit = max_retransmit
        self.nstart = nstart
        self.max_latency_ms = max_latency_ms
        self.processing_delay_ms = ack_timeout_ms if processing_delay_ms is None else processing_delay_ms

    def first_timeout_ms(self, random):
        """The first retransmission time: ACK_TIMEOUT to ACK_TIMEOUT * ACK_RANDOM_FACTOR; `random(n)` gives n bytes."""
        spread_ms = self.ack_timeout_ms * (self.ack_random_permille - 1000) // 1000
        return self.ack_timeout_ms + spread_ms * int.from_bytes(random(2), "big") // 0xFFFF

    @property
    def acknowledge_after_ms(self):
        """When a slow request is acknowledged before its answer: half of what makes the peer repeat it."""
        return self.ack_timeout_ms // 2

    @property
    def max_transmit_span_ms(self):
        """From the first to the last transmission of one message: 45 s."""
        return self._stretched(self.ack_timeout_ms * (2**self.max_retransmit - 1))

    @property
    def max_transmit_wait_ms(self):
        """From the first transmission to giving up: 93 s."""
        return self._stretched(self.ack_timeout_ms * (2 ** (self.max_retransmit + 1) - 1))

    @property
    def max_rtt_ms(self):
        """The longest round trip, the peer's work included: 202 s."""
        return 2 * self.max_latency_ms + self.processing_delay_ms

    @property
    def exchange_lifetime_ms(self):
        """How long a confirmable message id stays taken: 247 s."""
        return self.max_transmit_span_ms + self.max_rtt_ms

    @property
    def non_lifetime_ms(self):
        """How long a non-confirmable message id stays taken: 145 s."""
        return self.max_transmit_span_ms + self.max_latency_ms

    def _stretched(self, ms):
        return ms * self.ack_random_permille // 1000
