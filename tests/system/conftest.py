"""The towns of the system tests. Plays that take long begin with the session and run while other tests do."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contract.limits import REPORT_INTERVAL_MIN_S
from hil.street import vm
from tests.system import faulty
from tests.system import night as nights
from tests.system.town import Town, running_town

Played = Callable[[str], Any]

# By the fixture that asks for them.
PLAYS: dict[str, dict[str, Callable[[Path, Path], Any]]] = {
    "faulty_street": {"faulty": faulty.play},
    "night": {"sqlite": nights.play_on_sqlite, "postgresql": nights.play_on_postgresql},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a play goes last: the plays run while the other tests do."""
    items.sort(key=lambda item: any(name in PLAYS for name in getattr(item, "fixturenames", ())))


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware in ROM, compiled once."""
    return vm.build_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session", autouse=True)
def played(request: pytest.FixtureRequest, image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Every play that a collected test asks for begins now; `played(name)` waits for its books."""
    asked = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    wanted = {name: play for fixture in PLAYS if fixture in asked for name, play in PLAYS[fixture].items()}
    with ThreadPoolExecutor(max(1, len(wanted))) as stage:
        books: dict[str, Future[Any]] = {
            name: stage.submit(play, tmp_path_factory.mktemp(name), image) for name, play in wanted.items()
        }
        yield lambda name: books[name].result()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def night(request: pytest.FixtureRequest, played: Played) -> nights.Books:
    found: nights.Books = played(request.param)
    return found


@pytest.fixture(scope="session")
def faulty_street(played: Played) -> faulty.Books:
    found: faulty.Books = played("faulty")
    return found


@pytest.fixture(scope="session")
def town(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Three lamps at true speed that shine at 80 %, in one zone; each test leaves them so."""
    settings = {number: {"report_interval_s": REPORT_INTERVAL_MIN_S} for number in range(3)}
    with running_town(tmp_path_factory.mktemp("town"), image, lamps=3, settings=settings) as running:
        yield running
