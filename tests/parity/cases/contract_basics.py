"""Paths, levels, faults and object tables."""

from contract import faults, levels, objects, paths

for text in ("/", "/3416/0/1", "3/0", "/65535", "/01", "/3416//1", "/1/2/3/4/5", "/x"):
    try:
        print(text, paths.format(paths.parse(text)))
    except paths.PathError as error:
        print(text, "refused:", error)
print(sorted([paths.path(10), paths.path(3, 0), paths.path(3), paths.path(3, 0, 2)], key=paths.order))
print(paths.covers(paths.path(3, 0), paths.path(3, 0, 2)), paths.covers(paths.path(3, 0, 2), paths.path(3, 0)))

print([levels.fade(0, 1000, elapsed, 700) for elapsed in range(-100, 900, 50)])
print([levels.fade(733, 101, elapsed, 1900) for elapsed in range(0, 2000, 90)])
print([levels.drive(permille, 7, 83, 912) for permille in range(0, 1100, 37)])
print([levels.level(permille) for permille in range(30)], levels.clamp(-3), levels.clamp(130))

for item in objects.ALL:
    print(tuple(item)[:6], len(item.resources))
    for resource in item.resources:
        print(tuple(resource))
print(objects.find(3416, 1).name, objects.find(3416, 999), objects.find_object(9))
for fault in faults.ALL:
    print(fault.code, fault.name, fault.severity, fault.path and paths.format(fault.path), fault.debounce_s)
