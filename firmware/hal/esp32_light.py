"""The light itself: dimming output and relay of the ESP32 board. The first thing that runs after power comes."""

import machine

from firmware.hal.analog import control_volts

PWM_HZ = 1000  # what PWM inputs of LED gear are specified for
FILTERED_PWM_HZ = 5000  # a simple RC stage leaves under 1 % of ripple at 5 kHz; 13 bits of duty remain
FULL_DUTY = 65535
FULL_CODE = 255


class PwmOutput:
    """PWM straight into the gear."""

    def __init__(self, wiring, permille):
        self._inverted = wiring["dimming_inverted"]
        self._pwm = machine.PWM(machine.Pin(wiring["dimming_pin"]), freq=PWM_HZ, duty_u16=self._duty(permille))

    def drive(self, permille):
        self._pwm.duty_u16(self._duty(permille))

    def _duty(self, permille):
        duty = (permille * FULL_DUTY + 500) // 1000
        return FULL_DUTY - duty if self._inverted else duty


class ControlLine:
    """Permille to the share of full scale of a 0-10 V line, 0..`full`."""

    def __init__(self, wiring, full):
        self._at_min = wiring["voltage_at_min"]
        self._at_max = wiring["voltage_at_max"]
        self._full_scale_v = wiring["full_scale_v"]
        self._inverted = wiring["dimming_inverted"]
        self._full = full

    def share(self, permille):
        share = control_volts(permille, self._at_min, self._at_max) / self._full_scale_v
        value = int(min(1.0, share) * self._full + 0.5)
        return self._full - value if self._inverted else value


class FilteredPwmOutput:
    """0-10 V by PWM through a low-pass."""

    def __init__(self, wiring, permille):
        self._line = ControlLine(wiring, FULL_DUTY)
        duty = self._line.share(permille)
        self._pwm = machine.PWM(machine.Pin(wiring["dimming_pin"]), freq=FILTERED_PWM_HZ, duty_u16=duty)

    def drive(self, permille):
        self._pwm.duty_u16(self._line.share(permille))


class DacOutput:
    """0-10 V by the chip's DAC: 40 mV a step behind the amplifier."""

    def __init__(self, wiring, permille):
        self._line = ControlLine(wiring, FULL_CODE)
        self._dac = machine.DAC(machine.Pin(wiring["dimming_pin"]))
        self.drive(permille)

    def drive(self, permille):
        self._dac.write(self._line.share(permille))


class Relay:
    """Closed from the start: the pin is given its level in the same call that makes it an output."""

    def __init__(self, wiring):
        self._active_low = wiring["relay_active_low"]
        self._pin = machine.Pin(wiring["relay_pin"], machine.Pin.OUT, value=0 if self._active_low else 1)

    def switch(self, closed):
        self._pin.value(int(bool(closed) != self._active_low))


OUTPUTS = {"pwm": PwmOutput, "0-10v-pwm": FilteredPwmOutput, "0-10v-dac": DacOutput}


def open_output(wiring, permille):
    return OUTPUTS[wiring["dimming"]](wiring, permille)
