"""The lamp's LwM2M objects, one file each."""

from firmware.lwm2m.objects.calendar_rule import CalendarRule
from firmware.lwm2m.objects.connectivity_monitoring import ConnectivityMonitoring
from firmware.lwm2m.objects.desk import Desk
from firmware.lwm2m.objects.device import Device
from firmware.lwm2m.objects.device_extension import DeviceExtension
from firmware.lwm2m.objects.electrical_monitor import ElectricalMonitor
from firmware.lwm2m.objects.firmware_update import FirmwareUpdate
from firmware.lwm2m.objects.lamp_status import LampStatus
from firmware.lwm2m.objects.location import Location
from firmware.lwm2m.objects.luminaire_asset import LuminaireAsset
from firmware.lwm2m.objects.outdoor_lamp_controller import OutdoorLampController
from firmware.lwm2m.objects.output_filter import OutputFilter
from firmware.lwm2m.objects.photocell import Photocell
from firmware.lwm2m.objects.program_function import ProgramFunction
from firmware.lwm2m.objects.program_manager import ProgramManager
from firmware.lwm2m.objects.program_monitor import ProgramMonitor
from firmware.lwm2m.objects.program_scheduler import ProgramScheduler
from firmware.lwm2m.objects.scheduling import Planner
from firmware.lwm2m.objects.server import Server
from firmware.lwm2m.objects.time_synchronization import TimeSynchronization


def build(parts):
    """Return the nodes of all objects of this lamp, for lwm2m.tree.Tree.

    `parts` has lamp, program, clock, meter, health, settings, board, identity, log, queue, counters; and, when
    something is executed, `client` (lwm2m.client.Client), `restart()` and `factory_reset()`, which must let the answer
    out first. The photocell is there when the board measures lux at this moment. Security and OSCORE (0 and 21) are
    for bootstrap only (firmware.lwm2m.bootstrap).
    """
    desk = Desk(parts.settings)
    planner = Planner(parts)
    nodes = [
        Server(parts, desk),
        Device(parts, desk),
        ConnectivityMonitoring(parts),
        FirmwareUpdate(),
        Location(parts),
        DeviceExtension(parts, desk),
        TimeSynchronization(parts, desk),
        OutdoorLampController(parts, desk),
        LuminaireAsset(parts, desk),
        ElectricalMonitor(parts, desk),
        ProgramScheduler(parts, planner),
        CalendarRule(parts, planner),
        ProgramFunction(parts, planner),
        OutputFilter(parts, planner),
        ProgramManager(parts, planner),
        ProgramMonitor(parts),
        LampStatus(parts, desk),
    ]
    if parts.board.lux() is not None:
        nodes.append(Photocell(parts, desk))
    return nodes
