// RFC 8448, all five traces, through ClientConnection and ServerConnection: from the random bytes, the private keys and
// the other side's records alone, every value that the RFC shows must come out, to the last byte of the last record.

import { describe, expect, it } from "vitest"
import { toHex } from "../src/bytes/hex.ts"
import { Reader } from "../src/bytes/reader.ts"
import { contentTypeOf, hexOf, type Replayed, type Role, replay, sentRecords } from "./rfc8448/replay.ts"
import { readTraces, type Step, type Trace } from "./rfc8448-vectors.ts"

const traces = readTraces()
const simple = traces.find(({ id }) => id === "simple-1rtt")!

/** Values of the RFC that a connection has no reason to compute. Each is compared elsewhere. */
const notComputed: readonly { readonly label: string; readonly roles: readonly Role[]; readonly why: string }[] = [
  {
    label: 'derive secret "tls13 e exp master"',
    roles: ["client", "server"],
    why: "connections derive no early_exporter_secret; schedule/rfc8448.test.ts compares it",
  },
  {
    label: 'generate resumption secret "tls13 resumption"',
    roles: ["server"],
    why: "our server's ticket_nonce has one byte, the RFC's has two; the client's side of the step is compared instead",
  },
]
const isLeftOut = (step: Step, role: Role) =>
  notComputed.some((left) => left.label === step.label && left.roles.includes(role))

describe.each(traces.map((trace) => [trace.section, trace.id, trace] as const))(
  "RFC 8448 section %s, %s",
  (_section, id, trace) => {
    const first = id === "resumed-0rtt" ? simple : undefined
    for (const role of ["client", "server"] as const) {
      describe(`as the ${role}`, () => {
        const replayed = replay(trace, role, first)
        const { connection, recorder } = replayed

        it("completes the handshake, and closes", () => {
          expect(connection.failure).toBeUndefined()
          expect(connection.info).toMatchObject(agreed(id, role))
          expect(replayed.events.at(-1)).toEqual({ type: "end" })
          expect(recorder.leftToDraw).toBe(0)
        })

        it("RFC 9846 5: sends and receives exactly the RFC's records", () => {
          const peer = role === "client" ? "server" : "client"
          const asRecorded = (step: Step) => ({
            innerType: contentTypeOf(step),
            record: hexOf(step, "complete record"),
            content: hexOf(step, "payload"),
          })
          expect(recorder.records.sent).toEqual(sentRecords(trace, role).map(asRecorded))
          expect(recorder.records.received).toEqual(sentRecords(trace, peer).map(asRecorded))
        })

        it("computes every value of every step", () => {
          for (const step of trace.steps) {
            if (step.actor !== role || isLeftOut(step, role)) continue
            compare(step.sameAs === undefined ? step : sameStep(step, trace), replayed, role)
          }
        })
      })
    }
  },
)

describe("RFC 8448", () => {
  it("all 543 values of the five traces are compared, but for those with a reason", () => {
    const counted = { compared: 0, left: 0 }
    for (const trace of traces) {
      for (const role of ["client", "server"] as const) {
        const replayed = replay(trace, role, trace.id === "resumed-0rtt" ? simple : undefined)
        for (const step of trace.steps.filter((each) => each.actor === role && each.sameAs === undefined)) {
          if (isLeftOut(step, role)) counted.left += step.fields.length
          else counted.compared += compare(step, replayed, role)
        }
      }
    }
    expect(counted).toEqual({ compared: 535, left: 8 })
  })

  it("RFC 9846 4.7.1: the client derives the PSK of the server's ticket", () => {
    const { recorder } = replay(simple, "client", undefined)
    const step = simple.steps.find((each) => each.has("expanded") && each.label.includes("tls13 resumption"))!
    expectExpansion(step, recorder.mac(step.bytes("PRK"), withCounter(step.bytes("info"))), "expanded")
  })
})

function agreed(id: string, role: Role): object {
  return {
    cipherSuite: "TLS_AES_128_GCM_SHA256",
    group: id === "hello-retry-request" ? "secp256r1" : "x25519",
    helloRetryRequest: id === "hello-retry-request",
    resumed: id === "resumed-0rtt",
    earlyData: id === "resumed-0rtt" ? "accepted" : "not offered",
    authentication: authentication(id, role),
  }
}

function authentication(id: string, role: Role): string {
  // The client of the first connection had shown no certificate: to the server it is still nobody.
  if (id === "resumed-0rtt") return role === "client" ? "psk" : "none"
  return role === "client" || id === "client-authentication" ? "certificate" : "none"
}

