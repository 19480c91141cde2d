// The commands of `tls13`, and the options of each. Nothing else is loaded for a help text.

import type { Command, OptionRow, OptionSection, Program } from "./command-line.ts"

const trust: readonly OptionRow[] = [
  {
    name: "ca",
    value: "FILE",
    multiple: true,
    help: "trust these authorities (PEM or DER) instead of the machine's; repeat for more",
  },
  {
    name: "ca-names",
    value: "NAMES",
    help: "... but only for these names, as in example.com,IP:10.0.0.0/8",
  },
  { name: "crl", value: "FILE", multiple: true, help: "certificate revocation lists (PEM or DER); repeat for more" },
  {
    name: "revocation",
    value: "WHEN",
    help: "ifPresent (default): a list or OCSP response that is there must be usable and not say revoked; require: there must be one for every certificate; off",
  },
  {
    name: "pin",
    value: "KEY",
    multiple: true,
    help: "a key that must be in the path: sha256/BASE64, or the file of a public key; repeat for more",
  },
  {
    name: "profile",
    value: "NAME",
    help: "path (RFC 5280 section 6; the default below --ca), rfc5280 (and section 4), webpki (and the rules of the CA/Browser Forum); below the machine's authorities the default is webpki for servers, rfc5280 for clients",
  },
]

const password: OptionRow = {
  name: "key-password-file",
  value: "FILE",
  help: "its first line is the password of keys that are encrypted",
}

/** What `connect` and `serve` share. */
const shared: readonly OptionSection[] = [
  {
    title: "What is negotiated (names in order of preference, separated by commas or colons)",
    rows: [
      { name: "alpn", value: "NAMES", help: "application protocols, such as mqtt or h2,http/1.1" },
      {
        name: "ciphers",
        value: "NAMES",
        help: "TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256; only when named: TLS_AES_128_CCM_SHA256, TLS_AES_128_CCM_8_SHA256",
      },
      {
        name: "groups",
        value: "NAMES",
        help: "x25519, secp256r1, secp384r1, secp521r1, X25519MLKEM768, ...; a server takes the third and fourth only when named here",
      },
      { name: "sigalgs", value: "NAMES", help: "ecdsa_secp256r1_sha256, ed25519, rsa_pss_rsae_sha256, ..." },
      {
        name: "record-size-limit",
        value: "N",
        help: "longest record that the peer may send: 64 to 16385 bytes",
      },
      {
        name: "cert-compression",
        help: "compress certificates for peers that take it, and take compressed ones (zlib, brotli)",
      },
      { name: "provider", value: "NAME", help: "whose cryptography: fast (default), noble or host" },
    ],
  },
  {
    title: "Raw public keys (RFC 7250), instead of certificates",
    rows: [
      { name: "raw-public-key", help: "show the key of --key as it is; --cert may then be left out" },
      {
        name: "peer-key",
        value: "KEY",
        multiple: true,
        help: "a key that the peer may show: sha256/BASE64, or the file of a public key; repeat for more",
      },
    ],
  },
  {
    title: "Pre-shared keys",
    rows: [
      { name: "psk", value: "IDENTITY:HEX", multiple: true, help: "a key that both sides have; repeat for more" },
      { name: "psk-ke", help: "also without a key exchange: no forward secrecy" },
    ],
  },
  {
    title: "Looking inside",
    rows: [
      {
        name: "trace",
        optionalValue: "bytes,secrets",
        help: "tell the handshake message by message; with bytes also field by field in hexadecimal, with secrets each secret and key: who has them can read the connection",
      },
      {
        name: "keylog",
        value: "FILE",
        help: "append the keys (SSLKEYLOGFILE), for Wireshark; who has them reads everything",
      },
      { name: "key-update", value: "BYTES", help: "renew our sending keys after every so many bytes" },
      { name: "key-update-peer", help: "and ask the peer to renew its own each time" },
      { name: "timeout", value: "MS", help: "for the handshake; default 10000" },
    ],
  },
]

const help: OptionSection = { rows: [{ name: "help", short: "h", help: "this text" }] }

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
  summary: "TLS 1.3 from the command line",
  commands: { connect: connectCommand, serve: serveCommand, inspect: inspectCommand },
}
