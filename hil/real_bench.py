"""A bench with boards: its city's backend over the database that the boards were enrolled in, and its devices."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hil.bench import Bench
from hil.bench_file import open_bench
from hil.bench_plan import Plan
from hil.checks.common import restart, settle
from hil.desk import Desk
from hil.errors import BenchError, BenchFile
from hil.scene import Scene, Traits
from hil.seams import BoardFacts
from hil.street.backend import Api, Backend, BackendFailed


class RealBenches:
    """The boards of a bench.toml, for one scene after another."""

    def __init__(self, plan: Plan) -> None:
        self.name = plan.name
        self.traits = Traits(False, len(plan.board), all(board.console for board in plan.board))
        self._plan = plan
        self._opened = ExitStack()
        self._bench: Bench | None = None

    def start(self) -> None:
        """Raises BenchError; what was opened is closed by `close`."""
        try:
            desk = self._open_city()
        except BackendFailed as error:
            raise BenchError(str(error), f"see that nothing else serves {self._plan.city.folder}") from error
        desk.release()
        bench = self._opened.enter_context(open_bench(self._plan, desk))
        bench.instrument.start()
        # The ways to the boards are new: the server finds one that speaks, and a quiet one says nothing for minutes.
        restart(bench.stands)
        self._bench = bench

    def _open_city(self) -> Desk:
        city = self._plan.city
        if not city.folder.is_dir():
            raise BenchFile(
                f"the city's folder {city.folder} is not there",
                "make it, and provision the boards into the backend over it: docs/bench.md, step by step",
            )
        environment = {"STREETLIGHT_COAP_HOST": city.host}
        backend = Backend(city.folder, city.http_port, city.coap_port, environment=environment)
        self._opened.callback(backend.stop)
        backend.start()
        api = Api(backend.url, backend.command("token", "create", "--name", "bench", "--role", "admin").strip())
        self._opened.callback(api.close)
        return Desk(api, identifiers(api, [board.endpoint for board in self._plan.board]))

    @contextmanager
    def open(self, scene: Scene, is_settled: bool = True) -> Iterator[Bench]:
        """The scene's schedule on all boards; its time and its place are what they are."""
        assert self._bench is not None
        bench = self._bench
        try:
            if is_settled:
                bench.desk.assign(scene.schedule)
                settle(bench)
            yield bench
        finally:
            for board, stand in enumerate(bench.stands):
                bench.network.restore(board)
                stand.power.on()

    def describe(self) -> str:
        return "" if self._bench is None else self._bench.instrument.describe()

    def boards(self) -> tuple[tuple[str, BoardFacts], ...]:
        """Asked of the boards, which may restart by it."""
        stands = () if self._bench is None else self._bench.stands
        return tuple(
            (stand.name, stand.console.describe() if stand.console is not None else _unknown(stand.endpoint))
            for stand in stands
        )

    def firmware_sha256(self) -> str:
        return ""

    def jitter_floor_s(self) -> float | None:
        return None

    def close(self) -> None:
        self._opened.close()


def identifiers(api: Api, endpoints: list[str]) -> list[int]:
    """The API's ids of these lamps, in their order; raises BenchFile for one that the city does not know."""
    known = {lamp["endpoint"]: int(lamp["id"]) for lamp in api.pages("/lamps", limit=500)}
    for endpoint in endpoints:
        if endpoint not in known:
            raise BenchFile(
                f"no lamp of the bench's city has the endpoint {endpoint}",
                "provision the board into it (docs/bench.md), or correct the endpoint in bench.toml",
            )
    return [known[endpoint] for endpoint in endpoints]


def _unknown(endpoint: str) -> BoardFacts:
    return BoardFacts(endpoint, "", "", "")
