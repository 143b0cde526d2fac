"""How many lost lamps are "many", and what "together" is. `backend.settings` has the numbers, with their reasons."""

from dataclasses import dataclass, fields

from backend.settings import Settings


@dataclass(frozen=True)
class Bounds:
    """The settings `incident_*`; the defaults are those of the settings."""

    least_lamps: int = 3
    share: float = 0.9
    part_least: int = 5
    part_share: float = 0.3
    wide_least: int = 10
    wide_share: float = 0.2
    slack_s: int = 60

    @classmethod
    def from_settings(cls, settings: Settings) -> "Bounds":
        return cls(**{field.name: getattr(settings, f"incident_{field.name}") for field in fields(cls)})

    def is_nearly_all(self, number: int, of: int) -> bool:
        return number >= self.share * of
