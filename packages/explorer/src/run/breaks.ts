// What can be broken, and what must come of it: somebody on the way changes records, or one of the two does not keep to the protocol.

import type { AlertName, ClientOptions, CryptoProvider, createClientConfig, ServerOptions } from "@puremq/tls13"
import { copyOf } from "@puremq/tls13/explore"
import type { Cast } from "./cast.ts"
import type { Meddling } from "./meddling.ts"
import { guessedPsk } from "./psks.ts"
import type { Stage } from "./stage.ts"
import type { End, Step, Timeline, WireRecord } from "./step.ts"

type MessageRewriter = NonNullable<Parameters<typeof createClientConfig>[1]>

/** An end that sends other messages than it should. */
export interface Rewriting {
  readonly client?: (stage: Stage) => MessageRewriter
  readonly server?: (stage: Stage) => MessageRewriter
}

export interface Change {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
  readonly rewriting?: Rewriting
  /** A server whose cryptography is not what it should be. */
  readonly serverProvider?: (provider: CryptoProvider) => CryptoProvider
  /** Milliseconds that the connection takes place later. */
  readonly later?: number
}

export interface Break {
  /** As it stands in the address. */
  readonly id: string
  readonly title: string
  /** Who does what. */
  readonly about: string
  readonly scenario: string
  /** What somebody on the way does, found in the run as it is without him. */
  readonly meddle?: (clean: Timeline) => readonly Meddling[]
  /** What one end does otherwise than it should. */
  readonly change?: (cast: Cast) => Change
  /** Who notices, and the alert that it sends; undefined: the end just closes, or goes on without. */
  readonly noticed: { readonly by: End; readonly alert: AlertName | undefined } | "goes on"
  /** The check of build/checks.mjs that can be left out to see what it is good for. */
  readonly check?: string
  /** Why there is none to leave out, or what leaving it out shows. */
  readonly without: string
}

/* ---------------------------------------------------------------- finding records */

/** The records of the connection that a scenario is about, as they were sent. */
function wires(steps: readonly Step[], from: End, connection: number): readonly WireRecord[] {
  return steps.flatMap((step) =>
    step.connection === connection && step.happening.type === "wire" && step.happening.record.from === from
      ? [step.happening.record]
      : [],
  )
}

function lastRecord(steps: readonly Step[], from: End, connection = 0): WireRecord {
  // The last one is close_notify.
  return wires(steps, from, connection).at(-2)!
}

/** The record in which an end's message lies: the one under way when it was read. */
function recordOf(steps: readonly Step[], from: End, message: string, connection = 0): WireRecord {
  const read = steps.findIndex(
    ({ connection: of, end, happening }) =>
      of === connection && end !== from && happening.type === "message" && happening.name === message,
  )
  const before = steps.slice(0, read).filter(({ happening }) => happening.type === "wire")
  const wire = before.at(-1)?.happening
  if (wire?.type !== "wire") throw new Error(`no record of the ${from} carries ${message}`)
  return wire.record
}

const last = (bytes: Uint8Array) => 8 * bytes.length - 1

/** The last bit of a message. */
function spoiled(message: Uint8Array): Uint8Array {
  const copy = copyOf(message)
  copy[copy.length - 1]! ^= 1
  return copy
}

function serverSends(name: string, changed: (message: Uint8Array) => Uint8Array): () => Change {
  return () => ({
    rewriting: { server: () => (sent, message) => (sent === name ? changed(message) : message) },
  })
}

/**
 * A ServerHello of TLS 1.2, by a server that could do better: DOWNGRD 01 ends its random (bytes 6 to 37, behind msg_type, length and
 * legacy_version), and an extension of no meaning is in the place of supported_versions.
 */
function withDowngrade(message: Uint8Array): Uint8Array {
  const copy = copyOf(message)
  copy.set([0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01], 30)
  for (let at = 38; at + 6 <= copy.length; at++) {
    const isVersion = [0x00, 0x2b, 0x00, 0x02, 0x03, 0x04].every((byte, offset) => copy[at + offset] === byte)
    if (isVersion) return copy.fill(0xfa, at, at + 2)
  }
  throw new Error("the ServerHello has no supported_versions")
}

/** cipher_suite stands behind the echoed session id. */
function withSuite(message: Uint8Array, suite: number): Uint8Array {
  const copy = copyOf(message)
  const at = 39 + copy[38]!
  copy[at] = suite >>> 8
  copy[at + 1] = suite
  return copy
}

