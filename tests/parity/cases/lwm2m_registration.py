"""One long life of a registration: every answer and every event, with the times at which it asks."""

from firmware.coap import message as coap
from firmware.lwm2m.registration import DEREGISTER, REGISTER, UPDATE, Registration, keep_alive_s

GOOD = {REGISTER: coap.CREATED, UPDATE: coap.CHANGED, DEREGISTER: coap.DELETED}

state = {"seed": 12345, "links": "</>", "lifetime_s": 300}


def draw(n):
    state["seed"] = (state["seed"] * 1103515245 + 12345) & 0x7FFFFFFF
    return (state["seed"] >> 8) % n


registration = Registration("urn:dev:mac:0011223344556677", lambda: state["links"], lambda: state["lifetime_s"], draw)
now_ms = 5000
registration.start(now_ms)

EVENTS = (
    "good good silence silence silence good 4.04 good 5.03 good 4.01 4.01 good suspect lost links lifetime silence "
)
EVENTS += "reconnected trigger 4.12 5.00 good good leave silence good good forever good end"

for step, event in enumerate(EVENTS.split()):
    if registration.due_ms is None:
        print(step, event, "nothing more")
        break
    now_ms = max(now_ms, registration.due_ms)
    request = registration.next(now_ms)
    print(step, event, now_ms, request)
    if event == "good":
        print(registration.answered(GOOD[request.kind], now_ms, f"rd/{step}"))
    elif "." in event:
        print(registration.answered(int(event[0]) << 5 | int(event[2:]), now_ms, "", 90))
    elif event == "silence":
        registration.unanswered(now_ms)
    else:
        registration.answered(GOOD[request.kind], now_ms, f"rd/{step}")
        if event == "links":
            state["links"] = "</>,</3416>;ver=2.0,</3416/0>"
            registration.changed(now_ms)
        elif event == "lifetime":
            state["lifetime_s"] = 86400
            registration.changed(now_ms)
        elif event == "leave":
            registration.leave(now_ms, 3600)
        elif event == "forever":
            registration.leave(now_ms)
        else:
            getattr(registration, event)(now_ms)
    print(registration.location, registration.is_registered(), registration.is_ready(), registration.due_ms)

print([keep_alive_s(lifetime_s) for lifetime_s in (0, 1, 20, 60, 100, 130, 300, 86400)])
