"""The bounds of the device server, each with its reason. The composition root fills in host, port and mode."""

from dataclasses import dataclass

from contract.limits import COAP_PORT


@dataclass(frozen=True)
class DeviceServerSettings:
    """Sizes are counts or bytes, times carry their unit."""

    host: str = "0.0.0.0"
    port: int = COAP_PORT
    """0 lets the system choose; `DeviceServer.port` then tells."""
    allow_insecure: bool = False
    """Laboratory only: unprotected requests are served, and the endpoint name alone identifies a lamp."""

    group_reports: int = 500
    """Most jobs in one transaction; larger groups gain little and make the first one wait."""
    group_linger_ms: int = 5
    """How long a group waits for company while it is busy; no more than an answer can spare."""
    waiting_jobs: int = 4000
    """Reports and registrations that may wait for the database; beyond it 5.03. About 10 s of a saturated writer."""
    waiting_lookups: int = 500
    """Credential look-ups under way; beyond it a stranger is dropped rather than queued."""
    overload_max_age_s: int = 10
    """Max-Age of a 5.03: when a lamp may try again (it adds its own jitter)."""
    strangers_per_s: float = 100.0
    """Requests of lamps whose keys are not in memory, let in a second (`admission.Gate`). Each costs 2 to 3 ms: its
    keys, its sequence numbers, its Echo. After a restart a city of 20,000 that is awake comes in within 200 s."""
    strangers_burst: int = 300
    """Let in at once after a quiet time."""
    registrations_per_s: float = 60.0
    """Registrations let in a second; the others are given a slot (`admission.Admission`). With what follows from one
    (three questions for the time, two reports) a lamp costs 7 ms: half of a processor is left for the rest."""
    registrations_burst: int = 300
    """Let in at once after a quiet time: a feeder or two, in a few seconds and without a line."""

    receive_buffer_bytes: int = 4 * 1024 * 1024
    """A feeder's lamps register in the same second when its power returns; the kernel keeps what we cannot read yet."""
    recent_messages: int = 100_000
    """Message ids remembered for de-duplication (247 s by RFC 7252, 4.8.2, but never more than these)."""
    assemblies: int = 1000
    """Block-wise uploads under way, of all lamps together; each at most `contract.limits` allows."""

    window: int = 50
    """Requests to lamps outstanding at once: what follows a power cut must not be asked of the whole city at once."""
    window_patience_s: float = 3.0
    """How long a request keeps its place in the window: until its first repetition is out. A street without power would
    hold all of it for 14 to 21 s at a time, and the lamps that have theirs would wait."""
    overdue: int = 2000
    """Requests beside the window that lamps have left unanswered for so long."""
    waiting_for_lamp: int = 16
    """Requests that may wait for one lamp (NSTART is 1)."""
    lamp_ack_timeout_s: float = 2.0
    """RFC 7252's ACK_TIMEOUT."""
    lamp_retransmissions: int = 2
    """With 2 s this is 14 to 21 s until a lamp counts as unreachable: a dead lamp must not hold the window for 93 s,
    and the command waits for the next check-in anyway."""
    lamp_answer_timeout_s: float = 15.0
    """How long a lamp that acknowledged may take for a separate response."""

    server_uri: str = ""
    """What a lamp that is bootstrapped is told as the address of this server; "": nobody is bootstrapped."""
    bootstraps: int = 50
    """Under way at once; a city that is bootstrapped together comes in by these, each in a second or two."""
    bootstrap_max_age_s: int = 30
    """When a lamp may ask again that came while so many were under way."""

    flush_interval_s: float = 10.0
    """How often last-heard times that came without a report are written."""
    sequence_chunk: int = 256
    """OSCORE sequence numbers reserved in the database at once: one write for as many requests to a lamp."""
