// RFC 9846 appendix A, generated: every handshake message in every state of both roles, whole and rightly protected. A
// state takes the messages that the appendix draws from it; every other one is an unexpected_message (section 4) that says
// what was allowed. Then the other content types in every state.

import { describe, expect, it } from "vitest"
import { AlertDescription, AlertLevel } from "../src/bytes/alerts.ts"
import { ContentType, HandshakeType } from "../src/bytes/code-points.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { encodeEndOfEarlyData, encodeKeyUpdate } from "../src/codec/key-update.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { checkTransition, type TransitionRow, transitions } from "../src/handshake/transitions.ts"
import { compareSteps, stepName, tableSteps } from "./steps.ts"
import {
  clientCertificate,
  clientOptions,
  clientUnderTest,
  early,
  expectRefused,
  resumed,
  serverUnderTest,
  start,
  ticketer,
} from "./support.ts"
import type { MessageName, Puppet } from "./tools/puppet.ts"

/* ---------------------------------------------------------------- the messages */

const retried = { server: { groups: ["secp256r1"] } }

/** One of each, as real handshakes made them. */
const messages: ReadonlyMap<string, Uint8Array> = captureMessages()

function captureMessages(): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  const collect = (puppet: Puppet) => {
    for (const { name, content } of puppet.parts) if (!found.has(name)) found.set(name, content)
    puppet.run()
    for (const { name, message } of puppet.sent) if (!found.has(name)) found.set(name, message)
  }
  collect(serverUnderTest({ ...clientCertificate, server: { ...clientCertificate.server, ticketer } }))
  collect(serverUnderTest(retried))
  collect(serverUnderTest(resumed()))
  found.set("end_of_early_data", encodeEndOfEarlyData())
  found.set("key_update", encodeKeyUpdate("update_not_requested"))
  // CompressedCertificate (RFC 8879): zlib, an uncompressed length, the rest.
  found.set(
    "compressed_certificate",
    Uint8Array.of(HandshakeType.compressed_certificate, 0, 0, 9, 0, 1, 0, 0, 4, 0, 0, 1, 0),
  )
  found.set("message_hash", Uint8Array.of(HandshakeType.message_hash, 0, 0, 32, ...new Uint8Array(32)))
  // HelloRequest, the old server_key_exchange, and a type that nobody has: unknown in TLS 1.3.
  for (const type of [0, 3, 6, 12, 14, 16, 21, 22, 255]) found.set(`type ${type}`, Uint8Array.of(type, 0, 0, 0))
  return found
}

/* ---------------------------------------------------------------- the states */

interface StateCase {
  readonly state: string
  /** How the state was reached, when it can be in several ways. */
  readonly after: string
  readonly reach: () => Puppet
  readonly accepts: readonly MessageName[]
  readonly applicationData: "refused" | "taken"
  readonly changeCipherSpec: "refused" | "dropped"
}

const psk = resumed()
const earlyPsk = early()
/** RFC 8879 with an algorithm that stores. */
const certificateCompression = [
  { code: 1, name: "zlib", compress: (bytes: Uint8Array) => bytes, decompress: (bytes: Uint8Array) => bytes },
]
const compressed = {
  client: { ...clientCertificate.client, certificateCompression },
  server: { ...clientCertificate.server, certificateCompression },
}
const postHandshake = {
  client: { ...clientCertificate.client, postHandshakeAuth: true },
  server: { clientAuthentication: { ...clientCertificate.server.clientAuthentication, mode: "post-handshake" } },
} as const
const requestsOnly = {
  certificateCompression,
  clientAuthentication: { ...clientCertificate.server.clientAuthentication, mode: "request" },
} as const
/** A server that has asked a connected client for its certificate: the answer is ready. */
const asked = (both: { readonly certificateCompression?: typeof certificateCompression } = {}) => {
  const cast = { client: { ...postHandshake.client, ...both }, server: { ...postHandshake.server, ...both } }
  const puppet = serverUnderTest(cast).run()
  if (puppet.subject instanceof ServerConnection) puppet.take(puppet.subject.requestCertificate())
  return puppet
}
const earlyFlight = () => {
  const puppet = serverUnderTest(earlyPsk)
  puppet.deliver()
  return puppet
}

