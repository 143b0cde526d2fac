"""OSCORE between two ends: the same bytes and the same refusals on both interpreters."""

from binascii import hexlify, unhexlify

from firmware.coap import message as coap
from firmware.coap.message import Message, decode, encode
from firmware.oscore.ccm import Ccm
from firmware.oscore.context import Context
from firmware.oscore.errors import AuthenticationError, OscoreError, Refused
from firmware.oscore.hkdf import hkdf
from firmware.oscore.protect import Oscore
from firmware.oscore.window import ReplayWindow

SECRET = unhexlify("0102030405060708090a0b0c0d0e0f10")
SALT = unhexlify("9e7ca92223786340")
drawn = []


def show(name, data):
    print(name, hexlify(data).decode())


def random(size):
    drawn.append(0)
    return len(drawn).to_bytes(size, "big")


def end(sender_id, recipient_id, restarted=False, sequence=0, id_context=None):
    window = None if restarted else ReplayWindow()

    def reserve(limit):
        print("  reserve", limit)

    context = Context(sender_id, recipient_id, SECRET, reserve, SALT, id_context, sequence, window=window)
    show("common iv", context.common_iv)
    return Oscore(context, random)


def through(message):
    message.mid = 1 if message.mid is None else message.mid
    data = encode(message)
    show("  datagram", data)
    return decode(data)


def refused(call, *arguments):
    try:
        call(*arguments)
        print("  taken")
    except Refused as error:
        print("  refused", hex(error.code), error.diagnostic)
        return error.response


show("hkdf", hkdf(b"", SECRET, b"info", 80))
ccm = Ccm(SECRET)
for size in (0, 1, 15, 16, 17, 64, 500):
    text = bytes(index & 0xFF for index in range(size))
    sealed = ccm.encrypt(bytes(13), b"aad", text)
    show(f"ccm {size}", sealed[-40:])
    print(ccm.decrypt(bytes(13), b"aad", sealed) == text)
    try:
        ccm.decrypt(bytes(13), b"aae", sealed)
    except AuthenticationError as error:
        print(error)

for id_context in (None, b"street"):
    client = end(b"\x01", b"lamp", sequence=254, id_context=id_context)
    server = end(b"lamp", b"\x01", id_context=id_context)
    request = Message(coap.GET, token=b"t", options=[(coap.URI_HOST, b"h"), (coap.URI_PATH, b"3"), (coap.OBSERVE, b"")])
    for _ in range(3):
        protected, ours = client.protect_request(request)
        sent = through(protected)
        received, theirs = server.unprotect_request(sent)
        print(received.options, received.code)
        for index in range(3):
            response = Message(coap.CONTENT, options=[(coap.OBSERVE, b"\x05")], payload=b"x" * index)
            arrived = through(server.protect_response(response, theirs, index > 0))
            response = client.unprotect_response(arrived, ours)
            print(response.code, response.options, response.payload)
            refused(client.unprotect_response, arrived, ours)
    refused(server.unprotect_request, sent)
    refused(server.unprotect_request, request)
    sent.payload = b"\x00" + sent.payload[1:]
    sent.options = [(coap.OSCORE, b"\x0a\x7f\x00\x01")] if id_context is None else [(coap.OSCORE, b"\xff")]
    refused(server.unprotect_request, sent)

client = end(b"\x01", b"lamp")
server = end(b"lamp", b"\x01", restarted=True, sequence=1 << 32)
for _ in range(10):
    protected, binding = client.protect_request(Message(coap.POST, payload=b"first"))
    response = refused(server.unprotect_request, through(protected))
challenge = client.unprotect_response(through(response), binding)
print(challenge.code, challenge.options)
request = Message(coap.POST, options=[(coap.ECHO, challenge.option(coap.ECHO))], payload=b"again")
protected, binding = client.protect_request(request)
received, theirs = server.unprotect_request(through(protected))
print(received.payload)
print(client.unprotect_response(through(server.protect_response(Message(coap.CHANGED), theirs)), binding).code)
try:
    client.protect_request(Message(coap.GET, options=[(coap.PROXY_URI, b"coap://h/p")]))
except OscoreError as error:
    print(error)
