"""The numbers of the wire, frozen: an entry may be added, never changed, removed or used again.

A lamp in the field speaks these numbers for ten years. Type and operations are part of the promise.
"""

from contract import faults, objects, paths

# object -> resource -> (type, operations)
RESOURCES = {
    0: {  # LWM2M Security
        0: ("String", ""),  # LWM2M Server URI
        1: ("Boolean", ""),  # Bootstrap-Server
        2: ("Integer", ""),  # Security Mode
        3: ("Opaque", ""),  # Public Key or Identity
        4: ("Opaque", ""),  # Server Public Key
        5: ("Opaque", ""),  # Secret Key
        10: ("Integer", ""),  # Short Server ID
        11: ("Integer", ""),  # Client Hold Off Time
        17: ("Objlnk", ""),  # OSCORE Security Mode
    },
    1: {  # LwM2M Server
        0: ("Integer", "R"),  # Short Server ID
        1: ("Integer", "RW"),  # Lifetime
        2: ("Integer", "RW"),  # Default Minimum Period
        3: ("Integer", "RW"),  # Default Maximum Period
        4: ("", "E"),  # Disable
        5: ("Integer", "RW"),  # Disable Timeout
        6: ("Boolean", "RW"),  # Notification Storing When Disabled or Offline
        7: ("String", "RW"),  # Binding
        8: ("", "E"),  # Registration Update Trigger
        9: ("", "E"),  # Bootstrap-Request Trigger
        23: ("Boolean", "RW"),  # Mute Send
    },
    3: {  # Device
        0: ("String", "R"),  # Manufacturer
        1: ("String", "R"),  # Model Number
        2: ("String", "R"),  # Serial Number
        3: ("String", "R"),  # Firmware Version
        4: ("", "E"),  # Reboot
        5: ("", "E"),  # Factory Reset
        6: ("Integer", "R"),  # Available Power Sources
        10: ("Integer", "R"),  # Memory Free
        11: ("Integer", "R"),  # Error Code
        12: ("", "E"),  # Reset Error Code
        13: ("Time", "RW"),  # Current Time
        14: ("String", "RW"),  # UTC Offset
        15: ("String", "RW"),  # Timezone
        16: ("String", "R"),  # Supported Binding and Modes
        17: ("String", "R"),  # Device Type
        18: ("String", "R"),  # Hardware Version
        19: ("String", "R"),  # Software Version
        21: ("Integer", "R"),  # Memory Total
        22: ("Objlnk", "R"),  # ExtDevInfo
    },
    4: {  # Connectivity Monitoring
        0: ("Integer", "R"),  # Network Bearer
        1: ("Integer", "R"),  # Available Network Bearer
        2: ("Integer", "R"),  # Radio Signal Strength
        3: ("Integer", "R"),  # Link Quality
        4: ("String", "R"),  # IP Addresses
        5: ("String", "R"),  # Router IP Addresses
    },
    5: {  # Firmware Update
        0: ("Opaque", "W"),  # Package
        1: ("String", "RW"),  # Package URI
        2: ("", "E"),  # Update
        3: ("Integer", "R"),  # State
        5: ("Integer", "R"),  # Update Result
        6: ("String", "R"),  # PkgName
        7: ("String", "R"),  # PkgVersion
        8: ("Integer", "R"),  # Firmware Update Protocol Support
        9: ("Integer", "R"),  # Firmware Update Delivery Method
    },
    6: {  # Location
        0: ("Float", "R"),  # Latitude
        1: ("Float", "R"),  # Longitude
        2: ("Float", "R"),  # Altitude
        3: ("Float", "R"),  # Radius
        5: ("Time", "R"),  # Timestamp
    },
    21: {  # LWM2M OSCORE
        0: ("Opaque", ""),  # OSCORE Master Secret
        1: ("Opaque", ""),  # OSCORE Sender ID
        2: ("Opaque", ""),  # OSCORE Recipient ID
        3: ("Integer", ""),  # OSCORE AEAD Algorithm
        4: ("Integer", ""),  # OSCORE HMAC Algorithm
        5: ("Opaque", ""),  # OSCORE Master Salt
        6: ("Opaque", ""),  # OSCORE ID Context
    },
    3410: {  # Device Extension
        1: ("String", "R"),  # GTIN model number
        2: ("String", "R"),  # Manufacturer identifier
        3: ("String", "RW"),  # User-given name
        4: ("String", "RW"),  # Asset identifier
        5: ("Time", "RW"),  # Installation date
        6: ("Boolean", "RW"),  # Software update
        7: ("Boolean", "RW"),  # Maintenance
        8: ("", "E"),  # Configuration reset
        9: ("Integer", "R"),  # Device operating hours
        10: ("String", "R"),  # Additional firmware information
        11: ("Time", "RW"),  # DST Start
        12: ("Time", "RW"),  # DST End
        13: ("String", "RW"),  # DST Offset
        14: ("Integer", "R"),  # Uptime
    },
    3415: {  # Time synchronization
        1: ("String", "RW"),  # NTP server address
        2: ("String", "RW"),  # Backup NTP server address
        3: ("Integer", "RW"),  # NTP period
        4: ("Integer", "R"),  # Last time sync
        5: ("Boolean", "R"),  # Time sync error
    },
    3416: {  # Outdoor lamp controller
        1: ("Integer", "RW"),  # Command
        2: ("Integer", "R"),  # Command in action
        3: ("Integer", "R"),  # Dimming level
        4: ("Integer", "RW"),  # Default dimming level
        5: ("Boolean", "R"),  # Lamp failure
        6: ("Integer", "R"),  # Lamp failure reason
        7: ("Boolean", "R"),  # Control gear failure
        8: ("Integer", "R"),  # Control gear failure reason
        9: ("Boolean", "R"),  # Relay failure
        10: ("Boolean", "R"),  # Day burner
        11: ("Boolean", "R"),  # Cycling failure
        12: ("Boolean", "R"),  # Control gear communication failure
        13: ("Integer", "RW"),  # Scheduler ID
        14: ("Boolean", "R"),  # Invalid scheduler
        15: ("Float", "R"),  # Lamp operating hours
        16: ("", "E"),  # Lamp operating hours reset
        17: ("Time", "R"),  # Lamp ON timestamp
        18: ("Integer", "R"),  # Lamp switch counter
        19: ("", "E"),  # Lamp switch counter reset
        20: ("Integer", "R"),  # Control gear start counter
        21: ("Float", "R"),  # Control gear temperature
        28: ("Integer", "RW"),  # Output port
        29: ("Boolean", "RW"),  # Standby mode
        30: ("Boolean", "RW"),  # Constant light output
        35: ("Integer", "RW"),  # Control type
        36: ("Integer", "RW"),  # Nominal Lamp wattage
        37: ("Integer", "RW"),  # Minimum dimming level
        38: ("Integer", "RW"),  # Minimum lamp wattage
        41: ("Integer", "RW"),  # Virtual power output
        42: ("Float", "RW"),  # Voltage at max dim level
        43: ("Float", "RW"),  # Voltage at min dim level
        49: ("Float", "RW"),  # Default fade time
        50: ("Time", "RW"),  # Manual override start time
        51: ("Time", "RW"),  # Manual override end time
        52: ("Float", "RW"),  # Manual override fade
        53: ("Integer", "RW"),  # Manual override default duration
        54: ("Boolean", "R"),  # Manual override active
        5518: ("Time", "R"),  # Timestamp
    },
    3417: {  # Luminaire asset
        1: ("String", "R"),  # Asset GTIN
        2: ("Integer", "RW"),  # Year of manufacture
        3: ("Integer", "RW"),  # Week of manufacture
        4: ("Integer", "RW"),  # Nominal light output
        5: ("Integer", "RW"),  # Light distribution type
        6: ("String", "RW"),  # Luminaire color
        7: ("Float", "R"),  # Nominal input power
        8: ("Float", "R"),  # Power at minimum dim level
        9: ("Integer", "R"),  # Nominal max AC mains voltage
        10: ("Integer", "R"),  # Nominal min AC mains voltage
        11: ("Integer", "R"),  # CRI
        12: ("Integer", "R"),  # CCT value
        13: ("String", "R"),  # Luminaire identification
        14: ("String", "R"),  # Luminaire identification number
    },
    3418: {  # Electrical monitor
        1: ("Float", "R"),  # Supply voltage
        2: ("Float", "R"),  # Supply current
        3: ("Float", "R"),  # Frequency
        4: ("Float", "R"),  # Active power
        5: ("Float", "R"),  # Power factor
        6: ("Float", "R"),  # Cumulated active energy
        7: ("", "E"),  # Energy reset
        8: ("Float", "RW"),  # Low power factor threshold
        9: ("Boolean", "R"),  # Low power factor
        10: ("Float", "RW"),  # Low power threshold
        12: ("Boolean", "R"),  # Low power
        13: ("Float", "RW"),  # High power threshold
        15: ("Boolean", "R"),  # High power
        16: ("Float", "RW"),  # Low current threshold
        17: ("Boolean", "R"),  # Low current
        18: ("Float", "RW"),  # High current threshold
        19: ("Boolean", "R"),  # High current
        20: ("Float", "RW"),  # Low voltage threshold
        21: ("Boolean", "R"),  # Low voltage
        22: ("Float", "RW"),  # High voltage threshold
        23: ("Boolean", "R"),  # High voltage
        35: ("Integer", "R"),  # Dimming level
        5518: ("Time", "R"),  # Timestamp
    },
    3419: {  # Photocell
        1: ("Float", "RW"),  # ON lux level
        2: ("Float", "RW"),  # OFF lux level
        3: ("Boolean", "R"),  # Photocell status
        5518: ("Time", "R"),  # Timestamp
    },
    3452: {  # Program Scheduler
        0: ("String", "RW"),  # Schedule Name
        1: ("Boolean", "RW"),  # State
        2: ("Integer", "RW"),  # Priority
        3: ("Integer", "RW"),  # Calendar Rules
        4: ("Integer", "RW"),  # Program Function
        5: ("String", "RW"),  # Input Sources
        6: ("String", "RW"),  # Output Instances
        7: ("String", "RW"),  # Output Targets
        8: ("Boolean", "RW"),  # Compound Operation
        9: ("Boolean", "RW"),  # Off when inactive
    },
    3453: {  # Calendar Rule
        0: ("String", "RW"),  # Calendar Name
        1: ("Integer", "RW"),  # Calendar Type
        2: ("String", "RW"),  # Start Date
        3: ("String", "RW"),  # End Date
        4: ("String", "RW"),  # Date Rule
        5: ("Boolean", "R"),  # Calendar Active
    },
    3454: {  # Program Function
        0: ("String", "RW"),  # Function Name
        1: ("String", "RW"),  # Run Condition
        3: ("Integer", "RW"),  # Output Filter
        4: ("String", "RW"),  # Time Input Array
        5: ("String", "RW"),  # Time Output Array
        6: ("String", "RW"),  # Single Sensor Input Array
        7: ("String", "RW"),  # Multi Sensor Input Array
        8: ("String", "RW"),  # Sensor Output Array
        9: ("String", "RW"),  # Output Filter for Time Output
        10: ("String", "RW"),  # Output Filter for Sensor Output
    },
    3456: {  # Output Filter
        0: ("Integer", "RW"),  # Operation
        1: ("Float", "RW"),  # Delay
        2: ("Integer", "RW"),  # Transaction
        3: ("Float", "RW"),  # Expiration Time
    },
    3457: {  # Program Manager
        0: ("Integer", "RW"),  # Max number of Program Schedulers
        1: ("Integer", "R"),  # Current number of Program Schedulers
        2: ("Integer", "RW"),  # Max number of Program Functions
        3: ("Integer", "R"),  # Current number of Program Functions
        4: ("Integer", "RW"),  # Max number of Calendars
        5: ("Integer", "R"),  # Current number of Calendar
        6: ("Integer", "RW"),  # Max number of Actuators
        7: ("Integer", "RW"),  # Max number of Input Sources
        8: ("Integer", "RW"),  # Max number of Dates in Calendar
        9: ("Integer", "RW"),  # Max Flash Memory Allocated
        10: ("Integer", "R"),  # Flash Memory Free
        11: ("Integer", "R"),  # Error Conditions
        12: ("", "E"),  # Clear errors
        13: ("Integer", "R"),  # Supported Capabilities
        14: ("Integer", "RW"),  # Max Dynamic Memory Allocated
        15: ("Integer", "R"),  # Dynamic Memory Free
        16: ("", "E"),  # Reset schedule objects
        100: ("Integer", "RW"),  # Transaction start
        101: ("Integer", "RW"),  # Transaction end
        102: ("Integer", "RW"),  # Transaction timeout
        103: ("Boolean", "R"),  # Transaction error
    },
    3458: {  # Program Monitor
        0: ("String", "R"),  # Program Name
        1: ("Integer", "R"),  # Status
        2: ("Integer", "R"),  # Error Conditions
        3: ("", "E"),  # Clear errors
        4: ("Integer", "R"),  # Evaluation Counter
        5: ("Integer", "R"),  # Execution Counter
        6: ("", "E"),  # Counter Reset
        7: ("Time", "R"),  # Last Execution
        8: ("String", "R"),  # Last Control Output
    },
    42769: {  # Lamp status
        0: ("String", "R"),  # Rung
        1: ("String", "R"),  # Explanation
        2: ("Time", "R"),  # Until
        3: ("String", "R"),  # Schedule digest
        4: ("Integer", "R"),  # Boot counter
        5: ("String", "R"),  # Reset cause
        6: ("Integer", "R"),  # Clock error bound
        7: ("Integer", "R"),  # Command received
        8: ("Integer", "R"),  # Light changed
        9: ("Integer", "RW"),  # Latitude
        10: ("Integer", "RW"),  # Longitude
        11: ("Integer", "RW"),  # Standard UTC offset
        12: ("Boolean", "R"),  # Fault
        13: ("Integer", "R"),  # Reports waiting
        14: ("Integer", "R"),  # Reports dropped
        15: ("Integer", "RW"),  # Report interval
        16: ("Integer", "RW"),  # Failsafe level
        17: ("Integer", "R"),  # Faults active
        18: ("Integer", "R"),  # Safety floor
        19: ("Integer", "R"),  # Floor holds
        20: ("Integer", "R"),  # Flash written
    },
}

