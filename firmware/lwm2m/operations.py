"""Requests of an LwM2M server: which operation one is, on what, and the response.

| method | on                     | operation                                    | method | on   | operation       |
|--------|------------------------|----------------------------------------------|--------|------|-----------------|
| GET    | any path               | Read; Discover with Accept 40; Observe       | FETCH  | root | Read-Composite, |
| PUT    | instance and below     | Write (replace); Write-Attributes with query |        |      | Observe-Composite |
| POST   | object                 | Create                                       | iPATCH | root | Write-Composite |
| POST   | instance, resource     | Write (partial update); Execute              | DELETE | instance | Delete      |

Nothing half-applies: a request is answered 2.xx and done, or answered otherwise and the tree is as it was.
Source: OMA-TS-LightweightM2M_Transport-V1_1 section 6.4.4 and 6.4.5 (mapping, response codes).
"""

from contract import paths
from contract.senml import LINK_FORMAT, TEXT
from firmware.coap import message as coap
from firmware.coap.errors import MessageError
from firmware.coap.message import Message
from firmware.codec.text import decode_utf8
from firmware.lwm2m import formats
from firmware.lwm2m.errors import BadRequest, LwM2MError, NotAllowed, NotFound, UnsupportedFormat
from firmware.rarely import borrow

DIAGNOSTIC_CHARACTERS = 160  # enough for a path and a sentence; an error answer must fit one datagram
ARGUMENTS_BYTES = 255


class Operations:
    """`handle(request) -> Message` for the whole, unprotected request. Its `observation` is a coap.observe.Observation
    when it asks to observe, else None. `now_ms()` is the clock of the observations; `log` a firmware.log.Log;
    `make_room()` is called before a composite write is unpacked, for those who can let go of memory."""

    def __init__(self, tree, attributes, observations, now_ms, log, make_room=None):
        self._make_room = make_room
        self._tree = tree
        self._attributes = attributes
        self._observations = observations
        self._now_ms = now_ms
        self._log = log
        self._methods = {
            coap.GET: self._get,
            coap.PUT: self._put,
            coap.POST: self._post,
            coap.DELETE: self._delete,
            coap.FETCH: self._fetch,
            coap.IPATCH: self._ipatch,
        }

    def handle(self, request):
        """The response to a request. Never raises: a fault of ours is answered 5.00 and logged."""
        try:
            method = self._methods.get(request.code)
            if method is None:
                raise NotAllowed("method %s is not used by LwM2M" % coap.format_code(request.code))
            return method(request, _path(request))
        except LwM2MError as error:
            return refusal(error)
        except MessageError as error:
            return refusal(BadRequest(str(error)))
        except Exception as error:
            self._log.note("request failed", code=coap.format_code(request.code), error=repr(error))
            return Message(coap.INTERNAL_SERVER_ERROR, payload=b"the lamp failed to carry this out; its log says more")

    def _get(self, request, path):
        _no_query(request)
        accept = request.uint(coap.ACCEPT)
        if accept == LINK_FORMAT:
            found = borrow("firmware.lwm2m.discovery").discover(self._tree, self._attributes, path)
            return _content(LINK_FORMAT, found.encode())
        return self._answer(request, (path,), accept)

    def _fetch(self, request, path):
        _no_query(request)
        _only_root(path)
        records = formats.decode(request.uint(coap.CONTENT_FORMAT), request.payload)
        if not records:
            raise BadRequest("the payload names nothing to read")
        accept = request.uint(coap.ACCEPT)
        return self._answer(request, tuple([record.path for record in records]), accept, composite=True)

    def _answer(self, request, wanted, accept, composite=False):
        """Read, and observe when the request asks for it."""
        records = read(self._tree, wanted, composite)
        response = content(self._tree, wanted, records, accept, composite)
        if request.observation is not None:
            self._observations.open(request.observation, wanted, accept, composite, records, self._now_ms())
            response.add(coap.OBSERVE, 0)
        return response

    def _put(self, request, path):
        queries = request.query()
        if not queries:
            return self._write(request, path, replace=True)
        if request.payload or request.option(coap.CONTENT_FORMAT) is not None:
            raise BadRequest("attributes come without a payload", path)
        self._attributes.write(path, queries, self._is_number(path))
        return Message(coap.CHANGED)

    def _is_number(self, path):
        """Whether an existing path is a single number, which gt, lt and st need. Raises NotFound, NotAllowed."""
        if path.object is None:
            raise NotAllowed("name an object, an instance or a resource")
        if path.instance is None:
            self._tree.node(path.object)
            return False
        if path.resource is None:
            self._tree.instance(path.object, path.instance)
            return False
        return self._tree.existing(path).type in ("Integer", "Float", "Time")

    def _write(self, request, path, replace):
        resource = None
        if path.resource is not None:
            resource = self._tree.existing(path)
            if "W" not in resource.operations:
                raise NotAllowed("%s cannot be written" % resource.name, path)
            if resource.multiple and path.resource_instance is None:
                resource = None
        records = formats.decode(request.uint(coap.CONTENT_FORMAT), request.payload, path, resource)
        self._tree.apply(_changes().write(self._tree, path, records, replace))
        return Message(coap.CHANGED)

    def _post(self, request, path):
        _no_query(request)
        if path.object is None or path.resource_instance is not None:
            raise NotAllowed("POST is for objects, instances and resources", path)
        if path.instance is None:
            return self._create(request, path)
        if path.resource is not None and "E" in self._tree.existing(path).operations:
            return self._execute(request, path)
        return self._write(request, path, replace=False)

    def _create(self, request, path):
        self._tree.node(path.object)
        change = _changes().create(
            self._tree, path.object, formats.decode(request.uint(coap.CONTENT_FORMAT), request.payload)
        )
        self._tree.apply([change])
        response = Message(coap.CREATED)
        response.add(coap.LOCATION_PATH, str(change.object))
        response.add(coap.LOCATION_PATH, str(change.instance))
        return response

    def _execute(self, request, path):
        if request.uint(coap.CONTENT_FORMAT) not in (None, TEXT):
            raise UnsupportedFormat("arguments come as text/plain", path)
        if len(request.payload) > ARGUMENTS_BYTES:
            raise BadRequest("the arguments have more than %d bytes" % ARGUMENTS_BYTES, path)
        try:
            arguments = decode_utf8(request.payload)
        except ValueError:
            raise BadRequest("the arguments are not UTF-8 text", path) from None
        self._tree.execute(path, arguments)
        return Message(coap.CHANGED)

    def _delete(self, request, path):
        _no_query(request)
        self._tree.apply([_changes().delete(self._tree, path)])
        self._attributes.forget(path)
        return Message(coap.DELETED)

    def _ipatch(self, request, path):
        _no_query(request)
        _only_root(path)
        if self._make_room is not None:
            self._make_room()
        # One record at a time: all of a schedule's would be half as much memory again as what they say.
        changes = _changes().compose(self._tree, formats.each(request.uint(coap.CONTENT_FORMAT), request.payload))
        # All that it says is in the changes; kept any longer it would have to fit beside what becomes of them.
        request.payload = b""
        self._tree.apply(changes)
        return Message(coap.CHANGED)


