"""Messages in and out of protection, both as client and as server: the security seam of `coap.endpoint`.

The inner message (code, most options, payload) is encrypted; outside remain what proxies need and a code that says
nothing. Source: RFC 8613 sections 4 (what is inner and outer), 5.3 (plaintext), 7.4 (replay), 8 (processing),
Appendix B.1.2 (Echo after a restart); RFC 9175 section 2 (Echo).

Outer Block options, with which a proxy may cut a protected message in pieces, are not joined: such a piece fails to
decrypt. Proxy-Uri is not taken apart; a sender gives Proxy-Scheme and the Uri options.
"""

from firmware.coap import message as coap
from firmware.coap.errors import MessageError
from firmware.oscore import option
from firmware.oscore.context import associated_data
from firmware.oscore.errors import AuthenticationError, OptionError, OscoreError, Refused
from firmware.oscore.window import ReplayWindow

# Figure 5: class U only. Every other option is inner, those of the future included; Observe is both.
OUTER_OPTIONS = (coap.URI_HOST, coap.URI_PORT, coap.PROXY_URI, coap.PROXY_SCHEME)

ECHO_BYTES = 8
# Challenges that are still good. An old one falls out when a newer is sent, so that a request that was held back on the
# way cannot prove itself fresh with it for ever.
ECHOES = 8

_NOTHING = b""


class Binding:
    """What ties a response to its request: the nonce and the associated data that both share.

    `observe`: the request had an Observe option. `nonce_free`: no response has used the request's nonce yet.
    `newest`: the highest notification number seen, -1 before the first.
    """

    def __init__(self, aad, nonce, observe, nonce_free):
        self.aad = aad
        self.nonce = nonce
        self.observe = observe
        self.nonce_free = nonce_free
        self.newest = -1


class Oscore:
    """Protection under one context.

    `random(n)` gives n unpredictable bytes. `allow_plain` lets unprotected requests through (a lab, never a street):
    their binding is None, and their responses stay plain.
    """

    def __init__(self, context, random, allow_plain=False):
        self._context = context
        self._random = random
        self._allow_plain = allow_plain
        self._echoes = []

    def protect_request(self, request):
        """The protected request, and the binding for `unprotect_response`.

        Raises OscoreError for a message that cannot be protected, SequenceExhausted, and what `reserve` raises.
        """
        context = self._context
        inner, outer = _split(request)
        piv = context.next_piv()
        observe = request.option(coap.OBSERVE)
        binding = Binding(
            associated_data(context.sender_id, piv), context.nonce(context.sender_id, piv), observe is not None, True
        )
        header = option.encode(piv, context.sender_id, context.id_context)
        if observe is not None:
            outer.append((coap.OBSERVE, observe))
        code = coap.POST if observe is None else coap.FETCH
        return self._encrypt(request, inner, code, outer, header, binding.aad, binding.nonce), binding

    def unprotect_request(self, request):
        """The request inside, and the binding for `protect_response`.

        Raises Refused: to a sender that proved to hold the key with a protected `response` (to be remembered like any
        other, never made twice), to a stranger with code and diagnostic only. Raises what `reserve` raises.
        """
        context = self._context
        value = request.option(coap.OSCORE)
        if value is None:
            if self._allow_plain:
                return request, None
            raise Refused(coap.UNAUTHORIZED, "Protect the request with OSCORE")
        try:
            header = option.decode(value)
        except OptionError:
            header = None
        if header is None or not header.piv or header.kid is None:
            raise Refused(coap.BAD_OPTION, "Failed to decode COSE")
        if header.kid != context.recipient_id or header.kid_context not in (None, context.id_context):
            raise Refused(coap.UNAUTHORIZED, "Security context not found")
        number = int.from_bytes(header.piv, "big")
        window = context.window
        if window is not None and not window.is_fresh(number):
            raise Refused(coap.UNAUTHORIZED, "Replay detected")
        # Without a window the request may be a replay that was answered before: its nonce must not be used again.
        binding = Binding(
            associated_data(header.kid, header.piv), context.nonce(header.kid, header.piv), False, window is not None
        )
        try:
            plaintext = context.recipient.decrypt(binding.nonce, binding.aad, request.payload)
        except AuthenticationError:
            raise Refused(coap.BAD_REQUEST, "Decryption failed") from None
        if window is not None:
            window.mark(number)
        try:
            inner = _join(request, plaintext)
            if not coap.is_request(inner.code):
                raise MessageError("the code inside is no method")
        except MessageError as error:
            raise self._protected_refusal(request, binding, coap.BAD_REQUEST, [], str(error)) from None
        binding.observe = inner.option(coap.OBSERVE) is not None
        if window is None:
            self._prove_fresh(inner, binding, number)
        return inner, binding

    def protect_response(self, response, binding, notification=False):
        """The protected response to the request of `binding`; every one after the first has a number of its own.

        `notification`: an Observe notification after the first response. Raises as `protect_request`.
        """
        if binding is None:
            return response
        context = self._context
        inner, outer = _split(response)
        header, nonce = _NOTHING, binding.nonce
        if notification or not binding.nonce_free:
            piv = context.next_piv()
            header, nonce = option.encode(piv), context.nonce(context.sender_id, piv)
        else:
            binding.nonce_free = False
        observe = response.option(coap.OBSERVE)
        code = coap.CHANGED
        if observe is not None:
            # The order of notifications is that of their numbers; only proxies need the value outside.
            inner = [(number, _NOTHING if number == coap.OBSERVE else value) for number, value in inner]
            outer.append((coap.OBSERVE, observe))
            code = coap.CONTENT
        return self._encrypt(response, inner, code, outer, header, binding.aad, nonce)

    def unprotect_response(self, response, binding):
        """The response inside. The Observe option of a notification is its number modulo 2^24.

        Raises Refused for a response to be dropped: unprotected (`code` is then its own and `response` the message,
        which anybody may have sent), forged, for another context, or a notification not newer than the last.
        """
        if binding is None:
            return response
        context = self._context
        value = response.option(coap.OSCORE)
        if value is None:
            raise Refused(response.code, "Unprotected response %s" % _describe(response), response)
        try:
            header = option.decode(value)
        except OptionError as error:
            raise Refused(coap.BAD_OPTION, "Failed to decode COSE: %s" % error) from None
        if header.kid not in (None, context.recipient_id) or header.kid_context not in (None, context.id_context):
            raise Refused(coap.UNAUTHORIZED, "Security context not found")
        number = -1
        nonce = binding.nonce
        if header.piv:
            number = int.from_bytes(header.piv, "big")
            nonce = context.nonce(context.recipient_id, header.piv)
        try:
            inner = _join(response, context.recipient.decrypt(nonce, binding.aad, response.payload))
        except AuthenticationError:
            raise Refused(coap.BAD_REQUEST, "Decryption failed") from None
        except MessageError as error:
            raise Refused(coap.BAD_REQUEST, str(error)) from None
        if not coap.is_response(inner.code):
            raise Refused(coap.BAD_REQUEST, "the code inside is no response")
        if inner.option(coap.OBSERVE) is not None:
            _check_order(inner, binding, number)
        return inner

    def _encrypt(self, message, inner, outer_code, outer, header, aad, nonce):
        plaintext = bytes((message.code,)) + coap.encode_body(inner, message.payload)
        outer.append((coap.OSCORE, header))
        payload = self._context.sender.encrypt(nonce, aad, plaintext)
        return coap.Message(outer_code, message.type, message.mid, message.token, outer, payload)

    def _prove_fresh(self, inner, binding, number):
        """After a restart: the first request must repeat a challenge of ours, and what it numbers starts the window."""
        if inner.option(coap.ECHO) in self._echoes:
            self._echoes.clear()
            self._context.window = ReplayWindow(number + 1)
            return
        echo = self._random(ECHO_BYTES)
        self._echoes.append(echo)
        del self._echoes[:-ECHOES]
        raise self._protected_refusal(inner, binding, coap.UNAUTHORIZED, [(coap.ECHO, echo)], "")

    def _protected_refusal(self, request, binding, code, options, diagnostic):
        response = coap.Message(code, token=request.token, options=options, payload=diagnostic.encode())
        return Refused(code, diagnostic or "Repeat the request with the Echo", self.protect_response(response, binding))


