"""Client-initiated bootstrap without I/O: ask the bootstrap server for an account, take what it writes, judge it whole.

    asking --2.xx--> listening --finish, all is well--> done
       ^    POST /bs     | nothing came for QUIET_MS, or the account makes no sense
       └---- later ------┘

It asks as a Registration does, so that back-off, jitter and obedience to 5.03 are the same; only what is asked differs,
and that the lamp then listens. What was written is judged at the finish and only then kept, as a whole: a bootstrap
that ends anywhere else leaves the lamp as it was. Borrowed while it is needed (firmware.bootstrapping).

Source: OMA-TS-LightweightM2M_Core-V1_1 sections 6.1 (modes, operations, consistency), E.1, E.2; Transport-V1_1 section
6.4.3 (mapping and codes), RFC 6690 (Discover). Objects 0, 1 and 21 are taken, as SenML-CBOR, SenML-JSON or TLV.
"""

from binascii import hexlify

from contract import limits, paths
from contract.objects import find_in, oscore, security, server
from contract.senml import LINK_FORMAT, SENML_CBOR, TLV
from firmware.coap import message as coap
from firmware.coap.errors import MessageError
from firmware.coap.message import Message
from firmware.errors import LampError, StorageError
from firmware.lwm2m import formats, values
from firmware.lwm2m.errors import BadRequest, LwM2MError, NotAcceptable, NotAllowed, NotFound, TooLarge, Unavailable
from firmware.lwm2m.operations import refusal
from firmware.lwm2m.registration import REFUSED_HIGH_MS, REFUSED_MS, Registration, Request
from firmware.rarely import borrow

BOOTSTRAP = "bootstrap"

# A server repeats itself for 93 s at most (RFC 7252 section 4.8.2, MAX_TRANSMIT_WAIT); then nothing more comes.
QUIET_MS = 93000
# An account is one instance of each object; a server may have written more before it deletes.
INSTANCES = 8

PROTOCOL = "coap://"
NO_SECURITY = 3  # of DTLS, /0/x/2: OSCORE is in /0/x/17
AES_CCM = 10  # AES-CCM-16-64-128, IANA registry "COSE Algorithms"
HKDF_SHA_256 = (5, -10)  # HMAC 256/256, as the registry of HMAC algorithms has it; as direct+HKDF-SHA-256


