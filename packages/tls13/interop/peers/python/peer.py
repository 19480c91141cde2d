"""Python's ssl as a peer: it connects, sends bytes and checks that the same come back, or it echoes what comes."""

import argparse
import os
import select
import socket
import ssl
import threading

parser = argparse.ArgumentParser()
parser.add_argument("mode", choices=["client", "server"])
for name in ("ca", "cert", "key", "groups"):
    parser.add_argument(f"--{name}")
parser.add_argument("--port", type=int)
parser.add_argument("--bytes", type=int, default=300)
parser.add_argument("--connections", type=int, default=1)
parser.add_argument("--post-handshake")
args = parser.parse_args()

client = args.mode == "client"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if client else ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_3
if args.ca:
    context.load_verify_locations(args.ca)
    if not client:
        context.verify_mode = ssl.CERT_OPTIONAL if args.post_handshake else ssl.CERT_REQUIRED
if args.cert:
    context.load_cert_chain(args.cert, args.key)
# It takes one curve alone; a list is left to OpenSSL's default.
if args.groups and ":" not in args.groups:
    context.set_ecdh_curve({"P-256": "prime256v1", "P-384": "secp384r1"}[args.groups])
if args.post_handshake:
    context.post_handshake_auth = True


def say(tls):
    certificate = tls.getpeercert() or {}
    print(tls.version(), tls.cipher()[0], "resumed:", tls.session_reused, "certificate:", certificate.get("subject"), flush=True)


def round_trip(tls, part):
    """Sends part and returns its echo, reading while it writes: in one thread, as OpenSSL's connections are for one at a time."""
    unsent, got = memoryview(part), b""
    tls.setblocking(False)
    while len(got) < len(part):
        waits = []
        if unsent:
            try:
                unsent = unsent[tls.send(unsent) :]
                continue
            except ssl.SSLWantWriteError:
                waits = [tls]
            except ssl.SSLWantReadError:
                pass
        try:
            data = tls.recv(16384)
            if not data:
                raise SystemExit("the server ended the connection")
            got += data
        except ssl.SSLWantReadError:
            select.select([tls], waits, [])
        except ssl.SSLWantWriteError:
            select.select([], [tls], [])
    tls.setblocking(True)
    return got


def exchange(session):
    raw = socket.create_connection(("127.0.0.1", args.port))
    with context.wrap_socket(raw, server_hostname="localhost", session=session) as tls:
        sent = os.urandom(args.bytes)
        # In parts, each after the echo of the last: what a renewal of keys asks for is answered with the next.
        part = max(4096, len(sent) // 8)
        for at in range(0, len(sent), part):
            if round_trip(tls, sent[at : at + part]) != sent[at : at + part]:
                raise SystemExit("another text came back")
        say(tls)
        session = tls.session
        tls.unwrap()
        return session


def echo(raw):
    try:
        with context.wrap_socket(raw, server_side=True) as tls:
            asked = False
            while data := tls.recv(16384):
                if args.post_handshake and not asked:
                    tls.verify_client_post_handshake()
                    asked = True
                tls.sendall(data)
                if asked and tls.getpeercert():
                    say(tls)
                    asked = False
            say(tls)
            tls.unwrap()
    except OSError as error:
        print(error, flush=True)


if client:
    session = None
    for _ in range(args.connections):
        session = exchange(session)
else:
    server = socket.create_server(("127.0.0.1", 0))
    print(f"listening on 127.0.0.1:{server.getsockname()[1]}", flush=True)
    while True:
        threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
