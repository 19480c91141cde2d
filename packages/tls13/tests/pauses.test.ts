// Decisions are pauses: each one answered later gives the same bytes as when it is answered at once, and nothing leaves, is
// read or is told meanwhile that would not have been.

import { describe, expect, it, vi } from "vitest"
import { AlertLevel } from "../src/bytes/alerts.ts"
import { Closed } from "../src/bytes/errors.ts"
import { toHex } from "../src/bytes/hex.ts"
import { Pause } from "../src/bytes/pause.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import type { Connection } from "../src/connection/connection.ts"
import type { ConnectionEvent, Outcome } from "../src/connection/events.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { generateEd25519Key, publicKeyOf } from "../src/crypto/noble/index.ts"
import { type CryptoProvider, InvalidKeyShare, type RandomSource } from "../src/crypto/provider.ts"
import type { DecisionName } from "../src/handshake/coroutine.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import { Later } from "./later.ts"
import {
  clientUnderTest,
  expectRefused,
  openGuard,
  provider,
  serverUnderTest,
  sessionFor,
  start,
  storeOf,
  ticketer,
} from "./support.ts"
import { always, testCredential, testVerifier } from "./tools/credentials.ts"

/* ---------------------------------------------------------------- a run of equal chance */

/** The same bytes each time. */
function seeded(seed: number): RandomSource {
  let state = seed
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return state >>> 16
    })
}

// Ed25519 signatures have no randomness of their own.
const serverKey = generateEd25519Key(provider.random)
const clientKey = generateEd25519Key(provider.random)
const serverCredential = testCredential(serverKey, publicKeyOf(serverKey))
const clientCredential = testCredential(clientKey, publicKeyOf(clientKey))
const takes = { maxBytes: 100, replayGuard: openGuard }
const psk = {
  identity: utf8ToBytes("device"),
  key: new Uint8Array(32).fill(1),
  hash: "sha256",
  kind: "external",
} as const
const request = utf8ToBytes("early")

/** A provider that checks a peer's signature elsewhere, and never here. */
function verifyingLater(later: Later): CryptoProvider {
  const signatures = provider.signatures.map((algorithm) => ({
    ...algorithm,
    verify: () => false,
    verifyLater: later.pausing(algorithm.verify),
  }))
  return { ...provider, signatures }
}

interface Run {
  /** Everything that was on the wire, in order, as hexadecimal. */
  readonly wire: string
  readonly decisions: DecisionName[]
  readonly events: readonly ConnectionEvent[]
  readonly ends: { readonly client: Connection; readonly server: Connection }
}

interface Scenario {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
}

function run({ client: clientOptions = {}, server: serverOptions = {} }: Scenario, later: Later): Run {
  const client = new ClientConnection(
    createClientConfig({
      provider,
      random: seeded(1),
      serverName: "server.test",
      cipherSuites: ["TLS_AES_128_GCM_SHA256"],
      verifier: testVerifier(publicKeyOf(serverKey)),
      ...clientOptions,
    }),
    start,
  )
  const server = new ServerConnection(
    createServerConfig({ provider, random: seeded(2), credentials: always(serverCredential), ...serverOptions }),
    start,
  )
  const wire: string[] = []
  const decisions: DecisionName[] = []
  const events: ConnectionEvent[] = []
  const settle = (end: Connection, outcome: Outcome): Uint8Array => {
    let current = outcome
    const output: Uint8Array[] = []
    for (;;) {
      output.push(current.output)
      events.push(...current.events)
      if (typeof current.waitsFor === "string") break
      decisions.push(current.waitsFor.name)
      // Meanwhile nothing goes out, and time may pass.
      expect(end.tick(start)).toMatchObject({ output: new Uint8Array(0), events: [] })
      current = end.answer(later.answerTo(current.waitsFor.pause), start)
    }
    const whole = Uint8Array.from(output.flatMap((part) => [...part]))
    wire.push(toHex(whole))
    return whole
  }
  let bytes = settle(client, client.start())
  if (client.earlyDataWritable > 0)
    bytes = Uint8Array.from([...bytes, ...settle(client, client.sendEarlyData(request))])
  while (bytes.length > 0) {
    bytes = settle(client, client.receive(settle(server, server.receive(bytes, start)), start))
  }
  return { wire: wire.join("\n"), decisions, events, ends: { client, server } }
}

/* ---------------------------------------------------------------- each decision */

