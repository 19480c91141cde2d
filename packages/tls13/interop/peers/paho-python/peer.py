"""Python's paho-mqtt as a peer: it subscribes and prints what comes, or publishes and ends. Words and lines: peers/paho.ts."""

import argparse
import json
import os
import ssl
import sys
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

parser = argparse.ArgumentParser()
for name in ("ca", "cert", "key", "mqtt", "id", "will-topic", "will-payload", "subscribe", "publish"):
    parser.add_argument(f"--{name}")
for name in ("port", "expiry", "receive-maximum", "maximum-packet-size", "topic-alias-maximum"):
    parser.add_argument(f"--{name}", type=int)
for name in ("will-qos", "will-delay", "qos", "message-expiry"):
    parser.add_argument(f"--{name}", type=int)
for name in ("resume", "hold", "retain", "alias"):
    parser.add_argument(f"--{name}", action="store_true")
parser.add_argument("--payload", action="append", default=[])
args = parser.parse_args()

v5 = args.mqtt == "5.0"


def properties(packet, **values):
    """None where nothing is to be said, and for MQTT 3.1.1."""
    given = {name: value for name, value in values.items() if value is not None}
    if not v5 or not given:
        return None
    made = Properties(packet)
    for name, value in given.items():
        setattr(made, name, value)
    return made


def say(line):
    # One write for a line: print() makes two, and two threads speak.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def fail(reason):
    print(reason, file=sys.stderr, flush=True)
    os._exit(1)


client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2,
    client_id=args.id,
    protocol=mqtt.MQTTv5 if v5 else mqtt.MQTTv311,
    clean_session=None if v5 else not args.resume,
    manual_ack=args.hold,
    reconnect_on_failure=False,
)
context = ssl.create_default_context(cafile=args.ca)
context.minimum_version = ssl.TLSVersion.TLSv1_3
if args.cert:
    context.load_cert_chain(args.cert, args.key)
client.tls_set_context(context)
if args.will_topic:
    delay = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=args.will_delay)
    client.will_set(args.will_topic, args.will_payload, args.will_qos, properties=delay)

connected, subscribed, left = threading.Event(), threading.Event(), threading.Event()
leaving = False
aliases = {}
holding = args.hold
# It leaves the broker's Receive Maximum to those who use it.
most = 65_535
held = []


def on_connect(client, userdata, flags, reason, given):
    if reason.is_failure:
        fail(f"CONNACK: {reason}")
    global most
    most = getattr(given, "ReceiveMaximum", most)
    say(f"connected present={'true' if flags.session_present else 'false'}")
    connected.set()


def on_disconnect(client, userdata, flags, reason, given):
    if not leaving:
        fail(f"the connection ended: {reason}")
    left.set()


def on_subscribe(client, userdata, mid, reasons, given):
    for reason in reasons:
        if reason.is_failure:
            fail(f"SUBACK: {reason}")
    subscribed.set()


def on_publish(client, userdata, mid, reason, given):
    if reason.is_failure:
        fail(f"PUBLISH is refused: {reason}")


def on_message(client, userdata, message):
    told = {"topic": message.topic, "payload": message.payload.decode(), "qos": message.qos, "retain": message.retain}
    if v5:
        # It leaves Topic Aliases to those who use it.
        alias = getattr(message.properties, "TopicAlias", None)
        told["aliased"] = message.topic == ""
        if alias is not None:
            told["topic"] = aliases.setdefault(alias, message.topic) if message.topic == "" else message.topic
            aliases[alias] = told["topic"]
        if hasattr(message.properties, "MessageExpiryInterval"):
            told["expiry"] = message.properties.MessageExpiryInterval
    if holding:
        held.append((message.mid, message.qos))
    elif args.hold:
        client.ack(message.mid, message.qos)
    say("message " + json.dumps(told))


client.on_connect, client.on_disconnect, client.on_message = on_connect, on_disconnect, on_message
client.on_subscribe, client.on_publish = on_subscribe, on_publish

connecting = {"clean_start": not args.resume} if v5 else {}
client.connect(
    "localhost",
    args.port,
    properties=properties(
        PacketTypes.CONNECT,
        SessionExpiryInterval=args.expiry,
        ReceiveMaximum=args.receive_maximum,
        MaximumPacketSize=args.maximum_packet_size,
        TopicAliasMaximum=args.topic_alias_maximum,
    ),
    **connecting,
)
client.loop_start()
connected.wait()

if args.publish is not None:
    sent = []
    for n, payload in enumerate(args.payload):
        more = properties(
            PacketTypes.PUBLISH, MessageExpiryInterval=args.message_expiry, TopicAlias=1 if args.alias else None
        )
        topic = "" if args.alias and n > 0 else args.publish
        if n >= most:
            sent[n - most].wait_for_publish()
        sent.append(client.publish(topic, payload, args.qos, args.retain, more))
    for each in sent:
        each.wait_for_publish()
    if args.qos == 0:
        # QoS 0 has no answer, and is lost when the connection ends too soon: this one comes behind it.
        client.subscribe("interop/nothing")
        subscribed.wait()
else:
    if args.subscribe is not None:
        client.subscribe(args.subscribe, args.qos)
        subscribed.wait()
    say("subscribed")
    for line in sys.stdin:
        if line == "acknowledge\n":
            holding = False
            for mid, qos in held:
                client.ack(mid, qos)
        if line == "leave\n":
            break
    # What has just come is acknowledged by another thread.
    time.sleep(0.1)

leaving = True
client.disconnect()
left.wait()
