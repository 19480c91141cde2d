// The commands of `tls13`, and the options of each. Nothing else is loaded for a help text.

import { benchCommand } from "./bench/command.ts"
import type { Command, Program } from "./command-line.ts"
import { delegated, delegatedCredentials, help, password, shared, trust } from "./shared-options.ts"

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
        delegatedCredentials,
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
        delegated,
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
          name: "ech",
          value: "CONFIGS",
          help: "hide the name that is asked for: an ECHConfigList in base64, as an HTTPS record has it, or a file with an ECHCONFIG block",
        },
        { name: "ech-grease", help: "send a made-up Encrypted Client Hello, which hides nothing" },
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
        delegated,
        {
          name: "ocsp-response",
          value: "FILE",
          multiple: true,
          help: "staple this OCSP response (DER) to the certificate; in the order of --cert",
        },
        {
          name: "ech-key",
          value: "FILE",
          multiple: true,
          help: "take Encrypted Client Hello with this key, as tls13 ech-key writes it; repeat for more, the best first",
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
        delegatedCredentials,
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

export const echKeyCommand: Command = {
  name: "tls13 ech-key",
  takes: "PUBLIC-NAME",
  summary: "make a key for Encrypted Client Hello",
  about:
    "PUBLIC-NAME is what everybody sees instead of the names that clients ask for; the server has to have a certificate for it. The key is a PEM file with PRIVATE KEY and ECHCONFIG (RFC 9934), as OpenSSL and other servers take it.",
  sections: [
    {
      rows: [
        {
          name: "out",
          value: "FILE",
          help: "write the key to FILE, which must not be there; default: standard output",
        },
        {
          name: "max-name-length",
          value: "N",
          help: "bytes of the longest name behind it, up to which names are padded; default 0: not known",
        },
        { name: "kem", value: "NAME", help: "x25519 (default, which every client has) or p256" },
        { name: "config-id", value: "N", help: "0 to 255, another for each key of a server; default: drawn" },
      ],
    },
    help,
  ],
}

export const delegateCommand: Command = {
  name: "tls13 delegate",
  summary: "make a delegated credential",
  about:
    "The certificate's key signs for a new key, which then stands for it for some hours (RFC 9345): the server that has the new key needs the certificate, and not its key. Written are the credential and its private key, as PEM.",
  sections: [
    {
      rows: [
        {
          name: "cert",
          value: "FILE",
          help: "the certificate (PEM or DER), which must have DelegationUsage: puremq cert --delegation makes such ones",
        },
        { name: "key", value: "FILE", help: "its private key; default: in the same file" },
        password,
        {
          name: "out",
          value: "FILE",
          help: "write to FILE, over an older one; default: standard output",
        },
        {
          name: "for",
          value: "ROLE",
          choices: ["server", "client"],
          help: "who will show it: server (default) or client",
        },
        { name: "hours", value: "N", help: "of its validity, 1 to 168; default 24" },
        {
          name: "type",
          value: "TYPE",
          choices: ["p256", "p384", "ed25519"],
          help: "of the new key: p256 (default), p384 or ed25519",
        },
      ],
    },
    help,
  ],
}

export const replayCommand: Command = {
  name: "tls13 replay",
  takes: "FILE",
  summary: "run a recorded connection again, step by step",
  about:
    "FILE is what --record of tls13 connect or tls13 serve has written. Each call is told with what the connection made of it, and what it sends is compared with what it sent then. The exit status is 0 when every byte is the same, 1 with the first difference.",
  sections: [
    {
      rows: [
        {
          name: "trace",
          optionalValue: "bytes,secrets",
          help: "with bytes also field by field in hexadecimal, with secrets each secret and key: who has them can read the connection",
        },
        { name: "step", help: "wait for a line of input after each call" },
        {
          name: "redact",
          value: "OUT",
          help: "tell nothing, and write to OUT what may be shown to others: calls, records, messages, extensions, lengths and times, without secrets, names and contents",
        },
        { name: "test", help: "tell nothing, and print a test for vitest that runs FILE" },
      ],
    },
    help,
  ],
}

export const program: Program = {
  name: "tls13",
  version: "0.1.0",
  summary: "TLS 1.3 from the command line",
  commands: {
    connect: connectCommand,
    serve: serveCommand,
    inspect: inspectCommand,
    replay: replayCommand,
    "ech-key": echKeyCommand,
    delegate: delegateCommand,
    bench: benchCommand,
  },
}