const states: Readonly<Record<"client" | "server", readonly StateCase[]>> = {
  client: [
    {
      state: "WAIT_SH",
      after: "ClientHello",
      reach: () => clientUnderTest(),
      accepts: ["server_hello", "hello_retry_request"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_SH",
      after: "HelloRetryRequest",
      reach: () => {
        const puppet = clientUnderTest(retried)
        puppet.deliver()
        return puppet
      },
      accepts: ["server_hello"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_EE",
      after: "ServerHello",
      reach: () => clientUnderTest().deliverUntil("encrypted_extensions"),
      accepts: ["encrypted_extensions"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_CERT_CR",
      after: "EncryptedExtensions",
      reach: () => clientUnderTest(clientCertificate).deliverUntil("certificate_request"),
      accepts: ["certificate_request", "certificate"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_CERT_CR",
      after: "EncryptedExtensions, compress_certificate offered",
      reach: () => clientUnderTest(compressed).deliverUntil("certificate_request"),
      accepts: ["certificate_request", "certificate", "compressed_certificate"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_CERT",
      after: "CertificateRequest",
      reach: () => clientUnderTest(clientCertificate).deliverUntil("certificate"),
      accepts: ["certificate"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_CERT",
      after: "CertificateRequest, compress_certificate offered",
      reach: () => clientUnderTest(compressed).deliverUntil("compressed_certificate"),
      accepts: ["certificate", "compressed_certificate"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_CV",
      after: "Certificate",
      reach: () => clientUnderTest().deliverUntil("certificate_verify"),
      accepts: ["certificate_verify"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_FINISHED",
      after: "CertificateVerify",
      reach: () => clientUnderTest().deliverUntil("finished"),
      accepts: ["finished"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_FINISHED",
      after: "a PSK",
      reach: () => clientUnderTest(psk).deliverUntil("finished"),
      accepts: ["finished"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "CONNECTED",
      after: "Finished",
      reach: () => clientUnderTest().run(),
      accepts: ["new_session_ticket", "key_update"],
      applicationData: "taken",
      changeCipherSpec: "refused",
    },
    {
      state: "CONNECTED",
      after: "Finished, post_handshake_auth offered",
      reach: () => clientUnderTest(postHandshake).run(),
      accepts: ["new_session_ticket", "key_update", "certificate_request"],
      applicationData: "taken",
      changeCipherSpec: "refused",
    },
  ],
  server: [
    {
      state: "START",
      after: "nothing",
      reach: () => serverUnderTest(),
      accepts: ["client_hello"],
      applicationData: "refused",
      changeCipherSpec: "refused",
    },
    {
      state: "START",
      after: "HelloRetryRequest",
      reach: () => {
        const puppet = serverUnderTest(retried)
        puppet.deliver()
        return puppet
      },
      accepts: ["client_hello"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_EOED",
      after: "early data was taken",
      reach: earlyFlight,
      accepts: ["end_of_early_data"],
      applicationData: "taken",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_CERT",
      after: "the server's flight",
      reach: () => serverUnderTest(clientCertificate).deliverUntil("certificate"),
      accepts: ["certificate"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_CERT",
      after: "the server's flight, compress_certificate offered",
      reach: () => serverUnderTest(compressed).deliverUntil("compressed_certificate"),
      accepts: ["certificate", "compressed_certificate"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_CV",
      after: "Certificate",
      reach: () => serverUnderTest(clientCertificate).deliverUntil("certificate_verify"),
      accepts: ["certificate_verify"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_FINISHED",
      after: "the server's flight",
      reach: () => serverUnderTest().deliverUntil("finished"),
      accepts: ["finished"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_FINISHED",
      after: "CertificateVerify",
      reach: () => serverUnderTest(clientCertificate).deliverUntil("finished"),
      accepts: ["finished"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "WAIT_FINISHED",
      after: "a PSK",
      reach: () => serverUnderTest(psk).deliverUntil("finished"),
      accepts: ["finished"],
      applicationData: "refused",
      changeCipherSpec: "dropped",
    },
    {
      state: "CONNECTED",
      after: "Finished",
      reach: () => serverUnderTest().run(),
      accepts: ["key_update"],
      applicationData: "taken",
      changeCipherSpec: "refused",
    },
    {
      state: "CONNECTED",
      after: "CertificateRequest",
      reach: () => asked(),
      accepts: ["key_update", "certificate"],
      applicationData: "taken",
      changeCipherSpec: "refused",
    },
    {
      state: "CONNECTED",
      after: "CertificateRequest, compress_certificate offered",
      reach: () => asked({ certificateCompression }),
      accepts: ["key_update", "certificate", "compressed_certificate"],
      applicationData: "taken",
      changeCipherSpec: "refused",
    },
    {
      state: "CONNECTED",
      after: "Certificate, post-handshake",
      reach: () => asked().deliverUntil("certificate_verify"),
      accepts: ["certificate_verify"],
      applicationData: "refused",
      changeCipherSpec: "refused",
    },
    {
      state: "CONNECTED",
      after: "CertificateVerify, post-handshake",
      reach: () => asked().deliverUntil("finished"),
      accepts: ["finished"],
      applicationData: "refused",
      changeCipherSpec: "refused",
    },
  ],
}

/** Handshakes that go every way of the appendix; each is run to its end. */
const ways: Readonly<Record<"client" | "server", readonly (() => Puppet)[]>> = {
  client: [
    () => clientUnderTest(clientCertificate),
    () => clientUnderTest(compressed),
    () => clientUnderTest({ server: { certificateCompression }, client: { certificateCompression } }),
    () => clientUnderTest(retried),
    () => clientUnderTest(psk),
    () => {
      const puppet = clientUnderTest({ ...postHandshake, server: { ...postHandshake.server, ticketer } }).run()
      if (puppet.actor instanceof ServerConnection) puppet.actor.requestCertificate()
      puppet.message(messages.get("key_update")!)
      return puppet
    },
  ],
  server: [
    () => serverUnderTest(clientCertificate),
    () => serverUnderTest(compressed),
    () => serverUnderTest({ ...compressed, client: { certificateCompression }, server: requestsOnly }),
    () => serverUnderTest({ server: { ...requestsOnly, certificateCompression: [] } }),
    () => serverUnderTest(retried),
    () => serverUnderTest(psk),
    () => serverUnderTest(earlyPsk),
    () => asked(),
    () => asked({ certificateCompression }),
    () => {
      const puppet = serverUnderTest().run()
      puppet.message(messages.get("key_update")!)
      return puppet
    },
  ],
}

/* ---------------------------------------------------------------- the table */

describe.each(["client", "server"] as const)("RFC 9846 appendix A: the table of the %s", (role) => {
  const rows: readonly TransitionRow[] = transitions[role]

  it("has the messages that each state of the tests accepts, and no others", () => {
    const accepted = new Set(
      states[role].flatMap(({ state, accepts }) => accepts.map((name) => `${state} ${typeNameOf(name)}`)),
    )
    const ofTable = rows.filter(({ message }) => message !== undefined).map(({ from, message }) => `${from} ${message}`)
    expect([...accepted].sort()).toEqual([...new Set(ofTable)].sort())
  })

  it("is walked to the last of its rows, and nothing else is", () => {
    const walked = new Set<string>()
    for (const way of ways[role]) {
      const puppet = way().run()
      expect(puppet.subject.failure).toBeUndefined()
      for (const step of puppet.walked) walked.add(stepName(step))
    }
    expect(compareSteps(walked, tableSteps(role))).toEqual({ missing: [], foreign: [] })
  })

  it("a step that is none of its rows is a defect, and ends the connection", () => {
    expect(() =>
      checkTransition(role, transitions[role], "WAIT_FINISHED", HandshakeType.finished, "CONNECTED"),
    ).not.toThrow()
    expect(() => checkTransition(role, transitions[role], "WAIT_CV", HandshakeType.finished, "CONNECTED")).toThrow(
      /does not lead/,
    )
    expect(() => checkTransition(role, transitions[role], "WAIT_FINISHED", HandshakeType.finished, "WAIT_CV")).toThrow(
      /does not lead/,
    )
  })
})

it("steps are compared with the table: a row that nobody walked, and a step that is none", () => {
  const rows = tableSteps("client", "server")
  const [first, ...others] = rows
  const astray = stepName({ role: "client", from: "WAIT_CV", message: "finished", to: "CONNECTED" })
  expect(compareSteps(new Set([...others, astray]), rows)).toEqual({ missing: [first], foreign: [astray] })
})

/* ---------------------------------------------------------------- the tests */

it("has one of every handshake message that TLS 1.3 defines", () => {
  const kinds = new Set([...messages.values()].map((message) => message[0]))
  for (const type of Object.values(HandshakeType)) expect(kinds).toContain(type)
  expect(messages.has("hello_retry_request")).toBe(true)
})

// Requirement 4.2.2-1
it("RFC 9846 appendix A.1: a client in START, before its ClientHello, takes nothing", () => {
  for (const message of messages.values()) {
    const client = new ClientConnection(createClientConfig(clientOptions), start)
    const record = Uint8Array.of(ContentType.handshake, 3, 3, message.length >> 8, message.length, ...message)
    client.receive(record, start)
    expect(client.failure).toMatchObject({ alert: "unexpected_message", kind: "PeerMisbehaved" })
  }
})

for (const role of ["client", "server"] as const) {
  describe.each(states[role].map((each) => [each.state, each.after, each] as const))(
    `RFC 9846 appendix A, ${role} in %s after %s`,
    (state, _after, { reach, accepts, applicationData, changeCipherSpec }) => {
      it("is reached", () => {
        const puppet = reach()
        expect(puppet.subject.failure).toBeUndefined()
        expect(puppet.state).toBe(state)
      })

      for (const [name, message] of messages) {
        if (accepts.some((each) => each === name)) continue
        // Requirements 4-2, 4.2.2-3, 4.2.4-5, 4.6-3 (client), 4.7.3-1
        it(`section 4: ${name} is an unexpected_message`, () => {
          const puppet = reach()
          puppet.message(message)
          const second = name === "hello_retry_request" && state === "WAIT_SH"
          expectRefused(
            puppet,
            "unexpected_message",
            "PeerMisbehaved",
            second ? /second HelloRetryRequest/ : allowed(state),
          )
          // The error says what was allowed: each message's own name.
          if (!second) for (const each of accepts) expect(puppet.subject.failure?.message).toContain(typeNameOf(each))
        })
      }

      for (const name of accepts) {
        it(`${name} is no unexpected_message`, () => {
          const puppet = reach()
          puppet.message(messages.get(name)!)
          // A message of another handshake may be refused for what it says, but not for coming now.
          expect(puppet.subject.failure?.alert).not.toBe("unexpected_message")
        })
      }

      // Requirement 5-5
      it(`section 5: application data is ${applicationData}`, () => {
        const puppet = reach()
        const data = utf8ToBytes("data")
        const protects = !["WAIT_SH", "START"].includes(state)
        // Without keys the record layer of the puppet sends none, so the bytes are written by hand.
        if (protects) puppet.send(ContentType.application_data, data)
        else puppet.receive(Uint8Array.of(ContentType.application_data, 3, 3, 0, 4, ...data))
        if (applicationData === "refused") expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
        else expect(puppet.events.at(-1)).toEqual({ type: state === "WAIT_EOED" ? "early-data" : "data", data })
      })

      // Requirements 5-1, 5-3
      it(`section 5: change_cipher_spec is ${changeCipherSpec}`, () => {
        const puppet = reach()
        const before = puppet.events.length
        puppet.receive(Uint8Array.of(ContentType.change_cipher_spec, 3, 3, 0, 1, 1))
        if (changeCipherSpec === "refused") expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
        else expect({ failure: puppet.subject.failure, events: puppet.events.length }).toEqual({ events: before })
      })

      // Requirements 6.2-1, 6-3
      it("section 6.2: a fatal alert ends the connection, and nothing is sent back", () => {
        const puppet = reach()
        puppet.send(ContentType.alert, Uint8Array.of(AlertLevel.fatal, AlertDescription.internal_error))
        expect(puppet.subject.failure).toMatchObject({ kind: "PeerAlert", received: "internal_error" })
        expect(puppet.outcome).toMatchObject({ output: new Uint8Array(0), waitsFor: "nothing" })
      })
    },
  )
}

const allowed = (state: string): RegExp => new RegExp(`in state ${state}, where .* allowed`)

/** A HelloRetryRequest is a server_hello by its type. */
function typeNameOf(name: string): string {
  return name === "hello_retry_request" ? "server_hello" : name
}