def _split(message):
    """The inner and the outer options of a message to be protected."""
    inner = []
    outer = []
    for item in message.options:
        if item[0] == coap.OSCORE:
            raise OscoreError("the message is protected already: OSCORE cannot be nested")
        if item[0] == coap.PROXY_URI:
            raise OscoreError(
                "Proxy-Uri would show the path: give Proxy-Scheme, Uri-Host, Uri-Port, Uri-Path, Uri-Query"
            )
        (outer if item[0] in OUTER_OPTIONS else inner).append(item)
    return inner, outer


def _join(message, plaintext):
    """The message inside, with the header and those options of the message outside that are only there.

    Raises MessageError.
    """
    if not plaintext:
        raise MessageError("there is no code inside")
    inner, payload = coap.decode_body(plaintext[1:])
    options = [item for item in message.options if item[0] in OUTER_OPTIONS]
    for item in inner:
        if item[0] == coap.OSCORE:
            raise MessageError("OSCORE cannot be nested")
        options.append(item)
    return coap.Message(plaintext[0], message.type, message.mid, message.token, options, payload)


def _check_order(inner, binding, number):
    """Let only newer notifications pass, and write their order where observers look for it (section 4.1.3.5.2)."""
    if not binding.observe:
        raise Refused(coap.BAD_REQUEST, "a notification without an observation")
    # One without a number (-1) is the oldest: it may come first, and only once.
    if number <= binding.newest and not binding.nonce_free:
        raise Refused(coap.UNAUTHORIZED, "Replay detected")
    binding.nonce_free = False
    binding.newest = number
    inner.remove(coap.OBSERVE)
    inner.add(coap.OBSERVE, max(number, 0) & 0xFFFFFF)


def _describe(response):
    """Code and diagnostic of an unprotected response, for a log."""
    try:
        text = response.payload[:64].decode()
    except UnicodeError:
        text = ""
    return ("%s %s" % (coap.format_code(response.code), text)).rstrip()