# code -> (name, path)
FAULTS = {
    1: ("lamp failure", "/3416/0/5"),
    2: ("control gear failure", "/3416/0/7"),
    3: ("relay failure", "/3416/0/9"),
    4: ("day burner", "/3416/0/10"),
    5: ("cycling", "/3416/0/11"),
    10: ("low voltage", "/3418/0/21"),
    11: ("high voltage", "/3418/0/23"),
    12: ("low current", "/3418/0/17"),
    13: ("high current", "/3418/0/19"),
    14: ("low power", "/3418/0/12"),
    15: ("high power", "/3418/0/15"),
    16: ("low power factor", "/3418/0/9"),
    20: ("over temperature", "/42769/0/12/20"),
    21: ("photocell stuck", "/42769/0/12/21"),
    30: ("clock error", "/3415/0/5"),
    31: ("invalid schedule", "/3416/0/14"),
    32: ("storage error", "/42769/0/12/32"),
    33: ("reset loop", "/42769/0/12/33"),
    34: ("reports lost", "/42769/0/12/34"),
    40: ("communication lost", None),
}


def test_no_object_or_resource_number_has_changed_or_gone():
    served = {item.id: {r.id: (r.type, r.operations) for r in item.resources} for item in objects.ALL}
    for number, resources in RESOURCES.items():
        for resource, promise in resources.items():
            assert served[number].get(resource) == promise, f"/{number}/x/{resource} was promised as {promise}"


def test_every_number_in_use_is_frozen_here():
    for item in objects.ALL:
        for resource in item.resources:
            assert resource.id in RESOURCES[item.id], f"add {item.id}/{resource.id} to the table of this test"


def test_no_fault_code_has_changed_or_gone():
    for code, (name, path) in FAULTS.items():
        fault = faults.get(code)
        assert (fault.name, fault.path and paths.format(fault.path)) == (name, path)


def test_every_fault_code_in_use_is_frozen_here():
    assert {fault.code for fault in faults.ALL} <= set(FAULTS)
