// The commands of `tls13`, and the options of each. Nothing else is loaded for a help text.

import { benchCommand } from "./bench/command.ts"
import type { Command, Program } from "./command-line.ts"
import { help, password, shared, trust } from "./shared-options.ts"

export const connectCommand: Command = {
  name: "tls13 connect",
  takes: "HOST:PORT",
  summary: "speak TLS 1.3 with a server",
  about:
    "What the server sends goes to standard output, what is typed goes to the server, everything else is told on standard error. The end of the input (Ctrl-D) ends our half of the connection; what the server still sends is shown.",
  sections: [
    {
      title: "Which certificates are believed",
      rows: [
        ...trust,
        {
          name: "ocsp",
          value: "WHEN",
          help: "ask for a stapled OCSP response: ifPresent (it must be good if it comes) or require",
        },
        { name: "insecure", help: "go on with a server that cannot be verified, and say what is wrong" },
        {
          name: "servername",
          value: "NAME",
          help: 'the name to ask for and to verify, instead of HOST; "" asks for none',
        },
      ],
    },
    {
      title: "Who we are",
      rows: [
        {
          name: "cert",
          value: "FILE",
          multiple: true,
          help: "show this client certificate (PEM or DER), when asked for one",
        },
        { name: "key", value: "FILE", multiple: true, help: "its private key; default: in the same file" },
        password,
      ],
    },
    {
      title: "The connection",
      rows: [
        { name: "quiet", help: "tell nothing but errors" },
        {
          name: "session-file",
          value: "FILE",
          help: "resume the session in this file, and keep the next one in it",
        },
        {
          name: "reconnect",
          value: "N",
          help: "connect, then N times more, each time resuming the session before",
        },
        {
          name: "early-data",
          value: "TEXT",
          help: "send this as 0-RTT data when the session allows it (it may be replayed), else at once after the handshake; \\n and \\r in it mean line ends",
        },
        {
          name: "commands",
          help: "take typed lines as commands, as on a terminal: K renews our keys, B renews those of both sides, Q ends the connection",
        },
      ],
    },
    ...shared,
    help,
  ],
}

export const serveCommand: Command = {
  name: "tls13 serve",
  takes: "[[HOST:]PORT]",
  summary: "be a TLS 1.3 server, to try clients against",
  about:
    "Listens on 127.0.0.1:4433 unless told otherwise. One line for each handshake and each failure goes to standard error. What clients send goes to standard output, and what is typed goes to all of them, unless --www or --echo is chosen.",
  sections: [
    {
      title: "What it does",
      rows: [
        {
          name: "www",
          help: "answer an HTTP request with what was negotiated; its head may have 16384 bytes (else 431)",
        },
        {
          name: "request-time",
          value: "SECONDS",
          help: "within which the head of that request must be there, else 408; default 10",
        },
        { name: "echo", help: "send back what comes" },
      ],
    },
    {
      title: "Who it is",
      rows: [
        {
          name: "cert",
          value: "FILE",
          multiple: true,
          help: "certificate chain (PEM or DER); repeat for several kinds of key or names. Without it, and without --psk, a certificate for development is made",
        },
        { name: "key", value: "FILE", multiple: true, help: "its private key; default: in the same file" },
        password,
        {
          name: "ocsp-response",
          value: "FILE",
          multiple: true,
          help: "staple this OCSP response (DER) to the certificate; in the order of --cert",
        },
        {
          name: "names",
          value: "NAMES",
          help: "what the certificate for development is for; default localhost,127.0.0.1,::1",
        },
        {
          name: "save-ca",
          value: "FILE",
          help: "write the authority of that certificate to FILE, for clients to trust",
        },
      ],
    },
    {
      title: "Which client certificates are believed",
      rows: [
        {
          name: "verify",
          value: "WHEN",
          help: "none (default): none is asked for; request, require, or post-handshake: asked for once the connection is there",
        },
        ...trust,
      ],
    },
    {
      title: "Sessions and connections",
      rows: [
        { name: "tickets", value: "N", help: "after each handshake; 0: no resumption. Default 2" },
        { name: "early-data", value: "BYTES", help: "take up to so many bytes of 0-RTT data; default none" },
        {
          name: "max-handshakes",
          value: "N",
          help: "handshakes under way, in all; more connections wait. Default 1024",
        },
        { name: "max-handshakes-per-address", value: "N", help: "those of one address; default: as many" },
        {
          name: "max-waiting",
          value: "N",
          help: "connections that wait for their handshake, in all; more are closed. Default 4096",
        },
        { name: "max-waiting-per-address", value: "N", help: "those of one address; default 1024" },
        { name: "max-wait", value: "SECONDS", help: "that one waits at most; default 30" },
        {
          name: "max-connections",
          value: "N",
          help: "connections after their handshake; one more is closed. Default 1000",
        },
      ],
    },
    ...shared,
    help,
  ],
}

export const inspectCommand: Command = {
  name: "tls13 inspect",
  takes: "FILE|HOST:PORT",
  summary: "show certificates, and whether they would be accepted",
  about:
    "FILE is PEM or DER, or - for the standard input. With HOST:PORT the server is asked for its chain. The exit status is 0 when the chain would be accepted, 1 when it would not. A list of roots, such as a machine's, is shown as a list.",
  sections: [
    {
      rows: [
        {
          name: "for",
          value: "USE",
          help: "server, client, or any; default: what the certificate says that it is for",
        },
        {
          name: "name",
          value: "NAME",
          help: "the name that the certificate must be for; default: HOST; for a FILE: none is checked",
        },
        { name: "json", help: "as JSON" },
      ],
    },
    { title: "Which certificates are believed", rows: trust },
    help,
  ],
  after: "On a terminal the text is in colour, unless NO_COLOR is set.",
}

export const program: Program = {
  name: "tls13",
  version: "0.1.0",
  summary: "TLS 1.3 from the command line",
  commands: { connect: connectCommand, serve: serveCommand, inspect: inspectCommand, bench: benchCommand },
}