const session = sessionFor({ server: { earlyData: takes } })
const resumes = {
  client: { sessionStore: storeOf(session), earlyData: true },
  server: { ticketer, tickets: 0, earlyData: takes },
}
const twoShares = { groups: ["x25519", "secp256r1"], keyShares: ["x25519", "secp256r1"] } as const
const clientAuthentication = { mode: "require", verifier: testVerifier(publicKeyOf(clientKey)) } as const

const cases: readonly (readonly [
  what: string,
  decisions: readonly DecisionName[],
  plain: Scenario,
  paused: (later: Later) => Scenario,
])[] = [
  [
    "the key exchange",
    ["StartKeyExchange", "RespondToKeyShare", "CompleteKeyExchange"],
    {},
    (later) => ({
      client: { provider: later.keyExchanges(provider) },
      server: { provider: later.keyExchanges(provider) },
    }),
  ],
  [
    "the key exchange of two shares, of which one is taken",
    ["StartKeyExchange", "StartKeyExchange", "RespondToKeyShare", "CompleteKeyExchange"],
    { client: twoShares, server: { groups: ["secp256r1"] } },
    (later) => ({
      client: { ...twoShares, provider: later.keyExchanges(provider) },
      server: { groups: ["secp256r1"], provider: later.keyExchanges(provider) },
    }),
  ],
  [
    "the key exchange after a HelloRetryRequest",
    ["StartKeyExchange", "StartKeyExchange", "RespondToKeyShare", "CompleteKeyExchange"],
    { client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } },
    (later) => ({
      client: { groups: ["x25519", "secp256r1"], provider: later.keyExchanges(provider) },
      server: { groups: ["secp256r1"], provider: later.keyExchanges(provider) },
    }),
  ],
  [
    "the key exchange of a resumption with 0-RTT data",
    ["StartKeyExchange", "RespondToKeyShare", "CompleteKeyExchange"],
    resumes,
    (later) => ({
      client: { ...resumes.client, provider: later.keyExchanges(provider) },
      server: { ...resumes.server, provider: later.keyExchanges(provider) },
    }),
  ],
  [
    "the server's certificate",
    ["SelectCertificate"],
    {},
    (later) => ({ server: { credentials: { resolve: later.pausing(() => serverCredential) } } }),
  ],
  [
    "the server's signature",
    ["Sign"],
    {},
    (later) => ({
      server: {
        credentials: always({ ...serverCredential, signer: { sign: later.pausing(serverCredential.signer.sign) } }),
      },
    }),
  ],
  [
    "the verdict on the server",
    ["VerifyPeer"],
    {},
    (later) => ({ client: { verifier: { verify: later.pausing(testVerifier(publicKeyOf(serverKey)).verify) } } }),
  ],
  [
    "the client's certificate, signature and the verdict on it",
    ["SelectCertificate", "Sign", "VerifyPeer"],
    { client: { credentials: always(clientCredential) }, server: { clientAuthentication } },
    (later) => ({
      client: {
        credentials: {
          resolve: later.pausing(() => ({
            ...clientCredential,
            signer: { sign: later.pausing(clientCredential.signer.sign) },
          })),
        },
      },
      server: {
        clientAuthentication: {
          mode: "require",
          verifier: { verify: later.pausing(testVerifier(publicKeyOf(clientKey)).verify) },
        },
      },
    }),
  ],
  [
    "the check of the server's signature",
    ["VerifySignature"],
    {},
    (later) => ({ client: { provider: verifyingLater(later) } }),
  ],
  [
    "the check of the client's signature",
    ["VerifySignature"],
    { client: { credentials: always(clientCredential) }, server: { clientAuthentication } },
    (later) => ({
      client: { credentials: always(clientCredential) },
      server: { clientAuthentication, provider: verifyingLater(later) },
    }),
  ],
  [
    "a ticket",
    ["OpenTicket"],
    resumes,
    (later) => ({
      ...resumes,
      server: {
        ...resumes.server,
        ticketer: {
          seal: () => undefined,
          open: later.pausing((ticket: Uint8Array, now: number) => ticketer.open(ticket, now)),
        },
      },
    }),
  ],
  [
    "the replay guard",
    ["TakeEarlyData"],
    resumes,
    (later) => ({
      ...resumes,
      server: { ...resumes.server, earlyData: { maxBytes: 100, replayGuard: { take: later.pausing(() => true) } } },
    }),
  ],
  [
    "a ticket and then the replay guard",
    ["OpenTicket", "TakeEarlyData"],
    resumes,
    (later) => ({
      ...resumes,
      server: {
        ...resumes.server,
        ticketer: {
          seal: () => undefined,
          open: later.pausing((ticket: Uint8Array, now: number) => ticketer.open(ticket, now)),
        },
        earlyData: { maxBytes: 100, replayGuard: { take: later.pausing(() => true) } },
      },
    }),
  ],
  [
    "an external PSK",
    ["LookUpPsk"],
    { client: { externalPsks: [psk] }, server: { externalPsks: new MemoryPskStore([psk]) } },
    (later) => ({ client: { externalPsks: [psk] }, server: { externalPsks: { lookup: later.pausing(() => psk) } } }),
  ],
  [
    "an external PSK, once for each ClientHello of a HelloRetryRequest",
    ["LookUpPsk", "LookUpPsk"],
    {
      client: { externalPsks: [psk], groups: ["x25519", "secp256r1"] },
      server: { externalPsks: new MemoryPskStore([psk]), groups: ["secp256r1"] },
    },
    (later) => ({
      client: { externalPsks: [psk], groups: ["x25519", "secp256r1"] },
      server: { externalPsks: { lookup: later.pausing(() => psk) }, groups: ["secp256r1"] },
    }),
  ],
]

