"""The other side in the tests: a lamp on aiocoap (client and server on one socket) and a raw one that can misbehave."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiocoap
import cbor2
from aiocoap import Message, oscore
from aiocoap.numbers.codes import Code
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper
from aiocoap.resource import Resource, Site
from cryptography.hazmat.primitives.hashes import SHA256

from contract.limits import SERVER_ID

ENDPOINT = "urn:dev:mac:0011223344556677"
SENDER_ID = b"\x11\x22\x33"
SECRET = bytes(range(16))
SALT = b"saltsalt"
OBJECTS = b'</>;rt="oma.lwm2m";ct="110 112",</3416/0>;ver="2.0",</3/0>'


class FakeClock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.lighting = 1_700_000_000_000
        self.real = 1_790_000_000_000

    def now_ms(self) -> int:
        return self.lighting

    def real_ms(self) -> int:
        return self.real


class Context(oscore.CanProtect, oscore.CanUnprotect, oscore.SecurityContextUtils):
    """The lamp's side of the security context, with stock aiocoap's code."""

    id_context = None
    alg_aead = oscore.AES_CCM_16_64_128()
    hashfun = SHA256()
    echo_recovery = None
    authenticated_claims = ()

    def __init__(self, sender_id: bytes = SENDER_ID, secret: bytes = SECRET, sequence: int = 0) -> None:
        self.sender_id = sender_id
        self.recipient_id = SERVER_ID
        self.sender_sequence_number = sequence
        self.recipient_replay_window = oscore.ReplayWindow(32, lambda: None)
        self.recipient_replay_window.initialize_empty()
        self.derive_keys(SALT, secret)

    def post_seqnoincrease(self) -> None:
        pass


class _Keys:
    def __init__(self, context: Context) -> None:
        self._context = context

    def find_oscore(self, unprotected: dict[int, Any]) -> Context:
        if unprotected.get(oscore.COSE_KID) != SERVER_ID:
            raise KeyError
        return self._context


class Tree(Resource):
    """A lamp's resources: answers with what `answer(request)` returns, and remembers the requests."""

    def __init__(self, answer: Callable[[Message], Message]) -> None:
        super().__init__()
        self.answer = answer
        self.requests: list[Message] = []

    async def render(self, request: Message) -> Message:
        self.requests.append(request)
        return self.answer(request)


class _Everywhere(Site):
    """Every path leads to the one resource."""

    def __init__(self, resource: Resource) -> None:
        super().__init__()
        self._resource = resource

    async def render_to_pipe(self, pipe: Any) -> None:
        await self._resource.render_to_pipe(pipe)


class Lamp:
    """`context` None: without OSCORE."""

    def __init__(self, endpoint: aiocoap.Context, tree: Tree, port: int, context: Context | None) -> None:
        self.endpoint = endpoint
        self.tree = tree
        self.context = context
        self._base = f"coap://127.0.0.1:{port}"
        if context is not None:
            endpoint.client_credentials[self._base + "/*"] = context

    @classmethod
    async def open(cls, port: int, context: Context | None = None) -> "Lamp":
        tree = Tree(lambda _: Message(code=Code.NOT_FOUND))
        site = _Everywhere(tree)
        endpoint = await aiocoap.Context.create_server_context(
            site if context is None else OscoreSiteWrapper(site, _Keys(context)),
            bind=("127.0.0.1", 0),
            transports=["oscore", "udp6"],
        )
        return cls(endpoint, tree, port, context)

    async def request(self, code: Code, path: str, payload: bytes = b"", **options: Any) -> Message:
        message = Message(code=code, uri=self._base + path, payload=payload, **options)
        return await self.endpoint.request(message).response

    async def register(self, endpoint: str = ENDPOINT, query: str = "&lt=300&lwm2m=1.1&b=U", **options: Any) -> Message:
        options = {"payload": OBJECTS, "content_format": 40, **options}
        return await self.request(Code.POST, f"/rd?ep={endpoint}{query}", **options)

    async def report(self, *records: dict[Any, Any]) -> Message:
        pack = list(records) or [{-2: "/3418/0/", -3: 1_700_000_000, 0: "1", 2: 231.5}]
        return await self.request(Code.POST, "/dp", cbor2.dumps(pack), content_format=112)

    async def close(self) -> None:
        await self.endpoint.shutdown()


class Raw(asyncio.DatagramProtocol):
    """Sends the bytes it is given, and hands out the datagrams that come back."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport
        self._mid = 0

    @classmethod
    async def open(cls, port: int) -> "Raw":
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(cls, remote_addr=("127.0.0.1", port))
        return protocol

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.received.put_nowait(data)

    def encode(self, message: Message, kind: aiocoap.Type = aiocoap.CON, mid: int | None = None) -> bytes:
        """The datagram of `message`, with a message id and a token of its own."""
        self._mid += 1
        message.mtype, message.mid, message.token = kind, self._mid if mid is None else mid, bytes([self._mid & 0xFF])
        message.direction = aiocoap.message.Direction.OUTGOING
        return bytes(message.encode())

    async def ask(self, data: bytes, timeout_s: float = 2.0) -> Message:
        """Send and return what comes back next."""
        self.transport.sendto(data)
        return await self.next(timeout_s)

    async def next(self, timeout_s: float = 2.0) -> Message:
        async with asyncio.timeout(timeout_s):
            return Message.decode(await self.received.get())

    async def hears_nothing(self) -> bool:
        """True when the server sent nothing: it answers a ping (which it must) before anything else came."""
        self._mid += 1
        self.transport.sendto(b"\x40\x00" + self._mid.to_bytes(2, "big"))
        return (await self.next()).mid == self._mid

    async def protected(self, context: Context, message: Message) -> Message:
        """One request with its response, unprotected; answers an Echo challenge."""
        outer, request_id = context.protect(message)
        answer = await self.ask(self.encode(outer))
        inner, _ = context.unprotect(answer, request_id)
        if inner.opt.echo is not None:
            message.opt.echo = inner.opt.echo
            return await self.protected(context, message)
        return inner
