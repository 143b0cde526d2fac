"""Durable OSCORE ingest against a bare aiocoap OSCORE echo, as a ratio (`make bench-ingest`).

Two servers in processes of their own, the same load from this one, phases in turns. `bare` is stock aiocoap: its
OSCORE site wrapper around a resource that returns the payload, with keys in a dictionary; nothing is decoded or
stored. `durable` is our device server on SQLite (WAL, synchronous=FULL): SenML decoded, a telemetry row for each
report, acknowledged after the commit. Exits 1 when durable acknowledges less than 0.65 of what bare does.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from tests.bench import load

LIMIT = 0.65


def serve_bare(pipe: Pipe, lamps: int, _directory: str) -> None:
    """Stock aiocoap."""
    import aiocoap
    import aiocoap.resource
    from aiocoap import oscore
    from aiocoap.oscore_sitewrapper import OscoreSiteWrapper
    from cryptography.hazmat.primitives.hashes import SHA256

    from contract.limits import SERVER_ID

    class Context(oscore.CanProtect, oscore.CanUnprotect, oscore.SecurityContextUtils):
        id_context = None
        alg_aead = oscore.AES_CCM_16_64_128()
        hashfun = SHA256()
        echo_recovery = None

        def post_seqnoincrease(self) -> None:
            pass

    class Keys:
        def __init__(self) -> None:
            self.contexts = {}
            for index in range(lamps):
                context = Context()
                context.sender_id = SERVER_ID
                context.recipient_id, secret = load.keys_of(index)
                context.sender_sequence_number = 0
                context.recipient_replay_window = oscore.ReplayWindow(32, lambda: None)
                context.recipient_replay_window.initialize_empty()
                context.derive_keys(load.SALT, secret)
                self.contexts[context.recipient_id] = context

        def find_oscore(self, unprotected: dict[int, Any]) -> Context:
            return self.contexts[unprotected[oscore.COSE_KID]]

    class Echo(aiocoap.resource.Resource):
        async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
            return aiocoap.Message(code=aiocoap.CHANGED, payload=request.payload)

    async def main() -> None:
        site = aiocoap.resource.Site()
        site.add_resource(["dp"], Echo())
        context = await aiocoap.Context.create_server_context(
            OscoreSiteWrapper(site, Keys()), bind=("127.0.0.1", 0), transports=["udp6"]
        )
        port = context.request_interfaces[0].token_interface.message_interface._local_port()
        await _until_told(pipe, port)
        await context.shutdown()

    asyncio.run(main())


def serve_durable(pipe: Pipe, lamps: int, directory: str) -> None:
    """Our device server with a file under `directory`."""
    from sqlalchemy import BigInteger, Column, Connection, Float, Integer, MetaData, Table, insert
    from sqlmodel import SQLModel

    from backend.clock import Clock
    from backend.db import Database
    from backend.device_server import models  # noqa: F401  (its tables)
    from backend.device_server.ports import Report
    from backend.device_server.server import DeviceServer
    from backend.device_server.settings import DeviceServerSettings
    from contract.paths import path

    telemetry = Table(
        "bench_telemetry",
        MetaData(),
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("lamp_id", BigInteger),
        Column("at_s", BigInteger),
        *(Column(name, Float) for name in ("voltage_v", "current_a", "power_w", "energy_wh", "level")),
    )
    columns = {
        path(3418, 0, 1): "voltage_v",
        path(3418, 0, 2): "current_a",
        path(3418, 0, 3): "power_w",
        path(3418, 0, 6): "energy_wh",
        path(3416, 0, 3): "level",
    }
    statement = insert(telemetry).prefix_with("OR IGNORE")

    def ingest(connection: Connection, reports: Sequence[Report]) -> None:
        rows = []
        for report in reports:
            at_s = report.records[0].time_s
            row = {"id": at_s << 24 | report.lamp_id, "lamp_id": report.lamp_id, "at_s": at_s}
            row.update((columns[record.path], record.value) for record in report.records)
            rows.append(row)
        connection.execute(statement, rows)

    async def main() -> None:
        database = Database(f"sqlite:///{directory}/bench.db")
        SQLModel.metadata.create_all(database.engine)
        telemetry.create(database.engine)
        settings = DeviceServerSettings(host="127.0.0.1", port=0)
        server = DeviceServer(database, Clock(), settings, [ingest])
        with database.session(writes=True) as session:
            for index in range(lamps):
                sender_id, secret = load.keys_of(index)
                server.credentials.add(session, index + 1, f"bench-{index}", sender_id, secret, load.SALT)
        await server.start()
        await _until_told(pipe, server.port)
        await server.stop()
        with database.reading() as connection:
            stored = connection.exec_driver_sql("SELECT count(*) FROM bench_telemetry").scalar()
        pipe.send({"stored": stored, **server.counters.snapshot()})
        database.close()

    asyncio.run(main())


async def _until_told(pipe: Pipe, port: int) -> None:
    """Tell the port; answer "cpu" with the CPU seconds used; return at "stop"."""
    pipe.send(port)
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def told() -> None:
        if pipe.recv() == "cpu":
            usage = resource.getrusage(resource.RUSAGE_SELF)
            pipe.send(usage.ru_utime + usage.ru_stime)
        else:
            done.set()

    loop.add_reader(pipe.fileno(), told)
    await done.wait()
    loop.remove_reader(pipe.fileno())


class Server:
    """A server in a process of its own, and the lamps that talk to it."""

    def __init__(self, name: str, serve: Any, lamps: int, directory: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.name = name
        self.rates: list[float] = []
        self.per_cpu: list[float] = []
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(theirs, lamps, directory))
        self._process.start()
        port = self._pipe.recv()
        self.lamps = [load.Lamp(index, port) for index in range(lamps)]
        self.acknowledged = 0

    def _cpu_s(self) -> float:
        self._pipe.send("cpu")
        return float(self._pipe.recv())

    def phase(self, seconds: float) -> str:
        """Load it, and say what came out."""
        before = self._cpu_s()
        result = load.run(self.lamps, seconds)
        used = self._cpu_s() - before
        self.acknowledged += result.acknowledged
        self.rates.append(result.rate)
        self.per_cpu.append(result.acknowledged / used)
        return (
            f"{self.name:8} {result.acknowledged:7d} acknowledged {result.rate:8.0f}/s wall "
            f"{self.per_cpu[-1]:8.0f}/s server CPU  p50 {result.percentile_ms(50):6.1f} ms  "
            f"p99 {result.percentile_ms(99):6.1f} ms  refused {result.refused}  retransmitted {result.retransmitted}"
        )

    def stop(self, wants_report: bool) -> dict[str, int]:
        self._pipe.send("stop")
        report: dict[str, int] = self._pipe.recv() if wants_report else {}
        self._process.join(20)
        for lamp in self.lamps:
            lamp.socket.close()
        return report


def main() -> int:
    """Print each phase and the ratio; 0 when the ratio holds and nothing acknowledged is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lamps", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each phase")
    parser.add_argument("--rounds", type=int, default=2, help="of bare and durable in turns")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ingest-", dir=Path.cwd()) as directory:
        bare = Server("bare", serve_bare, chosen.lamps, directory)
        durable = Server("durable", serve_durable, chosen.lamps, directory)
        for server in (bare, durable):
            load.run(server.lamps, 1.0)  # warm up: contexts, Echo
        for _ in range(chosen.rounds):
            for server in (bare, durable):
                print(server.phase(chosen.seconds), flush=True)
        bare.stop(wants_report=False)
        counters = durable.stop(wants_report=True)
    wall = statistics.median(durable.rates) / statistics.median(bare.rates)
    cpu = statistics.median(durable.per_cpu) / statistics.median(bare.per_cpu)
    missing = durable.acknowledged - counters["stored"]
    group = counters["reports"] / max(1, counters["groups"])
    print(f"durable: {counters['stored']} rows stored, {max(0, missing)} acknowledged but missing, {group:.0f} a group")
    print(f"ratio of server CPU {cpu:.2f}")
    print(f"ratio {wall:.2f} (limit {LIMIT})")
    numbers = {"ratio": round(wall, 3), "cpu_ratio": round(cpu, 3), "bare": bare.rates, "durable": durable.rates}
    print(json.dumps(numbers))
    return 0 if wall >= LIMIT and missing <= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