/** A server that answers x25519 with a share of zeros, and goes on with the secret that the client computes from it: zeros. */
function withZeroShare(provider: CryptoProvider): CryptoProvider {
  const zeros = () => new Uint8Array(32)
  const keyExchanges = provider.keyExchanges.map((exchange) =>
    exchange.name === "x25519" ? { ...exchange, respond: () => ({ share: zeros(), secret: zeros() }) } : exchange,
  )
  return { ...provider, keyExchanges }
}

/** The secp256r1 share of a hello: extension 51 with one entry of 65 bytes, whose y is one bit off its curve. */
function withShareOffCurve(message: Uint8Array): Uint8Array {
  const copy = copyOf(message)
  for (let at = 38; at + 69 <= copy.length; at++) {
    if ([0x00, 0x17, 0x00, 0x41, 0x04].every((byte, offset) => copy[at + offset] === byte)) {
      copy[at + 68]! ^= 1
      return copy
    }
  }
  throw new Error("the hello has no secp256r1 share")
}

const day = 86_400_000

/* ---------------------------------------------------------------- the table */

export const breaks: readonly Break[] = [
  {
    id: "flip-encrypted",
    title: "Flip a bit of an encrypted message",
    about: "Somebody on the way changes one bit of the record with the server's Finished.",
    scenario: "full",
    meddle: ({ steps }) => {
      const { id, sent } = recordOf(steps, "server", "finished")
      return [{ kind: "flip", record: id, bit: last(sent) - 200 }]
    },
    noticed: { by: "client", alert: "bad_record_mac" },
    without: "There is nothing to leave out: an AEAD gives no plaintext at all for a record whose tag is wrong.",
  },
  {
    id: "flip-hello",
    title: "Flip a bit of the ClientHello",
    about: "Nothing protects the first message on its way: somebody changes a bit of the client's random.",
    scenario: "full",
    meddle: ({ steps }) => [
      { kind: "flip", record: recordOf(steps, "client", "client_hello").id, bit: 8 * (5 + 4 + 2) + 7 },
    ],
    noticed: { by: "client", alert: "bad_record_mac" },
    without:
      "The two have hashed different messages, so their keys differ: whoever changes a hello gets no further than this.",
  },
  {
    id: "drop",
    title: "Drop a record",
    about: "A record of application data never arrives; the next one does.",
    scenario: "full",
    meddle: ({ steps }) => [{ kind: "drop", record: wires(steps, "server", 0).at(-3)!.id }],
    noticed: { by: "client", alert: "bad_record_mac" },
    without: "The sequence number goes into the nonce without being sent: each record opens in its own place only.",
  },
  {
    id: "repeat",
    title: "Send a record twice",
    about: "Somebody sends a record of application data again.",
    scenario: "full",
    meddle: ({ steps }) => [{ kind: "repeat", record: lastRecord(steps, "client").id }],
    noticed: { by: "server", alert: "bad_record_mac" },
    without: "The second time the sequence number is another, and so is the nonce.",
  },
  {
    id: "reorder",
    title: "Change the order of records",
    about: "The encrypted record behind the ServerHello arrives before it.",
    scenario: "hello-retry",
    meddle: ({ steps }) => [{ kind: "delay", record: recordOf(steps, "server", "encrypted_extensions").id - 1 }],
    noticed: { by: "client", alert: "unexpected_message" },
    without: "An encrypted record comes before there are keys for it: section 5.1 has no place for it.",
  },
  {
    id: "cut",
    title: "Cut the connection",
    about: "The stream ends in the middle of a record, without close_notify.",
    scenario: "full",
    meddle: ({ steps }) => [{ kind: "cut", record: lastRecord(steps, "server").id, bytes: 12 }],
    noticed: { by: "client", alert: undefined },
    without: "Without close_notify nobody can tell a short message from one that somebody has shortened (section 6.1).",
  },
  {
    id: "inject",
    title: "Inject a record in the clear",
    about: "Somebody slips a handshake record of his own in between encrypted ones.",
    scenario: "full",
    meddle: ({ steps }) => {
      // An EncryptedExtensions without extensions.
      const message = Uint8Array.of(22, 3, 3, 0, 6, 8, 0, 0, 2, 0, 0)
      return [{ kind: "inject", record: recordOf(steps, "server", "certificate").id, bytes: message }]
    },
    noticed: { by: "client", alert: "unexpected_message" },
    check: "record-in-the-clear",
    without: "Without the check his message counts as the server's, as if it had been encrypted.",
  },
  {
    id: "wrong-name",
    title: "A certificate for another name",
    about: "The client wants to reach another.example; the certificate is for broker.example.",
    scenario: "full",
    change: () => ({ client: { serverName: "another.example" } }),
    noticed: { by: "client", alert: "bad_certificate" },
    check: "server-name",
    without: "Any server with a good certificate of any name could stand in for any other.",
  },
  {
    id: "expired",
    title: "An expired certificate",
    about: "400 days later, with the same certificate.",
    scenario: "full",
    change: () => ({ later: 400 * day }),
    noticed: { by: "client", alert: "certificate_expired" },
    check: "certificate-path",
    without: "Keys that were lost long ago, and revoked, would count for ever.",
  },
  {
    id: "unknown-authority",
    title: "A certificate of an authority nobody knows",
    about: "Anybody can make a certificate for broker.example; this one is signed by Somebody Else's CA.",
    scenario: "full",
    change: (cast) => ({ server: { credentials: cast.credentialsOf(cast.impostor) } }),
    noticed: { by: "client", alert: "unknown_ca" },
    check: "certificate-path",
    without: "The handshake is complete, with whoever it is: encrypted, and in the wrong hands.",
  },
  {
    id: "bad-certificate-verify",
    title: "A wrong CertificateVerify",
    about: "The server shows a certificate whose private key it does not have: it cannot sign.",
    scenario: "full",
    change: serverSends("certificate_verify", spoiled),
    noticed: { by: "client", alert: "decrypt_error" },
    check: "certificate-verify",
    without: "A certificate is public: without the signature everybody could show it.",
  },
  {
    id: "bad-finished",
    title: "A wrong Finished",
    about: "The server's Finished is not the MAC over the handshake.",
    scenario: "full",
    change: serverSends("finished", spoiled),
    noticed: { by: "client", alert: "decrypt_error" },
    check: "finished",
    without: "Nothing would show that both have seen the same handshake under the same keys.",
  },
  {
    id: "bad-binder",
    title: "A wrong PSK binder",
    about: "The client says that it is sensor-17, and does not have that key.",
    scenario: "external-psk",
    change: () => ({ client: { externalPsks: [guessedPsk] } }),
    noticed: { by: "server", alert: "decrypt_error" },
    check: "psk-binder",
    without: "The server would answer, and 0-RTT data would be taken before anybody has shown that he has the key.",
  },
  {
    id: "downgrade",
    title: "The downgrade sentinel",
    about:
      "The answer is TLS 1.2, and its random says that the server can do TLS 1.3: somebody has changed the client's offer.",
    scenario: "full",
    change: serverSends("server_hello", withDowngrade),
    noticed: { by: "client", alert: "illegal_parameter" },
    check: "downgrade-sentinel",
    without:
      "This client speaks nothing older and ends it anyway, with another alert. One that speaks TLS 1.2, too, would be talked down to it.",
  },
  {
    id: "zero-share",
    title: "A key share of small order",
    about:
      "The server's x25519 share is all zeros, and so is whatever is multiplied with it: the server goes on with that.",
    scenario: "full",
    change: () => ({ serverProvider: withZeroShare }),
    noticed: { by: "client", alert: "illegal_parameter" },
    check: "small-order-point",
    without: "The handshake is complete, and its secret is 32 zeros: everybody who has listened can compute the keys.",
  },
  {
    id: "off-curve-share",
    title: "A key share that is not a point",
    about: "A bit of y is wrong in the server's secp256r1 share: no such point is on the curve.",
    scenario: "hello-retry",
    change: serverSends("server_hello", withShareOffCurve),
    noticed: { by: "client", alert: "illegal_parameter" },
    without:
      "There is nothing to leave out: the arithmetic of the curve takes no other points. Where it does, points of weaker curves give away bits of a private key that is used more than once.",
  },
  {
    id: "other-suite",
    title: "A cipher suite that was not offered",
    about: "The server chooses TLS_CHACHA20_POLY1305_SHA256; the client has offered AES-128-GCM alone.",
    scenario: "full",
    change: serverSends("server_hello", (message) => withSuite(message, 0x1303)),
    noticed: { by: "client", alert: "illegal_parameter" },
    check: "cipher-suite-offered",
    without:
      "Whoever answers could choose the weakest suite that the client's code has, though it was told to offer a stronger one alone. Here the server goes on with AES itself: what it seals does not open.",
  },
  {
    id: "replay",
    title: "Replayed 0-RTT data",
    about: "Somebody sends the first flight of a client again, CONNECT and all.",
    scenario: "0-rtt-replayed",
    noticed: "goes on",
    check: "replay",
    without: "The server takes the same CONNECT twice. With a payment in it, somebody pays twice.",
  },
]

/** @throws RangeError for an id that there is not */
export function breakOf(id: string): Break {
  const found = breaks.find((candidate) => candidate.id === id)
  if (found === undefined) throw new RangeError(`there is no break ${JSON.stringify(id)}`)
  return found
}
