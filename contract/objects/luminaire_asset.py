"""Plate data of the luminaire.

Source: urn:oma:lwm2m:ext:3417 (Luminaire asset, OMA registry).
"""

from contract.objects import Object, resource

ID = 3417

ASSET_GTIN = resource(ID, 1, "Asset GTIN", "String", "R", mandatory=True)
YEAR_OF_MANUFACTURE = resource(ID, 2, "Year of manufacture", "Integer", "RW")
WEEK_OF_MANUFACTURE = resource(ID, 3, "Week of manufacture", "Integer", "RW")
NOMINAL_LIGHT_OUTPUT = resource(ID, 4, "Nominal light output", "Integer", "RW", "lm")
LIGHT_DISTRIBUTION_TYPE = resource(ID, 5, "Light distribution type", "Integer", "RW")
LUMINAIRE_COLOR = resource(ID, 6, "Luminaire color", "String", "RW")
NOMINAL_INPUT_POWER = resource(ID, 7, "Nominal input power", "Float", "R", "W")
POWER_AT_MINIMUM_DIM_LEVEL = resource(ID, 8, "Power at minimum dim level", "Float", "R", "W")
NOMINAL_MAX_AC_MAINS_VOLTAGE = resource(ID, 9, "Nominal max AC mains voltage", "Integer", "R", "V")
NOMINAL_MIN_AC_MAINS_VOLTAGE = resource(ID, 10, "Nominal min AC mains voltage", "Integer", "R", "V")
CRI = resource(ID, 11, "CRI", "Integer", "R", minimum=0, maximum=100)
CCT_VALUE = resource(ID, 12, "CCT value", "Integer", "R", "K")
LUMINAIRE_IDENTIFICATION = resource(ID, 13, "Luminaire identification", "String", "R")
LUMINAIRE_IDENTIFICATION_NUMBER = resource(ID, 14, "Luminaire identification number", "String", "R")

OBJECT = Object(
    ID,
    "Luminaire asset",
    "1.0",
    "urn:oma:lwm2m:ext:3417",
    True,
    False,
    (
        ASSET_GTIN,
        YEAR_OF_MANUFACTURE,
        WEEK_OF_MANUFACTURE,
        NOMINAL_LIGHT_OUTPUT,
        LIGHT_DISTRIBUTION_TYPE,
        LUMINAIRE_COLOR,
        NOMINAL_INPUT_POWER,
        POWER_AT_MINIMUM_DIM_LEVEL,
        NOMINAL_MAX_AC_MAINS_VOLTAGE,
        NOMINAL_MIN_AC_MAINS_VOLTAGE,
        CRI,
        CCT_VALUE,
        LUMINAIRE_IDENTIFICATION,
        LUMINAIRE_IDENTIFICATION_NUMBER,
    ),
)
