"""One test of Paho's interoperability suite, as it is, in a process of its own; without a name it lists them.

  one.py FOLDER client_test|client_test5 PORT [TEST]

Status 0: it passed; 3: it passed by the rule of take_not_authorized; else it failed.
"""

import importlib
import logging
import socket
import sys
import time
import unittest
import warnings

folder, name, port, *wanted = sys.argv[1:]
sys.path.insert(0, folder)
logging.getLogger().setLevel(logging.ERROR)
# Some of its tests return what they found, which unittest warns of; it is looked at below.
warnings.simplefilter("ignore", DeprecationWarning)

module = importlib.import_module(name)

# What the suite sets when it is run as a program; there its port cannot be told to both files alike.
module.host, module.port = "127.0.0.1", int(port)
module.topic_prefix = "client_test5/"
module.topics = ("TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA")
module.wildtopics = ("TopicA/+", "+/C", "#", "/#", "/+", "+/+", "TopicA/#")
module.nosubscribe_topics = ("test/nosubscribe",)


def wait_longer(times):
    """Its clients give a broker half a second to answer, which on a busy machine Python alone may need."""
    settimeout = socket.socket.settimeout
    socket.socket.settimeout = lambda self, seconds: settimeout(self, seconds and times * seconds)


def take_not_authorized(seen):
    """SUBACK of MQTT 5.0 has 0x87, Not authorized, for what an access control list refuses (section 3.9.3). The suite's
    decoder takes no error but 0x80, Unspecified error, which is all that MQTT 3.1.1 has: it is given that instead."""
    decode = module.MQTTV5.Subacks.unpack

    def unpack(self, packet, **limits):
        if packet[-1] == 0x87:
            seen.append(packet)
            packet = packet[:-1] + b"\x80"
        return decode(self, packet, **limits)

    module.MQTTV5.Subacks.unpack = unpack


def await_suback(patience):
    """This test publishes as soon as its first client has SUBACK, by which it awaits that of the second, too: until that comes
    MQTT promises no message (section 3.8.4), and another node may publish before."""
    client = module.mqtt_client.Client
    subscribe = client.subscribe

    def waiting(self, *args):
        msgid = subscribe(self, *args)
        end = time.monotonic() + patience
        while all(each != msgid for each, _ in self.callback.subscribeds) and time.monotonic() < end:
            time.sleep(0.01)
        return msgid

    client.subscribe = waiting


def strict(test):
    """Where a test returns whether it succeeded, and asserts nothing, False is a failure too."""

    def run(self):
        if test(self) is False:
            self.fail("it returned False")

    return run


if not wanted:
    print("\n".join(unittest.TestLoader().getTestCaseNames(module.Test)))
    sys.exit(0)

test = wanted[0]
wait_longer(4)
not_authorized = []
if (name, test) == ("client_test5", "test_subscribe_failure"):
    take_not_authorized(not_authorized)
if (name, test) == ("client_test5", "test_subscribe_options"):
    await_suback(12)
setattr(module.Test, test, strict(getattr(module.Test, test)))
result = unittest.TextTestRunner(verbosity=0).run(unittest.TestSuite([module.Test(test)]))
if not result.wasSuccessful() or result.testsRun != 1 or result.skipped:
    sys.exit(1)
sys.exit(3 if not_authorized else 0)
