"""What the device server counted since it started; read by the metrics endpoint and by tests.

Only the event loop's thread changes a counter, so that plain integers are enough.
"""

from dataclasses import asdict, dataclass


@dataclass
class Counters:
    """Whole numbers since the start; each but `longest_queue` counts events, not retransmissions."""

    requests: int = 0
    """Requests that reached a handler."""
    unprotected: int = 0
    """Requests without OSCORE, refused with 4.01."""
    unknown_kid: int = 0
    """Requests whose key id belongs to no lamp, or to a revoked one, refused with 4.01."""
    tampered: int = 0
    """Requests that did not decrypt, refused with 4.00."""
    replayed: int = 0
    """Requests whose sequence number was used before, refused with 4.01."""
    echo_challenges: int = 0
    """First requests of a lamp after a start of the server: one round trip each (RFC 8613, B.1.2)."""
    malformed: int = 0
    """Datagrams that are not CoAP, and OSCORE options that cannot be read."""
    refused: int = 0
    """Protected requests refused with 4.xx for what they contain."""
    overloaded: int = 0
    """Requests answered 5.03 because a queue was full, or too many strangers came at once."""
    stale: int = 0
    """Requests that lay unread until the lamp had nearly given up, passed over."""
    deferred: int = 0
    """Registrations answered 5.03 with the time at which the lamp shall come back (`admission`)."""
    bootstraps: int = 0
    """Lamps that were given an account and took it."""
    bootstrap_failures: int = 0
    """Bootstraps that were begun and did not come to their end."""
    registrations: int = 0
    updates: int = 0
    deregistrations: int = 0
    reports: int = 0
    """Sends acknowledged after they were durable."""
    records: int = 0
    """Values in those reports."""
    report_failures: int = 0
    """Sends that the database or an ingestor did not take; answered 5.00 or 5.03, never acknowledged."""
    groups: int = 0
    """Transactions in which reports and registrations were committed."""
    longest_queue: int = 0
    """Most messages that waited for the database at one time."""
    lamp_requests: int = 0
    """Requests sent to lamps, retransmissions not counted."""
    lamp_timeouts: int = 0
    """Of these, the ones without an answer."""
    lamp_refusals: int = 0
    """Of these, the ones answered with an error."""

    def snapshot(self) -> dict[str, int]:
        """All counters by name, for the metrics page."""
        return asdict(self)