/** The step that shows the values of one that is "same as" it. */
function sameStep(step: Step, trace: Trace): Step {
  const label = step.label.includes("write traffic keys")
    ? step.label.replace("write", "read")
    : step.label.replace("read", "write")
  const found = trace.steps.find(
    (other) => other.actor !== step.actor && other.sameAs === undefined && [step.label, label].includes(other.label),
  )
  if (found === undefined) throw new Error(`nothing shows "${step.label}", same as ${step.sameAs}`)
  return found
}

/** Compares all fields of a step with what a role's connection did, and says how many there are. */
function compare(step: Step, { recorder }: Replayed, role: Role): number {
  const { label } = step
  const direction = step.actor === role ? "sent" : "received"
  const compared: string[] = []
  const is = (field: string, actual: string | undefined) => {
    expect(actual, `${step.actor}: ${label}: ${field}`).toBe(hexOf(step, field))
    compared.push(field)
  }
  const contains = (field: string, all: readonly string[]) => {
    expect(all, `${step.actor}: ${label}: ${field}`).toContain(hexOf(step, field))
    compared.push(field)
  }
  const expands = (info: string, output: string) => {
    expectExpansion(step, recorder.mac(step.bytes("PRK"), withCounter(step.bytes(info))), output)
    compared.push("PRK", info, output)
  }

  if (label.startsWith("create an ephemeral")) {
    contains("private key", recorder.drawn)
    expect(recorder.messages.sent.some((message) => message.includes(hexOf(step, "public key")))).toBe(true)
    compared.push("public key")
  } else if (label.startsWith("construct a")) {
    const name = step.fields[0]!
    // Section 4 shows its ClientHello without the binders.
    const messages = recorder.messages[direction].map((message) => message.slice(0, hexOf(step, name).length))
    contains(name, messages)
  } else if (label.startsWith("send ")) {
    const records = recorder.records[direction]
    contains(
      "payload",
      records.map(({ content }) => content),
    )
    contains(
      "complete record",
      records.map(({ record }) => record),
    )
  } else if (label.startsWith("extract secret")) {
    is("secret", recorder.mac(step.bytes("salt"), step.bytes("IKM")))
    compared.push("salt", "IKM")
  } else if (label.includes("traffic keys")) {
    expands("key info", "key expanded")
    expands("iv info", "iv expanded")
    const keys = `${hexOf(step, "key expanded")}:${hexOf(step, "iv expanded")}`
    expect([...recorder.keys.sent, ...recorder.keys.received]).toContain(keys)
  } else if (label.startsWith("derive secret") || label.startsWith("generate resumption")) {
    expands("info", "expanded")
    is("hash", contextOf(step.bytes("info")))
    // The ticket's nonce is no hash.
    if (step.bytes("hash").length === 32) expect([...recorder.digests]).toContain(hexOf(step, "hash"))
  } else if (label.startsWith("calculate")) {
    expands("info", "expanded")
    is("hash", contextOf(step.bytes("info")))
    const finished = [...recorder.macs].find(([, mac]) => mac === hexOf(step, "finished"))
    expect(finished, `${label}: nobody computed it`).toBeDefined()
    const [key, transcriptHash] = finished![0].split(":")
    expect(key).toBe(hexOf(step, "expanded"))
    expect([...recorder.digests]).toContain(transcriptHash)
    compared.push("finished")
    if (step.has("binder hash")) {
      is("binder hash", transcriptHash)
      const prefix = hexOf(step, "ClientHello prefix")
      is("ClientHello prefix", recorder.messages[direction][0]?.slice(0, prefix.length))
    }
  }
  // Each field once: PRK, which two expansions share, too.
  expect([...new Set(compared)].sort(), label).toEqual([...step.fields].sort())
  return step.fields.length
}

function expectExpansion(step: Step, mac: string | undefined, field: string): void {
  const expected = hexOf(step, field)
  expect(mac?.slice(0, expected.length), `${step.actor}: ${step.label}: ${field}`).toBe(expected)
}

/** HKDF-Expand (RFC 5869 section 2.3) of one block: info and a counter of one. */
function withCounter(info: Uint8Array): Uint8Array {
  return Uint8Array.of(...info, 1)
}

function contextOf(info: Uint8Array): string {
  const reader = new Reader(info, "HkdfLabel")
  reader.uint16()
  reader.vector8("label")
  return toHex(reader.vector8("context"))
}