describe("a pause answered later gives the same bytes:", () => {
  it.each(cases)("%s", (_what, decisions, plain, paused) => {
    const atOnce = run(plain, new Later())
    const later = new Later()
    const afterwards = run(paused(later), later)
    expect(atOnce.decisions).toEqual([])
    expect(afterwards.decisions).toEqual(decisions)
    expect(afterwards.ends.client.failure ?? afterwards.ends.server.failure).toBeUndefined()
    expect(afterwards.ends.client.info).toBeDefined()
    expect(afterwards.wire).toBe(atOnce.wire)
    expect(afterwards.events.map(({ type }) => type)).toEqual(atOnce.events.map(({ type }) => type))
  })
})

describe("while a connection waits", () => {
  const waiting = () => {
    const puppet = serverUnderTest({ server: { credentials: { resolve: () => new Pause() } } })
    puppet.deliver()
    expect(puppet.outcome?.waitsFor).toMatchObject({ name: "SelectCertificate" })
    return puppet
  }

  it("input is kept, up to the limit and not one byte more", () => {
    for (const [length, ok] of [
      [65_536, true],
      [65_537, false],
    ] as const) {
      const puppet = waiting()
      puppet.receive(new Uint8Array(length).fill(22))
      if (ok) expect(puppet.subject.failure).toBeUndefined()
      else expect(puppet.subject.failure).toMatchObject({ kind: "LimitExceeded", limit: "bufferedInput" })
    }
  })

  it("the handshake's time runs on", () => {
    const puppet = waiting()
    puppet.take(puppet.subject.tick(start + 10_000))
    expect(puppet.subject.failure).toMatchObject({ kind: "LimitExceeded", limit: "handshakeTime" })
    expect(puppet.alerts.map(({ description, level }) => [description, level])).toEqual([
      ["user_canceled", AlertLevel.warning],
      ["close_notify", AlertLevel.warning],
    ])
  })

  it("a decision that cannot be made ends the handshake with internal_error", () => {
    const puppet = waiting()
    puppet.take(puppet.subject.abandon("the key server is down", start))
    expectRefused(puppet, "internal_error", "Closed", /key server is down/)
  })

  it("an answer is wanted once, and only when one is due", () => {
    const puppet = waiting()
    puppet.take(puppet.subject.answer(undefined, start))
    expectRefused(puppet, "handshake_failure", "PeerIncompatible")
    expect(() => serverUnderTest().subject.answer(undefined, start)).toThrow(/waits for no decision/)
  })

  it("an answer that comes after the end is late, and changes nothing", () => {
    const puppet = waiting()
    puppet.take(puppet.subject.abandon("given up", start))
    expect(puppet.subject.answer(serverCredential, start)).toMatchObject({
      output: new Uint8Array(0),
      events: [],
      waitsFor: "nothing",
    })
  })

  it("the alert of a refusal goes out with what was held back", () => {
    const puppet = serverUnderTest({
      server: { credentials: always({ ...serverCredential, signer: { sign: () => new Pause() } }) },
    })
    puppet.deliver()
    expect(puppet.outcome?.output).toHaveLength(0)
    puppet.take(puppet.subject.abandon("no signature", start))
    // ServerHello was made already: the client can read the alert only with it.
    expect(puppet.actor.failure).toMatchObject({ kind: "PeerAlert", received: "internal_error" })
  })
})

