"""Sizes, names and times that both sides must honour, each with its reason.

A reader changes a number here and both sides follow; docs/wire.md prints the table.
"""

# CoAP
COAP_PORT = 5683  # RFC 7252 section 6.1; OSCORE rides on the same port.
RD_PATH = "rd"  # Registration, OMA LwM2M 1.1 Transport section 6.4.
DP_PATH = "dp"  # Send: the lamp pushes reports, same section.
BS_PATH = "bs"  # Bootstrap, in both directions: the request of a lamp, and the server's word that all is written.
TIME_PATH = "time"  # GET over OSCORE answers CBOR, one unsigned integer: UTC milliseconds.
# Elective and safe to forward (RFC 7252 section 5.4), of the numbers for experiments (section 12.2): empty in a lamp's
# registration and update, four bytes in the answer that change with the address under which the server sees it.
SEEN_OPTION = 65004  # Whoever does not know it leaves it out: the lamp then keeps the interval of its lifetime.
DATAGRAM_BYTES = 1280  # The least MTU of IPv6; what the lamp hands to recvfrom, which cuts longer ones silently.
BLOCK_BYTES = 512  # Block-wise size on the lamp: with OSCORE and headers a datagram stays below 600 bytes.
PAYLOAD_BYTES = 4096  # The largest body, after block-wise: a whole schedule is about 2,500 bytes.
STRING_BYTES = 255  # Longest string or opaque value that a lamp stores (registry range of most strings).

# OSCORE, RFC 8613
SERVER_ID = b"\x01"  # The backend's own id, the same for every lamp; one byte, because it rides in every request.
SENDER_ID_BYTES = 7  # A lamp's id: the nonce of AES-CCM-16-64-128 leaves seven (13 - 6).
MASTER_SECRET_BYTES = 16  # As strong as the AES-128 that is derived from it.
MASTER_SALT_BYTES = 8  # Makes contexts differ should a secret ever repeat.
REPLAY_WINDOW = 32  # RFC 8613 section 3.2.2, the default window.
SEQUENCE_CHUNK = 256  # Numbers reserved on storage at a time: one flash write per 256 messages.
SEQUENCE_LAST = (1 << 40) - 1  # Five bytes of partial IV; then the keys must be replaced.

# Registration and reports
LIFETIME_S = 300  # A lamp that is silent this long counts as gone; NAT bindings are refreshed well within.
LIFETIME_MIN_S = 5  # For benches; on a street 60 or more, or 10,000 lamps fill the server with updates.
LIFETIME_MAX_S = 86400  # Longer, and a dead lamp is found only the day after.
REGISTRATION_JITTER_S = 30  # When power returns to a feeder its lamps spread over this time.
REPORT_INTERVAL_S = 900  # Telemetry, with a random phase in each lamp.
REPORT_INTERVAL_MIN_S = 10  # The bench of the fleet uses this; below it the receive path is the limit.
REPORT_INTERVAL_MAX_S = 86400  # One a day is the least that still gives energy by day.
REPORTS_IN_RAM = 20  # Five hours of telemetry at the default interval, 5 KB of heap; then they go to flash together.
TELEMETRY_ON_FLASH = 600  # Six days without network; the oldest goes first and the loss is counted.
FAULTS_ON_FLASH = 64  # Transitions of faults, never dropped; 64 is every fault raised and cleared once and more.

# Schedules
PROGRAMS = 8  # Weekdays, weekend, holidays, an event, and the same again for a second season.
CALENDAR_RULES = 8  # One a program is usual.
FUNCTIONS = 8  # One a program.
OUTPUT_FILTERS = 4  # Fades are few: at once, half a minute, a quarter of an hour.
STEPS = 24  # In one program: one an hour.
DATE_RANGES = 16  # In one calendar rule: the public holidays of a year.
CALENDARS_OF_PROGRAM = 4  # References of one program.
PROGRAM_NAME_BYTES = 32  # Shown to operators; eight of them stay small on flash.
TIME_ZONE_NAME_BYTES = 40  # The longest IANA name has 32.
TIME_ZONE_EXCEPTIONS = 16  # Rows of daylight saving (3410/11-13): about ten years without a server.
ASTRONOMICAL_OFFSET_MIN = 720  # Minutes from sunset or sunrise: beyond half a day the other event is meant.
FADE_MAX_S = 3600  # A slow dawn; longer ramps are steps.
TRANSACTION_TIMEOUT_S = 600  # 3457/102, the registry's default.

# Overrides
OVERRIDE_DEFAULT_S = 7200  # 3416/53: an override without an end lasts two hours.
OVERRIDE_MAX_S = 30 * 86400  # A month of night works; an override that is forgotten still ends.

# Time
CLOCK_FAULT_MS = 10000  # Error bound at which 3415/5 is set: what 72 hours without network may cost.
CLOCK_TRUST_MS = 900000  # Error bound up to which the schedule is still followed: a quarter of an hour early or late.
