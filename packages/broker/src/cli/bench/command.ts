// The options of `puremq bench`. Nothing else is loaded for a help text.

import type { Command, OptionRow, OptionSection } from "@puremq/tls13/command-line"
import { help, tls, whereTo, who } from "../client-commands.ts"

const without = (section: OptionSection, names: readonly string[]): readonly OptionRow[] =>
  section.rows.filter(({ name }) => !names.includes(name))

export const benchCommand: Command = {
  name: "puremq bench",
  takes: "BROKER...",
  summary: "measure a broker: messages, or connections",
  about:
    "Publishes and subscribes, and says how many messages a second came, how long each took, which were lost, came twice or out of order, what the broker's CPU did, and which side was the limit. With --connect-storm it connects instead. BROKER is any that speaks MQTT: HOST[:PORT] (TLS, or as the options below say), mqtt://HOST, mqtts://, ws:// or wss://. With several brokers, QoS levels or sizes each combination is a run of its own; with --repeat they take turns.",
  sections: [
    {
      title: "What is measured",
      rows: [
        {
          name: "loopback",
          help: "start this broker on this machine instead, in a process of its own (over TLS; --tcp, --ws and --wss as below)",
        },
        { name: "publishers", value: "N", help: "clients that publish; default 1" },
        { name: "subscribers", value: "N", help: "clients that subscribe; default 1; 0: only publish" },
        {
          name: "topic",
          also: ["topics"],
          short: "t",
          value: "PATTERN",
          help: "where to publish; %i is the number of the topic (default puremq-bench/%i)",
        },
        {
          name: "topic-count",
          value: "N",
          help: "topics that %i counts, from 0; default one for each publisher. Publishers have them in turn",
        },
        {
          name: "filter",
          value: "PATTERN",
          help: "what subscribers subscribe to; %i is the subscriber's number, modulo the topics (--filter puremq-bench/%i: each its own topic). Default: all of the topics, with + in the place of %i",
        },
        {
          name: "share",
          value: "GROUP",
          help: "shared subscriptions: each message comes to one of the subscribers ($share/GROUP/FILTER)",
        },
        {
          name: "qos",
          short: "q",
          value: "0|1|2",
          help: "of messages and subscriptions (default 0); several separated by commas are a run each",
        },
        {
          name: "size",
          short: "s",
          value: "BYTES",
          help: "of a payload, 24 at least (default 64): it has publisher, sequence number and times; several separated by commas are a run each",
        },
        { name: "retain", short: "r", help: "publish retained messages; they are deleted at the end" },
        {
          name: "connect-storm",
          help: "measure connections instead: TCP, TLS, WebSocket, CONNECT, CONNACK and DISCONNECT, --concurrency at once or --rate a second",
        },
        {
          name: "name",
          value: "TEXT",
          multiple: true,
          help: "what the broker is called in reports, such as its program and version; for several brokers in their order",
        },
        {
          name: "pid",
          value: "PID",
          multiple: true,
          help: "the broker's process, on this machine: its CPU time is read (with all its threads and children); for several brokers in their order",
        },
      ],
    },
    {
      title: "How much, how often, how long",
      rows: [
        { name: "duration", value: "SECONDS", help: "of the measurement; default 10" },
        { name: "count", value: "N", help: "messages (or connections) in all, instead of a duration" },
        { name: "warm-up", value: "SECONDS", help: "before it, which does not count; default 2" },
        {
          name: "rate",
          value: "N",
          help: "open loop: N messages (connections) in all are due each second, whether the broker follows or not, and latency counts from when each was due. Without it the loop is closed: the next one waits, and a broker that stalls is asked less",
        },
        {
          name: "inflight",
          also: ["max-inflight"],
          short: "M",
          value: "N",
          help: "messages of a publisher that the broker has not answered yet: by PUBACK, PUBCOMP, or in QoS 0 by the PINGRESP to a PINGREQ behind them. Default 100 (20 in MQTT 3.1.1), with --rate the most, 1000; no more than the broker says it takes",
        },
        {
          name: "concurrency",
          value: "N",
          help: "connections that are made at once; default 50. With --connect-storm and --rate the most at once; default 1000",
        },
        { name: "workers", value: "N", help: "client processes that share the load; default 1" },
        {
          name: "engine",
          value: "NAME",
          help: "whose TLS the clients are: ours (default), or node: the host's node:tls, which needs less of the clients' CPU and so can saturate a faster broker",
        },
        {
          name: "drain",
          value: "SECONDS",
          help: "at the end, how long nothing may come before what is missing is lost; default 5",
        },
        { name: "timeout", value: "MS", help: "for a connection until its CONNACK; default 10000" },
        {
          name: "repeat",
          value: "N",
          help: "make all runs N times, in turns: what --compare needs to be sure of a difference",
        },
      ],
    },
    whereTo,
    tls,
    {
      title: "Who",
      rows: without(who, ["id", "scram", "disable-clean-session", "session-expiry"]).map((row) =>
        row.name === "id-prefix" ? { ...row, help: "Client Identifiers: this, and what tells them apart" } : row,
      ),
    },
    {
      title: "What is made of it (a table on standard output, always)",
      rows: [
        { name: "json", value: "FILE", help: "everything, for programs and for --compare" },
        { name: "csv", value: "FILE", help: "a line a run" },
        { name: "samples", value: "FILE", help: "a line a message that came, or a connection (CSV), with its times" },
        {
          name: "html",
          value: "FILE",
          help: "a page with plots, the machine and the command line; it needs no network",
        },
        { name: "quiet", help: "no progress on standard error" },
        {
          name: "compare",
          value: "FILE",
          help: "measure nothing: compare this JSON file with those that are named as arguments; several files of one side separated by commas",
        },
      ],
    },
    help,
  ],
  after:
    "  puremq bench --loopback --html report.html                         something to see at once\n  puremq bench mqtt://localhost --pid 1234 --qos 0,1,2 --html report.html   a broker of your own\n  puremq bench mqtts://localhost --ca ca.pem --connect-storm --rate 200\n  puremq bench --compare a1.json,a2.json b1.json,b2.json              two sides, two files each",
}
