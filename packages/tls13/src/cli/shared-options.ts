// Options that several commands of `tls13` have.

import type { OptionRow, OptionSection } from "./command-line.ts"

export const trust: readonly OptionRow[] = [
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

export const password: OptionRow = {
  name: "key-password-file",
  value: "FILE",
  help: "its first line is the password of keys that are encrypted",
}

export const delegated: OptionRow = {
  name: "delegated",
  value: "FILE",
  multiple: true,
  help: "show this delegated credential, as tls13 delegate writes it, to peers that take such ones; in the order of --cert",
}

export const delegatedCredentials: OptionRow = {
  name: "delegated-credentials",
  help: "take delegated credentials, too (RFC 9345)",
}

export const timeout: OptionRow = { name: "timeout", value: "MS", help: "for the handshake; default 10000" }

/** What is negotiated. */
export const negotiation: OptionSection = {
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
      help: "x25519, secp256r1, secp384r1, secp521r1, X25519MLKEM768, ...; a server takes the third and fourth only when named here, and so are for both: x448, ffdhe2048 to ffdhe8192, brainpoolP256r1tls13, ...",
    },
    {
      name: "sigalgs",
      value: "NAMES",
      help: "ecdsa_secp256r1_sha256, ed25519, rsa_pss_rsae_sha256, ...; only when named: ed448, ecdsa_brainpoolP256r1tls13_sha256, ...",
    },
    {
      name: "record-size-limit",
      value: "N",
      help: "longest record that the peer may send: 64 to 16385 bytes",
    },
    {
      name: "cert-compression",
      help: "compress certificates for peers that take it, and take compressed ones (zlib, brotli)",
    },
    { name: "provider", value: "NAME", help: "whose cryptography: fast (default), noble, host or mixed" },
  ],
}

/** What `connect` and `serve` share. */
export const shared: readonly OptionSection[] = [
  negotiation,
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
      {
        name: "pcap",
        value: "FILE",
        help: "write what goes over the network, and the keys, to FILE (pcapng), one for all connections: Wireshark opens it decrypted. WHO HAS IT READS EVERYTHING: not for production (RFC 9850 section 1.1)",
      },
      {
        name: "explore",
        value: "FILE",
        help: "write all that the trace has of a connection, secrets too, to FILE, for the explorer; later connections to FILE-2, FILE-3 ... (trace.json, trace-2.json), 100 at most. WHO HAS THEM READS EVERYTHING",
      },
      {
        name: "record",
        value: "FILE",
        help: "write all that comes to a connection from outside, secrets too, to FILE, for `tls13 replay`, a test or the explorer; later connections to FILE-2, FILE-3 ... (one.jsonl, one-2.jsonl), 100 at most. WHO HAS THEM READS EVERYTHING",
      },
      { name: "key-update", value: "BYTES", help: "renew our sending keys after every so many bytes" },
      { name: "key-update-peer", help: "and ask the peer to renew its own each time" },
      timeout,
    ],
  },
]

export const help: OptionSection = { rows: [{ name: "help", short: "h", help: "this text" }] }
