"""The impairment between bare sockets, for tests that need no lamp and no backend."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from hil.street.impairment import Impairment


@contextmanager
def a_network(lamps: int = 1, rebind_ms: float = 0) -> Iterator[tuple[Impairment, socket.socket, list[socket.socket]]]:
    """A network between a silent server and `lamps` lamps, all of them bare sockets with a time-out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        network = Impairment(server.getsockname(), lamps, seed=7, rebind_ms=rebind_ms)
        ends = []
        for port in network.ports:
            end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.connect(("127.0.0.1", port))
            end.settimeout(5)
            ends.append(end)
        network.start()
        try:
            yield network, server, ends
        finally:
            network.close()
            for end in ends:
                end.close()
