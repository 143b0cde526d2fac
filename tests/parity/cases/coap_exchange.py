"""Two exchanges and two block-wise sides over a lossy network in memory: the same on both interpreters."""

from firmware.coap import message as coap
from firmware.coap.blockwise import Reassembly, Serving, Transfer
from firmware.coap.errors import Refused
from firmware.coap.exchange import Answered, Exchange, Failed, Incoming, Send
from firmware.coap.message import BLOCK1, CON, Message
from firmware.coap.tuning import Tuning

BODY = bytes([value & 0xFF for value in range(2500)])


class Dice:
    """A fixed linear congruence: `random` differs between the interpreters."""

    def __init__(self, state):
        self.state = state

    def roll(self):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return self.state >> 16 & 0xFF

    def __call__(self, n):
        return bytes([self.roll() for _ in range(n)])


class Side:
    def __init__(self, name, seed):
        self.name = name
        self.exchange = Exchange(Tuning(), Dice(seed))
        self.reassembly = Reassembly(247000)
        self.serving = Serving(247000, Dice(seed))
        self.result = None

    def handle(self, incoming, now_ms):
        request = incoming.message
        try:
            whole = self.reassembly.receive(request, incoming.source, now_ms)
            if whole is None:
                response = Message(coap.CONTINUE)
            else:
                response = self.serving.find(whole, incoming.source, now_ms)
                if response is None:
                    print(now_ms, self.name, "handles", whole.path(), len(whole.payload), whole.payload == BODY)
                    body = Message(coap.CHANGED, payload=bytes(reversed(whole.payload)))
                    response = self.serving.cut(whole, body, incoming.source, now_ms)
        except Refused as error:
            response = error.response or Message(error.code, payload=str(error).encode())
        if request.option(BLOCK1) is not None:
            response.add(BLOCK1, request.option(BLOCK1))
        return self.exchange.answer(incoming, response, now_ms)


def run(seed, loss):
    dice = Dice(seed)
    sides = {"lamp": Side("lamp", 1), "server": Side("server", 2)}
    transfer = Transfer(Message(coap.POST, CON, payload=BODY).add_path("dp"), b"\x01")
    wire = []
    now_ms = 0
    sent = 0

    def carry(side, events):
        nonlocal sent
        for event in events:
            if isinstance(event, Send):
                sent += 1
                if dice.roll() >= loss:
                    wire.append((now_ms + 10 + dice.roll() * 4, sent, side.name, event.address, event.data))
            elif isinstance(event, Incoming):
                carry(side, side.handle(event, now_ms))
            elif isinstance(event, Answered):
                carry(side, side.exchange.forget(event.outgoing, now_ms))
                whole = transfer.receive(event.message)
                if whole is None:
                    carry(side, side.exchange.send_request(transfer.next(), "server", now_ms)[1])
                else:
                    side.result = whole
            elif isinstance(event, Failed):
                side.result = event.error

    lamp = sides["lamp"]
    carry(lamp, lamp.exchange.send_request(transfer.next(), "server", now_ms)[1])
    while lamp.result is None:
        times = [item[0] for item in wire]
        times += [side.exchange.deadline_ms() for side in sides.values() if side.exchange.deadline_ms() is not None]
        now_ms = min(times)
        for item in sorted([item for item in wire if item[0] <= now_ms]):
            wire.remove(item)
            carry(sides[item[3]], sides[item[3]].exchange.receive(item[4], item[2], now_ms))
        for name in ("lamp", "server"):
            carry(sides[name], sides[name].exchange.poll(now_ms))
    print(now_ms, lamp.result, sent)
    for name in ("lamp", "server"):
        counters = sides[name].exchange.counters
        print(name, counters.received, counters.retransmitted, counters.duplicates, counters.malformed)


for seed, loss in ((1, 0), (2, 50), (3, 90), (4, 256)):
    run(seed, loss)
