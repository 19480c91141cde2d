import { once } from "node:events"
import type { AddressInfo } from "node:net"
import tls from "node:tls"
import { afterEach, describe, expect, it, vi } from "vitest"
import { builtAdapter } from "../../../../tests/tools/built-adapter.ts"
import { createDevelopmentCertificates } from "../../../devcert/index.ts"
import type { Credential } from "../../../x509/interfaces.ts"
import type { TlsServerOptions } from "../index.ts"

const built = await builtAdapter()
const { createServer }: typeof import("../index.ts") = await import(`${built}index.js`)
const { HandshakeWorkers }: typeof import("./pool.ts") = await import(`${built}workers/pool.js`)
const { offloadedCredentials, offloadedProvider }: typeof import("./offload.ts") = await import(
  `${built}workers/offload.js`
)
const { createFastProvider }: typeof import("../../../crypto/fast/index.ts") = await import(
  `${new URL("../../crypto/fast/index.js", built)}`
)
const {
  keySigner,
  Pause,
}: Pick<typeof import("../../../x509/index.ts"), "keySigner"> & Pick<typeof import("../../../index.ts"), "Pause"> = {
  ...(await import(`${new URL("../../x509/index.js", built)}`)),
  ...(await import(`${new URL("../../index.js", built)}`)),
}

const provider = createFastProvider()
const x25519 = provider.keyExchanges[0]!
const signature = provider.signatures.find(({ name }) => name === "ecdsa_sha256")!

let workers: InstanceType<typeof HandshakeWorkers>
afterEach(() => workers?.close())

/** What it comes to, however it is answered. */
async function settled<Answer>(answer: Answer | InstanceType<typeof Pause<Answer>>): Promise<Answer> {
  return answer instanceof Pause ? answer.work! : answer
}

describe("a server with workers", () => {
  it.each(["p256", "ed25519", "rsa"] as const)("takes full and resumed handshakes with a key %s", async (keyType) => {
    const now = Date.now()
    const made = createDevelopmentCertificates({ keyType, names: ["localhost"], now })
    const reports: string[] = []
    const server = createServer({ cert: made.serverCert, key: made.serverKey, workers: 2 }, (socket) => socket.resume())
    server.on("handshake", ({ ok, error }) => reports.push(ok ? "good" : String(error?.message)))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    let session: Buffer | undefined
    const handshake = async (): Promise<boolean> => {
      const client = tls.connect({ port, host: "127.0.0.1", servername: "localhost", ca: made.caCert, session })
      const [ticket] = (await once(client, "session")) as [Buffer]
      session = ticket
      const reused = client.isSessionReused()
      client.end()
      await once(client, "close")
      return reused
    }
    expect([await handshake(), await handshake()]).toEqual([false, true])
    session = undefined
    // Many of them leave with one message, with one key.
    expect(await Promise.all(Array.from({ length: 20 }, handshake))).toEqual(Array.from({ length: 20 }, () => false))
    expect(reports).toEqual(Array.from({ length: 22 }, () => "good"))
    server.close()
    await once(server, "close")
  })

  it("goes to a thread once for a handshake, for the key share and the signature", async () => {
    const give = vi.spyOn(HandshakeWorkers.prototype, "give")
    const made = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
    const server = createServer({ cert: made.serverCert, key: made.serverKey, workers: 1 }, (socket) => socket.resume())
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    for (const ecdhCurve of ["X25519", "P-256"]) {
      const client = tls.connect({ port, host: "127.0.0.1", servername: "localhost", ca: made.caCert, ecdhCurve })
      await once(client, "secureConnect")
      client.end().resume()
      await once(client, "close")
    }
    expect(give.mock.calls.map(([{ kind }]) => kind)).toEqual(["respond and sign", "respond and sign"])
    give.mockRestore()
    server.close()
    await once(server, "close")
  })

  const own = { ...provider }
  it.each<[string, TlsServerOptions]>([
    ["`workers` is a whole number from 0 to 64, not 65", { workers: 65 }],
    ["`workers` is a whole number from 0 to 64, not -1", { workers: -1 }],
    ["`workers` is a whole number from 0 to 64, not 1.5", { workers: 1.5 }],
    ["they cannot have one of your own", { workers: 1, provider: own }],
    ["leave `core.random` out", { workers: 1, core: { random: (length) => new Uint8Array(length) } }],
  ])("refuses: %s", (message, options) => {
    const made = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
    expect(() => createServer({ cert: made.serverCert, key: made.serverKey, ...options })).toThrow(message)
  })
})