def _changes():
    return borrow("firmware.lwm2m.changes")


def read(tree, wanted, composite):
    """Records of the paths in `wanted`. A composite leaves out what is not there, unless nothing is.

    Raises NotFound, NotAllowed.
    """
    records = []
    missing = None
    for path in wanted:
        try:
            records += tree.read(path)
        except NotFound as error:
            if not composite:
                raise
            missing = error
    if missing and not records:
        raise missing
    return records


def content(tree, wanted, records, accept, composite):
    """2.05 with `records` in the format `accept`. Raises NotAcceptable, TooLarge."""
    single = None
    if not composite and wanted[0].resource is not None:
        resource = tree.resource(wanted[0])
        if not resource.multiple or wanted[0].resource_instance is not None:
            single = resource
    return _content(*formats.encode(accept, records, single))


def refusal(error):
    """The response that says what an LwM2MError says."""
    return Message(error.code, payload=str(error)[:DIAGNOSTIC_CHARACTERS].encode())


def _content(format, payload):
    response = Message(coap.CONTENT, payload=payload)
    response.add(coap.CONTENT_FORMAT, format)
    return response


def _path(request):
    """The path of a request. Raises NotFound; NotAllowed for /bs, which is for bootstrap servers."""
    text = request.path()
    if text == "bs":
        raise NotAllowed("bootstrap goes over the keys of the bootstrap server, not over these")
    try:
        return paths.parse(text)
    except paths.PathError as error:
        raise NotFound(str(error)) from None


def _no_query(request):
    if request.option(coap.URI_QUERY) is not None:
        raise BadRequest("this operation takes no query")


def _only_root(path):
    if path != paths.ROOT:
        raise NotAllowed("composite operations go to the root", path)
