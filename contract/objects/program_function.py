"""Which level at which time, and when the function is in force at all.

Source: urn:oma:lwm2m:ext:3454 (Program Function, OMA registry). The registry has no resource 2.
"""

from contract.objects import Object, resource

ID = 3454

FUNCTION_NAME = resource(ID, 0, "Function Name", "String", "RW")
RUN_CONDITION = resource(ID, 1, "Run Condition", "String", "RW", multiple=True)
OUTPUT_FILTER = resource(ID, 3, "Output Filter", "Integer", "RW", multiple=True)
TIME_INPUT_ARRAY = resource(ID, 4, "Time Input Array", "String", "RW", multiple=True, mandatory=True)
TIME_OUTPUT_ARRAY = resource(ID, 5, "Time Output Array", "String", "RW", multiple=True, mandatory=True)
SINGLE_SENSOR_INPUT_ARRAY = resource(ID, 6, "Single Sensor Input Array", "String", "RW", multiple=True)
MULTI_SENSOR_INPUT_ARRAY = resource(ID, 7, "Multi Sensor Input Array", "String", "RW", multiple=True)
SENSOR_OUTPUT_ARRAY = resource(ID, 8, "Sensor Output Array", "String", "RW", multiple=True)
OUTPUT_FILTER_FOR_TIME_OUTPUT = resource(ID, 9, "Output Filter for Time Output", "String", "RW", multiple=True)
OUTPUT_FILTER_FOR_SENSOR_OUTPUT = resource(ID, 10, "Output Filter for Sensor Output", "String", "RW", multiple=True)

OBJECT = Object(
    ID,
    "Program Function",
    "1.0",
    "urn:oma:lwm2m:ext:3454",
    True,
    True,
    (
        FUNCTION_NAME,
        RUN_CONDITION,
        OUTPUT_FILTER,
        TIME_INPUT_ARRAY,
        TIME_OUTPUT_ARRAY,
        SINGLE_SENSOR_INPUT_ARRAY,
        MULTI_SENSOR_INPUT_ARRAY,
        SENSOR_OUTPUT_ARRAY,
        OUTPUT_FILTER_FOR_TIME_OUTPUT,
        OUTPUT_FILTER_FOR_SENSOR_OUTPUT,
    ),
)