class Bootstrap(Registration):
    """`accept(account, written)` judges and keeps what the server gave: `account` has the fields of an identity by name
    (contract.identity, and `account`, its short server id), `written` {resource: value} of object 1. It raises a
    LampError or an LwM2MError: StorageError or Unavailable when it was right and could not be kept. `tries`: give up
    after so many, None: never. `end(is_done)` is called when it is over."""

    def __init__(self, endpoint, random, accept, end, tries=None):
        super().__init__(endpoint, None, None, random)
        self._accept = accept
        self._end = end
        self.tries = tries
        self._instances = {}
        self._is_listening = False
        self.is_done = False

    def next(self, now_ms):
        if self.is_done:
            self._end(True)
            return None
        if self._is_listening and now_ms >= self.due_ms:
            self._is_listening = False
            self.suspect(now_ms)
        if self.tries is not None and self._failures >= self.tries and not self._is_listening:
            self._end(False)
            return None
        return None if self._is_listening else super().next(now_ms)

    def _register(self):
        self._instances.clear()
        queries = ("ep=" + self._endpoint, "pct=%d" % SENML_CBOR)
        return Request(BOOTSTRAP, coap.POST, limits.BS_PATH, queries, b"")

    def answered(self, code, now_ms, location="", max_age_s=None):
        if coap.is_success(code):
            self.pending = None
            self._listen(now_ms)
            return "listening"
        word = super().answered(code, now_ms, location, max_age_s)
        if word == "busy":
            # Whoever has an account to go back to does not wait here for ever.
            self._failures += 1
        return word

    def unanswered(self, now_ms):
        if self._is_listening:
            # The acknowledgement was lost, and the server is at work.
            self.pending = None
        else:
            super().unanswered(now_ms)

    def reconnected(self, now_ms):
        if not self._is_listening:
            super().reconnected(now_ms)

    def _listen(self, now_ms):
        self._is_listening = True
        self.due_ms = now_ms + QUIET_MS

    def handle(self, request, now_ms):
        """The response (Message) to a request that came over the keys of the bootstrap server. Never raises what a
        request can be the cause of."""
        try:
            text = request.path()
            if self.is_done and (text != limits.BS_PATH or request.code != coap.POST):
                raise BadRequest("the bootstrap is finished")
            if not self.is_done:
                self._listen(now_ms)
            if text == limits.BS_PATH:
                return self._finish(request, now_ms)
            try:
                path = paths.parse(text)
            except paths.PathError as error:
                raise NotFound(str(error)) from None
            if request.code == coap.PUT:
                return self._write(request, path)
            if request.code == coap.DELETE:
                return self._delete(path)
            if request.code == coap.GET:
                return self._discover(request, path)
            raise NotAllowed("a bootstrap server writes, deletes, discovers and finishes")
        except LwM2MError as error:
            return refusal(error)
        except MessageError as error:
            return refusal(BadRequest(str(error)))

    def _write(self, request, path):
        object = _object(path)
        format = request.uint(coap.CONTENT_FORMAT)
        resource = None if path.resource is None else find_in(object, path.resource)
        if format == TLV:
            if len(request.payload) > limits.PAYLOAD_BYTES:
                raise TooLarge("%d bytes are the most" % limits.PAYLOAD_BYTES)
            records = borrow("firmware.lwm2m.tlv").decode(object, path, request.payload)
        else:
            records = formats.decode(format, request.payload, path, resource)
        written = {} if path.instance is None else {path.instance: {}}
        for record in records:
            at = record.path
            if not paths.covers(path, at) or at.resource is None or at.resource_instance is not None:
                raise BadRequest("the payload has a value that the path does not cover", at)
            known = find_in(object, at.resource)
            # What the lamp does not know is optional, and ignored (section 6.1.7.5).
            if known is not None:
                try:
                    value = values.check(known, record.value)
                except LwM2MError as error:
                    raise BadRequest(error.reason, at) from None
                written.setdefault(at.instance, {})[at.resource] = value
        changed = self._instances.copy()
        for instance in written:
            key = (path.object, instance)
            kept = changed.get(key, {}).copy() if path.resource is not None else {}
            kept.update(written[instance])
            changed[key] = kept
        if len(changed) > INSTANCES:
            raise TooLarge("more than %d instances: delete some first" % INSTANCES)
        self._instances = changed
        return Message(coap.CHANGED)

    def _delete(self, path):
        if path.resource is not None:
            raise NotAllowed("resources are not deleted", path)
        if path.object is not None:
            _object(path)
        for key in list(self._instances):
            if path.object in (None, key[0]) and path.instance in (None, key[1]):
                del self._instances[key]
        return Message(coap.DELETED)

    def _discover(self, request, path):
        if path.resource is not None or request.uint(coap.ACCEPT) != LINK_FORMAT:
            raise NotAllowed("a bootstrap server may discover, and read nothing", path)
        if path.object is not None:
            _object(path)
        links = ["</>;lwm2m=1.1"]
        # The account of the bootstrap server itself is what provisioning wrote: it is there, and nobody changes it.
        keys = [(security.ID, 0), (oscore.ID, 0)] + list(self._instances)
        for key in sorted(set(keys)):
            if path.object in (None, key[0]) and path.instance in (None, key[1]):
                held = self._instances.get(key, {})
                id = held.get(security.SHORT_SERVER_ID.id if key[0] == security.ID else server.SHORT_SERVER_ID.id)
                known = key[0] != oscore.ID and id is not None
                links.append("</%d/%d>" % key + (";ssid=%d" % id if known else ""))
        response = Message(coap.CONTENT, payload=",".join(links).encode())
        response.add(coap.CONTENT_FORMAT, LINK_FORMAT)
        return response

    def _finish(self, request, now_ms):
        if request.code != coap.POST:
            raise NotAllowed("POST says that the bootstrap is finished")
        if not self.is_done:
            try:
                self._accept(*self._account())
            except StorageError as error:
                raise Unavailable(str(error)) from None
            except Unavailable:
                raise
            except (LampError, LwM2MError) as error:
                self._is_listening = False
                self._retry(now_ms, REFUSED_MS, REFUSED_HIGH_MS)
                raise NotAcceptable(str(error)) from None
            self.is_done = True
        return Message(coap.CHANGED)

    def _account(self):
        """The account that was written and the values of its object 1; raises NotAcceptable."""
        number, held = self._only(security.ID, security.BOOTSTRAP_SERVER.id)
        short_id = held.get(security.SHORT_SERVER_ID.id)
        if held.get(security.SECURITY_MODE.id) != NO_SECURITY:
            raise NotAcceptable("/0/%d/2 is not %d: the lamp has no DTLS, it has OSCORE" % (number, NO_SECURITY))
        link = held.get(security.OSCORE_SECURITY_MODE.id)
        keys = None if link is None or link[0] != oscore.ID else self._instances.get(tuple(link))
        if keys is None:
            raise NotAcceptable(
                "/0/%d/17 links to no written instance of /21: the lamp speaks over OSCORE only" % number
            )
        if keys.get(oscore.OSCORE_AEAD_ALGORITHM.id, AES_CCM) != AES_CCM:
            raise NotAcceptable("/21/%d/3: the lamp has AES-CCM-16-64-128 (%d) only" % (link[1], AES_CCM))
        if keys.get(oscore.OSCORE_HMAC_ALGORITHM.id, HKDF_SHA_256[0]) not in HKDF_SHA_256:
            raise NotAcceptable("/21/%d/4: the lamp has HKDF SHA-256 (%d) only" % (link[1], HKDF_SHA_256[0]))
        if keys.get(oscore.OSCORE_ID_CONTEXT.id):
            raise NotAcceptable("/21/%d/6: the lamp has no id context" % link[1])
        host, port = _split(held.get(security.LWM2M_SERVER_URI.id, ""))
        account = {"server_host": host, "server_port": port, "account": short_id}
        for name, resource in (
            ("master_secret", oscore.OSCORE_MASTER_SECRET),
            ("master_salt", oscore.OSCORE_MASTER_SALT),
            ("sender_id", oscore.OSCORE_SENDER_ID),
            ("recipient_id", oscore.OSCORE_RECIPIENT_ID),
        ):
            account[name] = hexlify(keys.get(resource.id, b"")).decode()
        number, written = self._only(server.ID)
        if short_id is None or written.get(server.SHORT_SERVER_ID.id) != short_id:
            raise NotAcceptable("/1/%d/0 is not the short server id of /0" % number)
        if server.LIFETIME.id not in written:
            raise NotAcceptable("/1/%d/1 is missing: the lifetime" % number)
        if "U" not in written.get(server.BINDING.id, "U"):
            raise NotAcceptable("/1/%d/7: the lamp speaks CoAP over UDP only" % number)
        return account, written

    def _only(self, object, flag=None):
        """(number, resources) of the one instance of an object in which `flag` is not set; raises NotAcceptable."""
        found = [
            (key[1], self._instances[key])
            for key in self._instances
            if key[0] == object and not self._instances[key].get(flag)
        ]
        if len(found) != 1:
            raise NotAcceptable("/%d has %d instances for a server, the lamp has one" % (object, len(found)))
        return found[0]


def _object(path):
    """The contract's object of a path; raises NotFound, NotAllowed."""
    if path.object is None:
        raise NotAllowed("name an object")
    for one in (security.OBJECT, server.OBJECT, oscore.OBJECT):
        if one.id == path.object:
            return one
    raise NotFound("the lamp is bootstrapped with objects 0, 1 and 21 only", path)


def _split(uri):
    """(host, port) of a server's URI; raises NotAcceptable."""
    host, _, port = uri[len(PROTOCOL) :].rstrip("/").partition(":")
    if not uri.startswith(PROTOCOL) or not host or "/" in host or "[" in host:
        raise NotAcceptable("the server's URI must be coap://host:port")
    try:
        return host, formats.parse_integer(port) if port else limits.COAP_PORT
    except ValueError:
        raise NotAcceptable("the port of the server's URI is no number") from None
