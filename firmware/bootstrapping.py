"""A lamp that knows a bootstrap server only: gets its account there, keeps it, and registers with it.

The account is one record, and the identity stays what provisioning wrote: a lamp whose account is lost, or fails for
long (firmware.weariness), asks the bootstrap server again, and keeps the old account until it has a new one. All of it
goes over the keys of the identity; once the account is in force they open nothing. Numbers of messages are counted on
in one record whatever keys they are used with, so that none meets a number twice. Borrowed (firmware.rarely).
"""

from contract.objects import server
from firmware.codec import cbor
from firmware.errors import IdentityError
from firmware.identity import Identity
from firmware.lwm2m.node import WRITE, Change
from firmware.lwm2m.objects.server import Server
from firmware.oscore.protect import Oscore
from firmware.rarely import borrow

RECORD = "account"
FIELDS = ("server_host", "server_port", "sender_id", "recipient_id", "master_secret", "master_salt", "account")
LAST_SERVER_ID = 65534

# Attempts before a lamp goes back to the account that it has.
TRIES = 3


def begin(app):
    """At the start of a lamp: take the account that was kept, or ask for one."""
    client, parts = app.client, app.parts
    client.registration = client.sender.registration = watched = borrow("firmware.weariness").Watched(
        app, client.registration
    )
    parts.bootstrap = watched.bootstrap
    node = app.operations._tree.node(server.ID)
    node._present = tuple(sorted(node._present + node.LACKS))
    account = _kept(parts)
    if account is None:
        ask(app)
    else:
        _use(app, account)


def ask(app):
    """Ask the bootstrap server for an account, from the next round of the client on."""
    _Asking(app)


def _kept(parts):
    """The Identity with the account that was kept, or None: there is none, or none that could be used."""
    data = parts.store.load(RECORD)
    if data is None:
        return None
    try:
        return _with(parts.board, cbor.decode(data))
    except (ValueError, TypeError, KeyError, IdentityError):
        parts.store.lost += 1
        return None


def _with(board, account):
    """The Identity that `account` makes of what provisioning wrote. Raises IdentityError, KeyError, TypeError."""
    fields = board.identity()
    for name in FIELDS:
        fields[name] = account[name]
    if not 1 <= fields["account"] <= LAST_SERVER_ID:
        raise IdentityError("the account has no short server id", "bootstrap the lamp again")
    return Identity(fields)


def _use(app, identity):
    app.parts.identity = identity
    app.endpoint.security = Oscore(app._context(app.parts), app.board.random)
    uplink = app.client.uplink
    uplink._identity, uplink._doubts = identity, 0
    uplink.forget()
    uplink.end_observations()


class _Asking:
    """Stands in for registration and operations of a lamp until it has its account."""

    def __init__(self, app):
        self._app = app
        client, board = app.client, app.board
        self._registration, self._operations = client.registration, app.operations
        _use(app, Identity(board.identity()))
        tries = None if app.parts.store.load(RECORD) is None else TRIES
        self._core = borrow("firmware.lwm2m.bootstrap").Bootstrap(
            app.parts.identity.endpoint, app._draw, self._accept, self._end, tries
        )
        if self._registration.is_started():
            self._core.start(board.ticks_ms())
        client.registration, app.operations = self._core, self
        app.log.note("bootstrap", server=app.parts.identity.server_host)

    def handle(self, request):
        """A request over the keys of the bootstrap server, as lwm2m.operations.Operations.handle."""
        return self._core.handle(request, self._app.board.ticks_ms())

    def _accept(self, account, written):
        parts = self._app.parts
        _with(parts.board, account)
        wanted = {resource: written[resource] for resource in written if resource in Server.SETTINGS}
        # First: a cut before the account is kept only means one more bootstrap.
        self._operations._tree.apply([Change(server.ID, 0, wanted, WRITE)])
        parts.store.save(RECORD, cbor.encode(account))

    def _end(self, is_done):
        app = self._app
        account = _kept(app.parts)
        if account is None:
            # It has rotted meanwhile.
            self._core.tries = None
            return
        now_ms = app.board.ticks_ms()
        registration = self._registration
        app.client.registration, app.operations = registration, self._operations
        _use(app, account)
        registration.lost(now_ms)
        if is_done:
            registration.reconnected(now_ms)
            registration.start(now_ms, 0)
        app.log.note("bootstrap ends", account="new" if is_done else "old", server=account.server_host)
