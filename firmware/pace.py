"""How often a light is looked at: while it moves, and at the least. For firmware.lamp and firmware.floor alike."""

# A fade moves each 20 ms at the most, and in steps of about half a percent when it is slower: finer cannot be seen.
FADE_STEP_MS = 20
FADE_STEPS = 200

# Nothing is missed for longer than this whatever happens: a level-triggered lamp looks again.
LONGEST_SLEEP_MS = 60000


def fade_step_ms(fade_ms):
    """Return ms between two steps of a fade that takes `fade_ms`."""
    return max(FADE_STEP_MS, fade_ms // FADE_STEPS)
