"""Settings: where they come from and what they refuse."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.settings import Settings


def test_the_defaults_need_nothing() -> None:
    settings = Settings()
    assert settings.database_url == "sqlite:///streetlight.db"
    assert (settings.http_host, settings.http_port, settings.coap_port) == ("127.0.0.1", 8000, 5683)
    assert not settings.allow_insecure


def test_the_environment_fills_them_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLIGHT_COAP_PORT", "15683")
    monkeypatch.setenv("STREETLIGHT_DATABASE_URL", "postgres://lamp:secret@db/city")
    settings = Settings()
    assert settings.coap_port == 15683
    assert settings.database_url == "postgresql+psycopg://lamp:secret@db/city"
    assert settings.sqlite_path is None


def test_the_path_of_an_sqlite_file_is_known() -> None:
    assert Settings(database_url="sqlite:////var/lib/city.db").sqlite_path == Path("/var/lib/city.db")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory", "mysql://x/y", ""])
def test_a_database_that_cannot_serve_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValidationError, match=r"sqlite:///"):
        Settings(database_url=url)


def test_a_refused_setting_does_not_print_its_value() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(database_url="mysql://root:hunter2@db/x")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [{"clock_rate": 60}, {"clock_anchor_ns": 1}, {"clock_rate": 60, "clock_anchor_utc_ms": 1}, {"clock_rate": 0}],
)
def test_a_fast_clock_without_its_anchor_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(values)


@pytest.mark.parametrize("values", [{"http_port": 70000}, {"worker_threads": 0}, {"unknown": 1}])
def test_a_value_out_of_range_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(values)
