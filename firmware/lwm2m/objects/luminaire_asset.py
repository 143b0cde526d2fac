"""The luminaire's plate.

Source: urn:oma:lwm2m:ext:3417 (Luminaire asset).
"""

from contract.objects import luminaire_asset
from firmware.lwm2m.objects.desk import Kept

ASSET_GTIN = luminaire_asset.ASSET_GTIN.id
NOMINAL_INPUT_POWER = luminaire_asset.NOMINAL_INPUT_POWER.id


class LuminaireAsset(Kept):
    OBJECT = luminaire_asset.OBJECT
    SETTINGS = {
        luminaire_asset.YEAR_OF_MANUFACTURE.id: "manufacture_year",
        luminaire_asset.WEEK_OF_MANUFACTURE.id: "manufacture_week",
        luminaire_asset.NOMINAL_LIGHT_OUTPUT.id: "light_output_lm",
        luminaire_asset.LIGHT_DISTRIBUTION_TYPE.id: "light_distribution",
        luminaire_asset.LUMINAIRE_COLOR.id: "luminaire_colour",
    }
    LACKS = (
        luminaire_asset.NOMINAL_MAX_AC_MAINS_VOLTAGE.id,
        luminaire_asset.NOMINAL_MIN_AC_MAINS_VOLTAGE.id,
        luminaire_asset.CRI.id,
        luminaire_asset.CCT_VALUE.id,
        luminaire_asset.LUMINAIRE_IDENTIFICATION.id,
        luminaire_asset.LUMINAIRE_IDENTIFICATION_NUMBER.id,
    )

    def value(self, resource):
        get = self.parts.settings.get
        if resource == ASSET_GTIN:
            return get("asset_gtin")
        if resource == NOMINAL_INPUT_POWER:
            return float(get("nominal_power_w"))
        # 0: nobody has told.
        return float(get("minimum_power_w")) or None
