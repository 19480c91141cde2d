import { describe, expect, it } from "vitest"
import { always, testCredential, testVerifier } from "../../../tests/tools/credentials.ts"
import { Pause } from "../../bytes/pause.ts"
import { certificateVerifyContent } from "../../codec/certificate-verify.ts"
import { ClientConnection } from "../../connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../connection/config.ts"
import { ServerConnection } from "../../connection/server-connection.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../../crypto/noble/index.ts"
import { InvalidKeyShare } from "../../crypto/provider.ts"
import { Pair } from "../../testing/pair.ts"
import type { Credential, SignedFlight, Signer, UnsignedFlight } from "../../x509/interfaces.ts"
import type { ClientOptions, ServerOptions } from "../options.ts"
import { foreseenTranscriptHash } from "./foreseen-transcript.ts"

const provider = createNobleProvider()
const key = generateEcKey("P-256", provider.random)
const start = 1_800_000_000_000

/** Answers both at once, as a thread would. */
function answer(flight: UnsignedFlight): SignedFlight {
  const { hash } = provider.cipherSuites.find(({ code }) => code === flight.suite)!
  const group = provider.keyExchanges.find(({ code }) => code === flight.group)!
  const answered = group.respond(flight.clientShare, provider.random)
  const transcriptHash = foreseenTranscriptHash(hash, flight, answered.share)
  const algorithm = provider.signatures.find(({ name }) => name === "ecdsa_sha256")!
  const signature = algorithm.sign(key, certificateVerifyContent("server", transcriptHash), provider.random)
  return { ...answered, signature, transcriptHash }
}

interface Asked {
  readonly decisions: string[]
  signedAlone: number
  flight: UnsignedFlight | undefined
}

/** A handshake whose signer answers both; what is asked for is counted. */
function connect(
  options: { readonly client?: Partial<ClientOptions>; readonly server?: Partial<ServerOptions> } = {},
  given: (flight: UnsignedFlight) => SignedFlight | Error | undefined = answer,
): { readonly pair: Pair; readonly asked: Asked } {
  const asked: Asked = { decisions: [], signedAlone: 0, flight: undefined }
  const usual = testCredential(key, publicKeyOf(key))
  const signer: Signer = {
    sign(...args) {
      asked.signedAlone++
      return usual.signer.sign(...args)
    },
    respondAndSign(_scheme, flight) {
      asked.flight = flight
      return given(flight) && new Pause<SignedFlight>()
    },
  }
  const credential: Credential = { ...usual, signer }
  const verifier = testVerifier(publicKeyOf(key))
  const client = createClientConfig({ provider, serverName: "server.test", verifier, ...options.client })
  const server = createServerConfig({ provider, credentials: always(credential), ...options.server })
  const pair = new Pair(new ClientConnection(client, start), new ServerConnection(server, start), start)
  const take = pair.take.bind(pair)
  pair.take = (side, outcome) => {
    take(side, outcome)
    if (side !== pair.server || typeof outcome.waitsFor !== "object") return
    asked.decisions.push(outcome.waitsFor.name)
    const answered = given(asked.flight!)
    const { connection } = pair.server
    pair.take(side, answered instanceof Error ? connection.reject(answered, start) : connection.answer(answered, start))
  }
  return { pair: pair.handshake(), asked }
}

const isConnected = ({ client, server }: Pair) =>
  [client, server].map(({ connection }) => connection.info !== undefined)

describe("the key share and the signature in one decision (RFC 9846 sections 4.3.8 and 4.5.2)", () => {
  it.each<[string, Parameters<typeof connect>[0]]>([
    ["as usual", {}],
    ["with P-256 and SHA-384", { client: { groups: ["secp256r1"], cipherSuites: ["TLS_AES_256_GCM_SHA384"] } }],
    [
      "with what EncryptedExtensions may say",
      { client: { alpnProtocols: ["mqtt"] }, server: { alpnProtocols: ["mqtt"] } },
    ],
    [
      "with a CertificateRequest",
      { server: { clientAuthentication: { mode: "request", verifier: testVerifier(publicKeyOf(key)) } } },
    ],
  ])("is asked for once: %s", (_name, options) => {
    const { pair, asked } = connect(options)
    expect(isConnected(pair)).toEqual([true, true])
    expect(asked).toMatchObject({ decisions: ["RespondAndSign"], signedAlone: 0 })
  })

  it("is not asked for where the transcript began before: after a HelloRetryRequest", () => {
    const { pair, asked } = connect({ client: { keyShares: [] } })
    expect(isConnected(pair)).toEqual([true, true])
    expect(asked).toEqual({ decisions: [], signedAlone: 1, flight: undefined })
  })

  it("may be refused: then each is asked for alone", () => {
    const { pair, asked } = connect({}, () => undefined)
    expect(isConnected(pair)).toEqual([true, true])
    expect(asked).toMatchObject({ decisions: [], signedAlone: 1 })
  })

  it("a signature of another transcript is not used", () => {
    const { pair, asked } = connect({}, (flight) => ({ ...answer(flight), transcriptHash: new Uint8Array(32) }))
    expect(isConnected(pair)).toEqual([true, true])
    expect(asked.signedAlone).toBe(1)
  })

  it("a share that cannot be used is the client's fault (section 4.3.8.2)", () => {
    const { pair } = connect({}, () => new InvalidKeyShare("not on the curve"))
    expect(pair.server.connection.failure).toMatchObject({
      alert: "illegal_parameter",
      message: "client's key share cannot be used: not on the curve",
    })
  })

  it("an answer after the end leaves no secret", () => {
    const late: SignedFlight[] = []
    const { pair } = connect({}, (flight) => {
      late.push(answer(flight))
      return new Error("later")
    })
    const server = new ServerConnection(
      createServerConfig({
        provider,
        credentials: always({
          ...testCredential(key, publicKeyOf(key)),
          signer: {
            sign: () => new Uint8Array(1),
            respondAndSign: () => new Pause<SignedFlight>(),
          },
        }),
      }),
      start,
    )
    expect(pair.server.connection.failure?.alert).toBe("internal_error")
    const client = new ClientConnection(
      createClientConfig({ provider, serverName: "server.test", verifier: testVerifier(publicKeyOf(key)) }),
      start,
    )
    server.receive(client.start().output, start)
    server.destroy()
    server.answer(late[0], start)
    expect(late[0]!.secret.every((byte) => byte === 0)).toBe(true)
  })
})
