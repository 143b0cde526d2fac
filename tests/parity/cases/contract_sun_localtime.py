"""Sun and local time over places, years and clock changes."""

from contract import localtime, sun

BERLIN = localtime.TimeZone("Europe/Berlin", 3600, ((1774746000, 1792890000, 3600), (1806195600, 1824944400, 3600)))
DUBLIN = localtime.TimeZone("Europe/Dublin", 3600, ((1761440400, 1774746000, -3600), (1792890000, 1806195600, -3600)))
LORD_HOWE = localtime.TimeZone("Australia/Lord_Howe", 37800, ((1759591800, 1775314800, 1800),))

for days in range(-800000, 800000, 40009):
    year, month, day = localtime.civil_from_days(days)
    print(days, year, month, day, localtime.days_from_civil(year, month, day), localtime.weekday(days))
for zone in (BERLIN, DUBLIN, LORD_HOWE, localtime.UTC):
    for start_s, end_s, _ in zone.exceptions:
        for change in (start_s, end_s):
            local_s = change + localtime.offset_at(zone, change)
            print([localtime.utc_from_local(zone, 0, local_s + minute * 60) for minute in range(-90, 91, 15)])
    print(localtime.format_offset(zone.standard_offset_s), localtime.offset_at(zone, 1780000000))
for text in ("+05:45", "-03:30", "00:30", "Z", "+25:00", "x"):
    try:
        print(text, localtime.parse_offset(text))
    except ValueError as error:
        print(error)

for latitude in (-90000000, -64000000, -31555000, 0, 10823100, 52520000, 65000000, 69649200, 90000000):
    for longitude in (-180000000, -157429000, 0, 13405000, 159082000, 180000000):
        print(latitude, longitude, [sun.events(latitude, longitude, days) for days in range(20454, 20820, 61)])
print([sun.solar_date(longitude, 1774746000) for longitude in range(-180000000, 180000001, 30000000)])

for latitude in (-89900000, -66000000, 0, 48137000, 65800000, 69000000):
    for hour in range(0, 24 * 366, 61):
        print(sun.night_at(latitude, 106660000, 1798761600 + hour * 3600))
