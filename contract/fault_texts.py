"""What each fault means and what a person does about it, by code. The backend shows it; a lamp never loads it."""

# code -> (meaning, advice)
TEXTS = {
    1: (
        "The lamp is commanded on and takes almost no power.",
        "Check the light source, then its control gear.",
    ),
    2: (
        "Power does not follow the dimming level.",
        "Replace the control gear or check its dimming wires.",
    ),
    3: (
        "The relay is open and power still flows.",
        "Replace the controller: its relay is welded.",
    ),
    4: (
        "The lamp takes power while it should be off.",
        "Look for a bypass of the controller, then check the relay.",
    ),
    5: (
        "The lamp goes on and off by itself too often.",
        "Replace the light source; check for a loose contact.",
    ),
    10: (
        "The supply is below its threshold.",
        "Check the feeder: load, length and joints.",
    ),
    11: (
        "The supply is above its threshold; a lost neutral does this.",
        "Switch the feeder off and check its neutral at once.",
    ),
    12: (
        "The lamp takes less current than its threshold.",
        "Check the light source and its plate data.",
    ),
    13: (
        "The lamp takes more current than its threshold.",
        "Check for a short circuit or water in the luminaire.",
    ),
    14: (
        "The lamp takes less power than its threshold.",
        "Check the light source and its plate data.",
    ),
    15: (
        "The lamp takes more power than its threshold.",
        "Check for another load on the lamp and its plate data.",
    ),
    16: (
        "The power factor is below its threshold.",
        "Replace the control gear: its capacitor ages.",
    ),
    20: (
        "The controller is hotter than it may be.",
        "Dim the lamp and check the luminaire's seal and heat sink.",
    ),
    21: (
        "The photocell has not seen both day and night for more than a day, or it contradicts the sun for hours.",
        "Clean or replace the photocell.",
    ),
    30: (
        "The lamp's time may be wrong by more than its limit.",
        "Restore the network; if it is up, check the server's clock.",
    ),
    31: (
        "The schedule last sent was refused; the one before runs on.",
        "Correct the schedule and send it again.",
    ),
    32: (
        "The flash could not be read or written.",
        "Restart the lamp; if it comes back, replace the controller.",
    ),
    33: (
        "The controller restarted several times within minutes; it is in safe mode: lit, without a schedule.",
        "Reboot it; if it comes back, reset it to factory values, then replace the controller.",
    ),
    34: (
        "Telemetry was dropped because the queue was full.",
        "Nothing, if the network was down for days; else check the reporting interval.",
    ),
    40: (
        "The lamp has not been heard for longer than its lifetime. Raised by the backend only.",
        "Check the feeder, then the network, then the controller.",
    ),
}
