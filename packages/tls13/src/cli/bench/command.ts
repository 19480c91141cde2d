// The options of `tls13 bench`.

import type { Command } from "../command-line.ts"
import { help, negotiation, password, timeout, trust } from "../shared-options.ts"

export const benchCommand: Command = {
  name: "tls13 bench",
  takes: "HOST:PORT...|--loopback|--compare",
  summary: "measure the handshakes of a server",
  about:
    "Makes TLS 1.3 handshakes, one connection each, and says how many a second there were, how long each took and where that time went, what failed and why, what the server's CPU did, and which side was the limit. With several servers, modes or algorithms each combination is a run of its own; with --repeat they take turns.",
  sections: [
    {
      title: "What is measured",
      rows: [
        {
          name: "loopback",
          optionalValue: "fast,noble,host,node",
          help: "start a server on this machine instead: this stack with that provider (fast without a name), or node:tls; several take turns",
        },
        {
          name: "mode",
          value: "MODES",
          help: "full (default), resumed, 0-rtt (resumed with early data), hrr (the server asks for another key share), mtls (with a client certificate); several separated by commas",
        },
        {
          name: "each",
          value: "LISTS",
          help: "groups, ciphers, sigalgs: a run for each name of these options, instead of one that offers all of them",
        },
        {
          name: "early-data",
          value: "TEXT",
          help: "what --mode 0-rtt sends early; \\n and \\r in it mean line ends. Default: an HTTP request",
        },
        {
          name: "name",
          value: "TEXT",
          multiple: true,
          help: "what the server is called in reports, such as its program and version; for several servers in their order",
        },
        {
          name: "pid",
          value: "PID",
          multiple: true,
          help: "the server's process, on this machine: its CPU time is read (with all its threads and children); for several servers in their order",
        },
      ],
    },
    {
      title: "How much, how often, how long",
      rows: [
        { name: "duration", value: "SECONDS", help: "of the measurement; default 10" },
        { name: "count", value: "N", help: "handshakes, instead of a duration" },
        { name: "warm-up", value: "SECONDS", help: "before it, which does not count; default 2" },
        {
          name: "concurrency",
          value: "N",
          help: "connections at once, in all; default 8. With --rate the most at once; default 1000",
        },
        {
          name: "rate",
          value: "N",
          help: "open loop: N handshakes are due each second, whether the server follows or not, and latency counts from when each was due. Without it the loop is closed: the next one waits for the one before, and a server that stalls is asked less",
        },
        { name: "workers", value: "N", help: "client processes that share the load; default 1" },
        {
          name: "repeat",
          value: "N",
          help: "make all runs N times, in turns: what --compare needs to be sure of a difference",
        },
      ],
    },
    {
      title: "The client",
      rows: [
        {
          name: "engine",
          value: "NAME",
          help: "ours (default; --provider says with whose cryptography), or node: the host's node:tls, which needs less of the client's CPU and so can saturate a faster server",
        },
        {
          name: "cert",
          also: ["client-cert"],
          value: "FILE",
          multiple: true,
          help: "certificate chain to show when the server asks for one (--mode mtls)",
        },
        {
          name: "key",
          also: ["client-key"],
          value: "FILE",
          multiple: true,
          help: "its private key; default: in the same file",
        },
        password,
        {
          name: "abrupt",
          help: "close without a close_notify and without reading the tickets, as openssl s_time does, to compare with its figures (--mode full and hrr)",
        },
        timeout,
      ],
    },
    {
      title: "A network that is worse (in the client's own byte path; docs/bench.md says what is modelled)",
      rows: [
        { name: "rtt", value: "MS", help: "round-trip time that is added" },
        {
          name: "loss",
          value: "PERCENT",
          help: "of TCP segments, which come again after TCP's retransmission timeout",
        },
        { name: "seed", value: "N", help: "of what is lost; default 1" },
      ],
    },
    {
      title: "Which certificates are believed",
      rows: [
        ...trust,
        { name: "insecure", help: "go on with a server that cannot be verified, and say so in the report" },
        {
          name: "servername",
          value: "NAME",
          help: 'the name to ask for and to verify, instead of HOST; "" asks for none',
        },
      ],
    },
    negotiation,
    {
      title: "What is made of it (a table on standard output, always)",
      rows: [
        { name: "json", value: "FILE", help: "everything, for programs and for --compare" },
        { name: "csv", value: "FILE", help: "a line a run" },
        {
          name: "samples",
          value: "FILE",
          help: "a line a handshake (CSV): when it was due, began and ended, and its parts",
        },
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
    "  tls13 bench --loopback --html report.html                        something to see at once\n  tls13 bench localhost:4433 --ca ca.pem --pid 1234 --json a.json   a server of your own\n  tls13 bench --compare a1.json,a2.json b1.json,b2.json             two sides, two files each",
}
