"""Plate data of the luminaire.

Source: urn:oma:lwm2m:ext:3417 (Luminaire asset, OMA registry).
"""

from contract.objects import define

ID = 3417

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Luminaire asset",
    "1.0",
    "urn:oma:lwm2m:ext:3417",
    multiple=True,
    mandatory=False,
    table="""
Asset GTIN|1|R|String||M
Year of manufacture|2|RW|Integer
Week of manufacture|3|RW|Integer
Nominal light output|4|RW|Integer|lm
Light distribution type|5|RW|Integer
Luminaire color|6|RW|String
Nominal input power|7|R|Float|W
Power at minimum dim level|8|R|Float|W
Nominal max AC mains voltage|9|R|Integer|V
Nominal min AC mains voltage|10|R|Integer|V
CRI|11|R|Integer|||0..100
CCT value|12|R|Integer|K
Luminaire identification|13|R|String
Luminaire identification number|14|R|String
""",
)
