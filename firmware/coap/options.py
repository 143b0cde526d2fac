"""Which options an endpoint understands, and what to do with those it does not.

Source: RFC 7252 sections 5.4.1 (critical and elective), 5.4.3 (lengths), 5.4.5 (repeats) and 5.10 (table 4);
RFC 7641 section 2; RFC 7959 sections 2.1 and 4; RFC 9175 sections 2.2.1 and 3.2.1.
"""

from firmware.coap import message as coap
from firmware.coap.errors import Refused

# number: (fewest bytes, most bytes, whether it may be repeated). What is missing here is not understood: conditional
# requests (If-Match, If-None-Match), because no resource has an ETag to compare, and OSCORE, which the security layer
# takes out before anybody asks.
_UNDERSTOOD = {
    coap.URI_HOST: (1, 255, False),
    coap.ETAG: (1, 8, True),
    coap.OBSERVE: (0, 3, False),
    coap.URI_PORT: (0, 2, False),
    coap.LOCATION_PATH: (0, 255, True),
    coap.URI_PATH: (0, 255, True),
    coap.CONTENT_FORMAT: (0, 2, False),
    coap.MAX_AGE: (0, 4, False),
    coap.URI_QUERY: (0, 255, True),
    coap.ACCEPT: (0, 2, False),
    coap.LOCATION_QUERY: (0, 255, True),
    coap.BLOCK2: (0, 3, False),
    coap.BLOCK1: (0, 3, False),
    coap.SIZE2: (0, 4, False),
    coap.SIZE1: (0, 4, False),
    coap.ECHO: (1, 40, False),
    coap.REQUEST_TAG: (0, 8, True),
}
_PROXY = (coap.PROXY_URI, coap.PROXY_SCHEME)


def check(message):
    """Keep the options that are understood: an elective one that is unknown, too short, too long or repeated against
    its definition is taken out of the message, a critical one raises Refused (4.02; 5.05 for a request to a proxy).
    """
    kept = []
    last = None
    for number, value in message.options:
        fewest, most, repeatable = _UNDERSTOOD.get(number, (0, -1, False))
        if fewest <= len(value) <= most and (repeatable or number != last):
            kept.append((number, value))
        elif number in _PROXY:
            raise Refused(coap.PROXYING_NOT_SUPPORTED, "this endpoint is no proxy; send the request to its target")
        elif coap.is_critical(number):
            raise Refused(coap.BAD_OPTION, f"option {number} is critical and not understood here; leave it out")
        last = number
    message.options = kept