describe("a decision that cannot be made", () => {
  /** Stands before it. */
  const waitingFor = (role: "client" | "server", name: DecisionName) => {
    const steps = { client: ["complete"], server: ["respond"] } as const
    const ends = { client: clientUnderTest, server: serverUnderTest }
    const puppet = ends[role]({ [role]: { provider: new Later().keyExchanges(provider, steps[role]) } })
    puppet.deliver()
    expect(puppet.outcome?.waitsFor).toMatchObject({ name })
    return puppet
  }
  const roles = [
    ["client", "CompleteKeyExchange", /server's key share cannot be used: not on the curve/],
    ["server", "RespondToKeyShare", /client's key share cannot be used: not on the curve/],
  ] as const

  it.each(roles)("a %s's %s: InvalidKeyShare is the peer's fault (sections 4.3.8.2 and 7.4.2)", (role, name, words) => {
    const puppet = waitingFor(role, name)
    puppet.take(puppet.subject.reject(new InvalidKeyShare("not on the curve"), start))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", words)
  })

  it.each(roles)("a %s's %s: anything else ends in internal_error, with its cause", (role, name) => {
    const puppet = waitingFor(role, name)
    const cause = new Error("the key is locked")
    puppet.take(puppet.subject.reject(cause, start))
    expectRefused(puppet, "internal_error", "Closed", new RegExp(`^${name} failed: the key is locked$`))
    expect(puppet.subject.failure?.cause).toBe(cause)
  })

  it("an error of TLS keeps its alert, as when it is thrown at once", () => {
    const puppet = waitingFor("server", "RespondToKeyShare")
    puppet.take(puppet.subject.reject(new Closed("access_denied", "not this one"), start))
    expectRefused(puppet, "access_denied", "Closed", /^not this one$/)
  })

  it("what cannot even be shown does not come out of the core", () => {
    const puppet = waitingFor("server", "RespondToKeyShare")
    puppet.take(puppet.subject.reject(Object.create(null), start))
    expectRefused(puppet, "internal_error", "Closed", /^RespondToKeyShare failed: something that cannot be shown/)
    const thrown = serverUnderTest({
      server: {
        credentials: {
          resolve: () => {
            throw Object.create(null)
          },
        },
      },
    })
    thrown.deliver()
    expectRefused(thrown, "internal_error", "Closed", /something that cannot be shown/)
  })

  it("is told once, and only when one is due", () => {
    const puppet = waitingFor("client", "CompleteKeyExchange")
    puppet.take(puppet.subject.reject(new Error("no"), start))
    expect(puppet.subject.reject(new Error("no"), start)).toMatchObject({ events: [], waitsFor: "nothing" })
    expect(() => serverUnderTest().subject.reject(new Error("no"), start)).toThrow(/waits for no decision/)
  })
})

describe("null, as databases answer, is the same as undefined", () => {
  const nothing = (() => null) as () => never
  const later = (() => new Pause()) as () => never
  const known = { verifier: testVerifier(publicKeyOf(serverKey)), externalPsks: [psk] }
  const ofPsk = sessionFor({ client: { externalPsks: [psk] }, server: { externalPsks: new MemoryPskStore([psk]) } })
  const resuming = { verifier: known.verifier, sessionStore: storeOf(session) }

  it.each<[string, Scenario, object]>([
    // RFC 9846 4.7.1: it would go on without the key that it stands on.
    [
      "a session is not resumed whose external PSK is gone",
      {
        client: { ...known, sessionStore: storeOf(ofPsk) },
        server: { ticketer, externalPsks: { lookup: nothing } },
      },
      { resumed: false, authentication: "none" },
    ],
    ["an external PSK", { client: known, server: { externalPsks: { lookup: nothing } } }, { authentication: "none" }],
    ["a ticket", { client: resuming, server: { ticketer: { seal: nothing, open: nothing } } }, { resumed: false }],
    ["a session", { client: { ...resuming, sessionStore: { take: nothing, put() {} } } }, { resumed: false }],
    [
      "a client's certificate",
      {
        client: { ...resuming, sessionStore: undefined, credentials: { resolve: nothing } },
        server: { clientAuthentication: { ...clientAuthentication, mode: "request" } },
      },
      { peerChain: [] },
    ],
  ])("%s", (_what, { client, server }, info) => {
    const puppet = serverUnderTest({ client: client!, server: { credentials: always(serverCredential), ...server } })
    puppet.run()
    expect(puppet.subject.failure).toBeUndefined()
    expect(puppet.subject.info).toMatchObject(info)
  })

  it("a server's certificate: it has none, which is no defect", () => {
    const puppet = serverUnderTest({ server: { credentials: { resolve: nothing } } }).run()
    expect(puppet.subject.failure).toMatchObject({ alert: "handshake_failure", kind: "PeerIncompatible" })
  })

  it("an answer that comes later", () => {
    const puppet = serverUnderTest({
      client: { ...known, sessionStore: storeOf(ofPsk) },
      server: { ticketer, credentials: always(serverCredential), externalPsks: { lookup: later } },
    })
    puppet.deliver()
    expect(puppet.outcome?.waitsFor).toMatchObject({ name: "LookUpPsk" })
    puppet.take(puppet.subject.answer(null, start))
    puppet.take(puppet.subject.answer(null, start))
    puppet.run()
    expect(puppet.subject.info).toMatchObject({ resumed: false, authentication: "none" })
  })
})

describe("a callback that returns a promise, which no core awaits", () => {
  // Types forbid it; JavaScript does not.
  const promised = (answer: unknown) => (() => Promise.resolve(answer)) as () => never
  const session = sessionFor({ server: { earlyData: takes } })
  const resuming = { earlyData: true, sessionStore: storeOf(session) }
  const asking = {
    clientAuthentication: { mode: "require", verifier: { verify: promised({ accepted: true }) } },
  } as const

  it.each<[DecisionName, Scenario]>([
    // Everything would be taken for fresh: any object is as good as true.
    [
      "TakeEarlyData",
      { client: resuming, server: { ticketer, earlyData: { ...takes, replayGuard: { take: promised(false) } } } },
    ],
    ["OpenTicket", { client: resuming, server: { ticketer: { seal: () => undefined, open: promised(undefined) } } }],
    ["LookUpPsk", { client: { externalPsks: [psk] }, server: { externalPsks: { lookup: promised(undefined) } } }],
    ["SelectCertificate", { server: { credentials: { resolve: promised(serverCredential) } } }],
    [
      "Sign",
      { server: { credentials: always({ ...serverCredential, signer: { sign: promised(new Uint8Array(64)) } }) } },
    ],
    ["VerifyPeer", { client: { credentials: always(clientCredential) }, server: asking }],
  ])("ends the connection and says what to return: %s", (decision, { client, server }) => {
    const puppet = serverUnderTest({
      client: { verifier: testVerifier(publicKeyOf(serverKey)), ...client },
      server: { credentials: always(serverCredential), ...server },
    }).run()
    expect(puppet.subject.failure).toMatchObject({ alert: "internal_error" })
    expect(puppet.subject.failure?.message).toContain(
      `${decision} was answered with a promise; return new Pause(promise)`,
    )
    expect(puppet.events.map(({ type }) => type)).not.toContain("early-data")
  })

  it.each([
    ["false", new Pause(), false],
    ["an object", new Pause(), {}],
    ["nothing", new Pause(), undefined],
    ["a promise", Promise.resolve(true), undefined],
  ])("RFC 9846 4.5.2: nor is anything but true the yes to a client's signature: %s", (what, answer, later) => {
    const signatures = provider.signatures.map((algorithm) => ({ ...algorithm, verifyLater: () => answer as never }))
    const verify = vi.fn()
    const puppet = serverUnderTest({
      client: { credentials: always(clientCredential), verifier: testVerifier(publicKeyOf(serverKey)) },
      server: {
        provider: { ...provider, signatures },
        credentials: always(serverCredential),
        clientAuthentication: { mode: "require", verifier: { ...testVerifier(publicKeyOf(clientKey)), verify } },
      },
    })
    puppet.run()
    if (answer instanceof Pause) {
      expect(puppet.outcome?.waitsFor).toMatchObject({ name: "VerifySignature", pause: answer })
      puppet.subject.answer(later, start)
    }
    expect(puppet.subject.failure).toMatchObject({ alert: what === "a promise" ? "internal_error" : "decrypt_error" })
    if (what === "a promise") expect(puppet.subject.failure?.message).toContain("return new Pause(promise)")
  })

  it("RFC 9846 8: nor is anything but true the yes of a replay guard", () => {
    const take = (() => ({ work: undefined })) as () => never
    const puppet = serverUnderTest({
      client: resuming,
      server: { ticketer, earlyData: { ...takes, replayGuard: { take } } },
    })
    puppet.run()
    expect(puppet.subject.info).toMatchObject({ earlyData: "rejected" })
  })
})