describe("a worker", () => {
  it("answers a key share and signs, not this thread", async () => {
    workers = new HandshakeWorkers(1, "fast")
    const never = () => {
      throw new Error("in this thread")
    }
    const group = { ...x25519, respond: never }
    const off = offloadedProvider({ ...provider, keyExchanges: [group] }, workers)
    const started = x25519.start(provider.random)
    const { share, secret } = await settled(off.keyExchanges[0]!.respond(started.share, provider.random))
    expect(started.complete(share)).toEqual(secret)

    const privateKey = { type: "ec", curve: "P-256", secret: new Uint8Array(32).fill(7) } as const
    const credential = { signer: Object.assign(keySigner(privateKey), { sign: never }) } as never
    const { signer } = offloadedCredentials({ resolve: () => credential }, workers).resolve({} as never) as Credential
    const scheme = { algorithm: "ecdsa_sha256" } as never
    const message = new Uint8Array(100).fill(1)
    const bytes = await settled(signer.sign(scheme, message, provider))
    const { publicKeyOf }: typeof import("../../../crypto/noble/index.ts") = await import(
      `${new URL("../../crypto/noble/index.js", built)}`
    )
    expect(signature.verify(publicKeyOf(privateKey), message, bytes)).toBe(true)
    expect(privateKey.secret).toEqual(new Uint8Array(32).fill(7))
  })

  it("has no part in a signer of the application's, whatever that has of that name", async () => {
    workers = new HandshakeWorkers(1, "fast")
    const own = { privateKey: () => "a handle", sign: () => new Uint8Array(1) }
    const credential = { signer: own } as never
    expect(offloadedCredentials({ resolve: () => credential }, workers).resolve({} as never)).toBe(credential)
  })

  it("rejects what cannot be sent to it, and what leaves with that", async () => {
    workers = new HandshakeWorkers(1, "fast")
    const share = x25519.start(provider.random).share
    const jobs = [share, (() => undefined) as never].map((each) =>
      workers.give({ kind: "respond", group: x25519.code, share: each }),
    )
    for (const job of jobs) await expect(job).rejects.toThrow(/could not be cloned/)
    expect(await workers.give({ kind: "respond", group: x25519.code, share })).toHaveProperty("secret")
  })

  it("RFC 9846 7.4.2: tells a share that gives an all-zero secret as the peer's fault", async () => {
    workers = new HandshakeWorkers(1, "fast")
    const job = workers.give({ kind: "respond", group: x25519.code, share: new Uint8Array(32) })
    await expect(job).rejects.toMatchObject({ name: "InvalidKeyShare" })
  })

  it("that ends by itself fails what it has, and there is another after a second", async () => {
    workers = new HandshakeWorkers(1, "nobody's" as never)
    const job = workers.give({ kind: "respond", group: x25519.code, share: new Uint8Array(32) })
    await expect(job).rejects.toThrow(/^a handshake worker has ended: /)
    expect([workers.size, workers.give({ kind: "respond", group: 1, share: new Uint8Array(32) })]).toEqual([
      0,
      undefined,
    ])
    await vi.waitFor(() => expect(workers.size).toBe(1), { timeout: 5000, interval: 10 })
  })

  it("that is closed takes nothing more: this thread does the work", async () => {
    workers = new HandshakeWorkers(1, "fast")
    const off = offloadedProvider(provider, workers).keyExchanges[0]!
    const started = x25519.start(provider.random)
    await settled(off.respond(started.share, provider.random))
    const pending = Array.from({ length: 3 }, () => settled(off.respond(started.share, provider.random)))
    // No group of ours: what the thread makes of it ends nothing.
    await expect(workers.give({ kind: "respond", group: 1, share: started.share })).rejects.toThrow(/undefined/)
    await Promise.all(pending)
    workers.close()
    expect(workers.size).toBe(0)
    workers.open()
    expect(workers.size).toBe(1)
    await settled(off.respond(started.share, provider.random))
    workers.close()
    const answer = off.respond(started.share, provider.random)
    expect(answer).not.toBeInstanceOf(Pause)
    expect(started.complete((answer as { share: Uint8Array }).share)).toHaveLength(32)
  })
})
