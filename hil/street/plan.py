"""The street's plan: which poles stand where, on which feeder, with which keys.

Three real streets in the centre of Ho Chi Minh City; coordinates are WGS 84 degrees, read off a public map.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from contract.identity import endpoint_of

TIME_ZONE = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True)
class Street:
    """A street as a line from one end to the other, with the feeder that supplies its poles."""

    name: str
    feeder: str
    line: tuple[tuple[float, float], tuple[float, float]]


STREETS = (
    Street("Nguyễn Huệ", "F1", ((10.77655, 106.70090), (10.77310, 106.70575))),
    Street("Lê Lợi", "F2", ((10.77640, 106.70280), (10.77265, 106.69815))),
    Street("Đồng Khởi", "F3", ((10.77975, 106.69905), (10.77345, 106.70650))),
)


@dataclass(frozen=True)
class Pole:
    """One pole: its controller's identity, its luminaire's place, its keys (drawn for this run, in memory only)."""

    name: str
    street: str
    feeder: str
    latitude: float
    longitude: float
    mac: bytes
    master_secret: bytes = field(repr=False)
    master_salt: bytes = field(repr=False)

    @property
    def endpoint(self) -> str:
        """LwM2M endpoint name."""
        return str(endpoint_of(self.mac))


def plan(lamps: int, streets: Sequence[Street] = STREETS) -> list[Pole]:
    """Spread `lamps` poles (1..60000) evenly over the streets, each with its own fresh keys."""
    if not 1 <= lamps <= 60_000:
        raise ValueError(f"a street has 1 to 60000 lamps, not {lamps}: choose --lamps in that range")
    poles: list[Pole] = []
    counts = [lamps // len(streets) + (index < lamps % len(streets)) for index in range(len(streets))]
    for street, count in zip(streets, counts, strict=True):
        (south, west), (north, east) = street.line
        for index in range(count):
            share = (index + 0.5) / count
            number = len(poles) + 1
            poles.append(
                Pole(
                    name=f"{street.name} {index + 1}",
                    street=street.name,
                    feeder=street.feeder,
                    latitude=round(south + (north - south) * share, 6),
                    longitude=round(west + (east - west) * share, 6),
                    # 02: locally administered, so that a simulated lamp never collides with a real chip.
                    mac=bytes((0x02, 0x5C, 0x00, 0x00)) + number.to_bytes(2, "big"),
                    master_secret=secrets.token_bytes(16),
                    master_salt=secrets.token_bytes(8),
                )
            )
    return poles
