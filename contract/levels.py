"""How much light: levels 0..100 outside, permille 0..1000 inside, and the way from one to the dimming output.

All integers, so that the pole and the preview agree to the permille.
Source: urn:oma:lwm2m:ext:3416:2.0, resources 1-4 (level), 37 (minimum), 41 (virtual power output), 30 (constant light).
"""

FULL = 100
FULL_PERMILLE = 1000


def clamp(value, highest=FULL):
    """Return `value` held between 0 and `highest` (100 for a level, 1000 for permille)."""
    return 0 if value < 0 else highest if value > highest else value


def permille(level):
    """Return the permille of a level 0..100."""
    return level * 10


def level(permille):
    """Return the level 0..100 nearest to a permille. What gives light is never called 0."""
    return 0 if permille <= 0 else max(1, (permille + 5) // 10)


def fade(start, target, elapsed_ms, fade_ms):
    """Return the value on the straight way from `start` to `target`, any unit, `elapsed_ms` after its beginning.

    Before the beginning it is `start`, from `fade_ms` on it is `target`; in between it is monotonic.
    """
    if elapsed_ms >= fade_ms:
        return target
    if elapsed_ms <= 0:
        return start
    distance = (abs(target - start) * elapsed_ms + fade_ms // 2) // fade_ms
    return start + distance if target > start else start - distance


def floor(permille, minimum_level):
    """Return `permille`, raised to the level 0..100 below which the lamp does not burn. Off stays off."""
    return 0 if permille <= 0 else max(permille, minimum_level * 10)


def held(words, level, least, is_named, until):
    """Return the explanation of a rung that is held at the safety floor.

    words: the rung's own; level, least: what it asks for and the floor, 0..100; is_named: the words tell the level
    already; until: what ends it, such as "until sunrise".
    """
    return "%s%s, %s of %d %% %s" % (words, "" if is_named else " %d %%" % level, HELD, least, until)


# Stands in the explanation of every rung that is held, and in no other.
HELD = "held at the safety floor"
UNTIL_SUNRISE = "until sunrise"
WHILE_DARK = "while it is dark"
UNTIL_SURE = "until it is surely day"


def drive(permille, minimum_level, virtual_power_output, light_output_permille, least=0):
    """Return the permille of the dimming output for a permille that was asked for.

    virtual_power_output: 0..100, power at full level, for a luminaire larger than the street needs;
    light_output_permille: 0..1000, what constant light output leaves of the power while the lamp is young;
    minimum_level: 0..100, held last, because it belongs to the control gear and not to the street;
    least: permille of the dimming output below which it stays whatever was asked for (the safety floor). It is held
    after all that scales, so that no scale crosses it, and like all light it is not less than the gear's minimum.
    """
    scaled = (clamp(permille, FULL_PERMILLE) * virtual_power_output * light_output_permille + 50000) // 100000
    if permille > 0:
        scaled = max(scaled, 1)
    return clamp(floor(max(scaled, least), minimum_level), FULL_PERMILLE)
