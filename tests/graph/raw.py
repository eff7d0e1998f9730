#!/usr/bin/python3
# raw -- a Graph made by hand: it fails at the connection itself, as no web server can be told to.
# Knows TLS, and of HTTP/2 and HTTP/1.1 what one POST needs.  Does not know Pages, tokens, errors.
# Called by Pagehook as `raw.py DIR`, to listen on the loopback port that DIR/raw.port names.
# Lives until TERM, a thread for each connection.
# SPDX-License-Identifier: ISC
#
# Request headers stay packed: whom a request is for stands in its body, and who may send is judged
# by the other stand-in.  DIR/ledger gets a line for each body that has come whole, as graph.c
# writes them; besides protocol, fault, and streams: how many were open when it began, 0 while the
# client may not know the limit.  A connection has a line, too: call "connection", and the
# certificate that it is shown.
#
# DIR/faults is read at each connection and each request; replace it by rename.  Its lines:
#
#	certificate FILE ..   instead of server.pem, in turns
#	protocol NAME         h2, which it is without this line, or http/1.1
#	streams N             so many at once on a connection, all answered when no more come
#	mute                  connections are taken, and not a byte is said
#	FAULT [taken] LABEL   once, what the next request suffers that comes on a used connection;
#	                      taken: it counts as sent whatever the answer
#
# A fault is a method of Http2 or Http1, with "-" for "_".  NAME-unread comes before the body is
# read, NAME-early even before it is here.
import json
import os
import re
import select
import socket
import ssl
import struct
import sys
import threading
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
MAX_CONCURRENT_STREAMS, REFUSED, INTERNAL_ERROR = 3, 7, 2
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
QUIET_S = 0.05          # no more streams come: those that are open are answered
STATUS_200 = b"\x88\x0f\x10\x10application/json"    # ":status: 200" of HPACK's table, and a type

directory = sys.argv[1]
lock = threading.Lock()
used = set()
n_connections = 0
n_mids = 0


class Gone(Exception):
    """The connection is over."""


def orders():
    try:
        with open(directory + "/faults") as f:
            return [line.split() for line in f]
    except FileNotFoundError:
        return []


def order(name):
    return next((line[1:] for line in orders() if line[:1] == [name]), None)


def next_fault():
    settings = ("certificate", "protocol", "streams", "mute")
    with lock:
        for line in orders():
            if line and line[0] not in settings and tuple(line) not in used:
                used.add(tuple(line))
                return line[0].replace("-", "_"), "taken" in line
    return None, True


def note(**line):
    text = json.dumps({"at": int(time.time() * 1000), **line}, separators=(",", ":")) + "\n"
    os.write(ledger, text.encode())


class Connection:
    def __init__(self, sock, peer):
        self.sock, self.peer, self.buffer = sock, "%s:%d" % peer, b""
        self.is_used = False

    def fill(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise Gone
        self.buffer += piece

    def read(self, n):
        while len(self.buffer) < n:
            self.fill()
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    # TCP's end, and no word of TLS's before it; what still comes is thrown away.
    def fin(self, *_):
        self.sock.shutdown(socket.SHUT_WR)
        while self.sock.recv(65536):
            pass
        raise Gone

    def reset(self, *_):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    # A request has begun: what it suffers.
    def begun(self):
        fault, is_taken = next_fault() if self.is_used else (None, True)
        name, _, when = (fault or "").rpartition("_")
        if when == "unread" and not self.buffer and not self.sock.pending():
            select.select([self.sock], [], [])
        if when in ("unread", "early"):
            getattr(self, name)()
        return fault, is_taken

    # Its body is here.  What is said of it, unless it suffers something.
    def take_body(self, body, fault, is_taken, n_streams):
        global n_mids
        asked = json.loads(body)
        message = asked.get("message") or {}
        with lock:
            n_mids += 1
            mid = "m_raw%d" % n_mids
        note(call="messages", page=None, to=asked["recipient"]["id"], text=message.get("text"),
             metadata=message.get("metadata"), action=asked.get("sender_action"),
             outcome="sent" if is_taken else fault, mid=mid if is_taken else None,
             connection=self.peer, body=message, protocol=self.protocol, fault=fault,
             streams=n_streams)
        self.is_used = True
        return json.dumps({"recipient_id": asked["recipient"]["id"], "message_id": mid}).encode()


class Http2(Connection):
    protocol = "h2"

    def serve(self):
        self.streams, self.done, self.is_agreed = {}, [], False
        self.read(len(PREFACE))
        limit = order("streams")
        self.say(SETTINGS, 0, 0, struct.pack(">HI", MAX_CONCURRENT_STREAMS, int(limit[0]))
                 if limit else b"")
        while True:
            if limit and self.done and self.is_quiet():
                self.answer_all()
            head = self.read(9)
            self.take(head[3], head[4], int.from_bytes(head[5:], "big") & 0x7fffffff,
                      self.read(int.from_bytes(head[:3], "big")))
            if not limit:
                self.answer_all()

    def is_quiet(self):
        return not self.buffer and not self.sock.pending() and \
            not select.select([self.sock], [], [], QUIET_S)[0]

    def say(self, kind, flags, stream, payload=b""):
        self.sock.sendall(len(payload).to_bytes(3, "big") + bytes([kind, flags]) +
                          stream.to_bytes(4, "big") + payload)

    def take(self, kind, flags, stream, payload):
        if kind == SETTINGS and flags & ACK:
            self.is_agreed = True
        elif kind == SETTINGS:
            self.say(SETTINGS, ACK, 0)
        elif kind == PING and not flags & ACK:
            self.say(PING, ACK, 0, payload)
        elif kind == HEADERS:
            n_streams = len(self.streams) + 1 if self.is_agreed else 0
            self.streams[stream] = [b"", *self.begun(), n_streams]
        elif kind == DATA:
            self.take_data(flags, stream, payload)
        elif kind == RST_STREAM:
            self.streams.pop(stream, None)

    def take_data(self, flags, stream, payload):
        if payload:
            for id in (0, stream):
                self.say(WINDOW_UPDATE, 0, id, len(payload).to_bytes(4, "big"))
        if flags & PADDED:
            payload = payload[1:len(payload) - payload[0]]
        if stream in self.streams:
            self.streams[stream][0] += payload
            if flags & END_STREAM:
                self.done.append(stream)

    def answer_all(self):
        for stream in self.done:
            if stream in self.streams:
                fault = self.streams[stream][1]
                text = self.take_body(*self.streams.pop(stream))
                getattr(self, fault or "answer")(stream, text)
        self.done = []

    def answer(self, stream, text):
        self.say(HEADERS, END_HEADERS, stream, STATUS_200)
        self.say(DATA, END_STREAM, stream, text)

    def leave(self, last):
        self.say(GOAWAY, 0, 0, struct.pack(">II", last, 0))

    def goaway(self, stream, _):
        self.leave(stream - 2)

    def goaway_taken(self, stream, _):
        self.leave(stream)
        self.fin()

    def goaway_answered(self, stream, text):
        self.leave(stream)
        self.answer(stream, text)

    def refused_stream(self, stream, _):
        self.say(RST_STREAM, 0, stream, REFUSED.to_bytes(4, "big"))

    def rst_stream(self, stream, _):
        self.say(RST_STREAM, 0, stream, INTERNAL_ERROR.to_bytes(4, "big"))


class Http1(Connection):
    protocol = "http/1.1"

    def serve(self):
        while True:
            while b"\r\n\r\n" not in self.buffer:
                self.fill()
            fault, is_taken = self.begun()
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
            text = self.take_body(self.read(length), fault, is_taken, 1)
            getattr(self, fault or "answer")(text)

    def answer(self, text):
        self.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                          b"Content-Length: %d\r\n\r\n" % len(text) + text)


def secured(sock, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(order("protocol") or ["h2"])
    return context.wrap_socket(sock, server_side=True)


def serve(sock, peer, certificate):
    try:
        if order("mute") is not None:
            while sock.recv(65536):
                pass
        note(call="connection", certificate=os.path.basename(certificate))
        with secured(sock, certificate) as tls:
            kind = Http2 if tls.selected_alpn_protocol() == "h2" else Http1
            kind(tls, peer).serve()
    except (Gone, OSError):
        pass            # ssl's errors are OSErrors
    finally:
        sock.close()


ledger = os.open(directory + "/ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
with open(directory + "/raw.port") as f:
    listener = socket.create_server(("127.0.0.1", int(f.read())), backlog=64)
while True:
    sock, peer = listener.accept()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    certificates = order("certificate") or [directory + "/server.pem"]
    threading.Thread(target=serve, daemon=True,
                     args=(sock, peer, certificates[n_connections % len(certificates)])).start()
    n_connections += 1
