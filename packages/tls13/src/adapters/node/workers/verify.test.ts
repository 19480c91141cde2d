import { once } from "node:events"
import type { AddressInfo } from "node:net"
import tls from "node:tls"
import { afterEach, describe, expect, it, vi } from "vitest"
import { builtAdapter } from "../../../../tests/tools/built-adapter.ts"
import { patience } from "../../../../tests/tools/patience.ts"
import type { CryptoProvider } from "../../../crypto/provider.ts"
import { certificateToPem, chainToPem, createAuthority, createLeaf, privateKeyToPem } from "../../../devcert/index.ts"
import type { CertificateVerifier } from "../../../x509/interfaces.ts"
import type { HandshakeReport, TlsServerOptions } from "../index.ts"

// Clients with certificates, whose signatures a thread checks.

const built = await builtAdapter()
const { connect, createSecureContext, createServer }: typeof import("../index.ts") = await import(`${built}index.js`)
const { HandshakeWorkers }: typeof import("./pool.ts") = await import(`${built}workers/pool.js`)
const { keySigner, loadCredential, singleCredential }: typeof import("../../../x509/index.ts") = await import(
  `${new URL("../../x509/index.js", built)}`
)

const now = Date.now()
const root = createAuthority({ now })
const intermediate = createAuthority({ now, issuer: root })
const serverLeaf = createLeaf({ now, issuer: root, usage: "server", names: ["localhost"] })
const own = { cert: chainToPem(serverLeaf), key: privateKeyToPem(serverLeaf.privateKey), ca: certificateToPem(root) }
const client = (options: Partial<Parameters<typeof createLeaf>[0]> = {}) =>
  createLeaf({ now, issuer: intermediate, usage: "client", names: ["device.test"], ...options })
type Client = ReturnType<typeof client>

afterEach(() => {
  vi.restoreAllMocks()
})

/** The jobs that threads have had. */
function watchJobs(): () => readonly string[] {
  const give = vi.spyOn(HandshakeWorkers.prototype, "give")
  return () => give.mock.calls.map(([job]) => (job.kind === "verify" ? `verify ${job.checks.length}` : job.kind))
}

/** How often the public-key operations of a provider were called in this thread. */
function watchProvider({ signatures, keyExchanges }: CryptoProvider): () => number {
  const spies = [
    ...signatures.flatMap((algorithm) => [vi.spyOn(algorithm, "verify"), vi.spyOn(algorithm, "sign")]),
    ...keyExchanges.flatMap((group) => [vi.spyOn(group, "respond"), vi.spyOn(group, "start")]),
  ]
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
}

async function serving<Result>(
  options: TlsServerOptions,
  run: (port: number, reports: HandshakeReport[]) => Promise<Result>,
): Promise<Result> {
  const server = createServer({ ...own, requestCert: true, ...options }, (socket) =>
    socket.on("error", () => undefined).resume(),
  )
  const reports: HandshakeReport[] = []
  server.on("handshake", (report) => reports.push(report))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    return await run((server.address() as AddressInfo).port, reports)
  } finally {
    server.close()
    await once(server, "close")
  }
}

/** By node:tls: the session that it got, or the alert. */
async function visit(port: number, { cert, key, session }: { cert?: string; key?: string; session?: Buffer }) {
  const socket = tls.connect({
    ...{ port, host: "127.0.0.1", servername: "localhost", ca: own.ca },
    ...{ cert, key, session },
  })
  try {
    const [ticket] = (await once(socket, "session")) as [Buffer]
    return { ticket, reused: socket.isSessionReused() }
  } catch (error) {
    return { alert: (error as { code?: string }).code }
  } finally {
    socket.destroy()
  }
}

const shown = (identity: Client, sent = identity.chain) => ({
  cert: sent.map((certificate) => certificateToPem({ ...identity, certificate })).join(""),
  key: privateKeyToPem(identity.privateKey),
})

describe("a server with workers and clients with certificates", () => {
  it("checks nothing in its own thread, in a storm of full and resumed handshakes", { timeout: 60_000 }, async () => {
    const secureContext = createSecureContext(own)
    const calls = watchProvider(secureContext.provider)
    const jobs = watchJobs()
    await serving({ secureContext, workers: 2 }, async (port, reports) => {
      const device = shown(client())
      const many = await Promise.all(Array.from({ length: 40 }, () => visit(port, device)))
      const again = await Promise.all(many.map(({ ticket }) => visit(port, { ...device, session: ticket! })))
      expect(again.map(({ reused }) => reused)).toEqual(many.map(() => true))
      await vi.waitFor(() => expect(reports.map(({ ok }) => ok)).toEqual(Array(80).fill(true)), patience)
      expect(reports[0]!.clientIdentity).toBe("CN=device.test")
    })
    expect(calls()).toBe(0)
    // One for the key exchange and the signature, one for the client's signature and its path of two.
    const full = jobs().slice(0, 80)
    expect(full.filter((kind) => kind === "verify 3")).toHaveLength(40)
    expect(full.filter((kind) => kind === "respond and sign")).toHaveLength(40)
  })

  const stranger = createAuthority({ now })
  const namesake = createAuthority({ now, issuer: stranger, subject: intermediate.subject })
  const otherRoot = createAuthority({ now, subject: { commonName: "somebody else" } })
  const rows: readonly (readonly [what: string, shown: { cert?: string; key?: string }, options?: TlsServerOptions])[] =
    [
      ["none", {}],
      ["one of nobody whom the server knows", shown(client({ issuer: otherRoot }))],
      ["one that has expired", shown(client({ notBefore: now - 2000_000, notAfter: now - 1000_000 }))],
      ["one for servers", shown(client({ usage: "server" }))],
      ["one signed by a namesake of the intermediate", shown(client({ issuer: namesake }))],
      [
        "one whose intermediate a namesake of the root signed",
        shown(client({ issuer: createAuthority({ now, issuer: stranger }) })),
      ],
      [
        "one without its intermediate",
        (() => {
          const leaf = client()
          return shown(leaf, [leaf.certificate])
        })(),
      ],
      ["one that is no pinned one", shown(client()), { pins: `sha256/${"A".repeat(43)}=` }],
      ["one of which no list says anything", shown(client()), { revocation: "require" }],
      ["a good one", shown(client())],
      [
        "a good one, with more certificates than it needs",
        (() => {
          const leaf = client()
          return shown(leaf, [leaf.certificate, namesake.certificate, otherRoot.certificate, intermediate.certificate])
        })(),
      ],
      [
        "a good one of P-384 below RSA",
        shown(client({ keyType: "p384", issuer: createAuthority({ now, issuer: root, keyType: "rsa" }) })),
      ],
    ]

  const cases = rows.map(([what, device, options]) => ({ what, device, options }))
  it.each(cases)("$what: says the same as one without", { timeout: 30_000 }, async ({ what, device, options }) => {
    const outcomes = await Promise.all(
      [0, 1].map((workers) =>
        serving({ ...options, workers }, async (port, reports) => {
          const { alert } = await visit(port, device)
          await vi.waitFor(() => expect(reports).toHaveLength(1), patience)
          const { ok, error, clientIdentity, authorized } = reports[0]!
          // The time is in the message.
          const message = error?.message.replace(/\d\d:\d\d:\d\d UTC now/, "now")
          return { alert, ok, clientIdentity, authorized, error: error && { ...error, message } }
        }),
      ),
    )
    expect(outcomes[1]).toEqual(outcomes[0])
    expect(outcomes[0]!.ok).toBe(what.startsWith("a good one"))
  })

  it.each([0, 1])(
    "RFC 9846 4.5.2: a client without the key is a decrypt_error, and its path is not looked at; %s workers",
    async (workers) => {
      const jobs = watchJobs()
      const verify = vi.fn<CertificateVerifier["verify"]>()
      const leaf = client()
      const credential = loadCredential({ cert: shown(leaf).cert, key: shown(leaf).key })
      const forged = { ...credential, signer: keySigner(client().privateKey) }
      for (const verifier of [undefined, { verify }]) {
        await serving({ workers, ...(verifier && { verifier }) }, async (port, reports) => {
          const socket = connect({
            port,
            host: "127.0.0.1",
            servername: "localhost",
            ca: own.ca,
            credentials: singleCredential(forged),
          })
          socket.on("error", () => undefined).resume()
          await vi.waitFor(() => expect(reports).toHaveLength(1), patience)
          socket.destroy()
          expect(reports[0]!.error).toMatchObject({
            alert: "decrypt_error",
            message: "client's CertificateVerify has a wrong signature",
          })
        })
      }
      expect(verify).not.toHaveBeenCalled()
      if (workers > 0) expect(jobs()).toEqual(["respond and sign", "verify 3", "respond and sign", "verify 1"])
    },
  )

  it("asks an application's own verifier once, here, and has its signature checked by a thread", async () => {
    const jobs = watchJobs()
    const verify = vi.fn<CertificateVerifier["verify"]>(() => ({
      accepted: false,
      alert: "access_denied",
      reason: "own",
      message: "no",
    }))
    await serving({ workers: 1, verifier: { verify } }, async (port, reports) => {
      await visit(port, shown(client()))
      await vi.waitFor(() => expect(reports[0]?.error).toMatchObject({ alert: "access_denied" }), patience)
    })
    expect(verify).toHaveBeenCalledTimes(1)
    expect(jobs()).toEqual(["respond and sign", "verify 1"])
  })

  it("whose thread ends while it checks fails that handshake with internal_error, and goes on", {
    timeout: 30_000,
  }, async () => {
    const give = HandshakeWorkers.prototype.give
    let ended = false
    vi.spyOn(HandshakeWorkers.prototype, "give").mockImplementation(function (
      this: InstanceType<typeof HandshakeWorkers>,
      job,
    ) {
      const answer = give.call(this, job)
      if (job.kind === "verify" && !ended) {
        ended = true
        this.close()
      }
      return answer
    })
    await serving({ workers: 1 }, async (port, reports) => {
      const device = shown(client())
      await visit(port, device)
      await vi.waitFor(() => expect(reports).toHaveLength(1), patience)
      expect(reports[0]).toMatchObject({
        ok: false,
        error: { message: expect.stringContaining("a handshake worker has ended") },
      })
      // There is no thread now: this one does the work.
      expect(await visit(port, device)).toHaveProperty("ticket")
    })
    expect(ended).toBe(true)
  })

  it("lets a client pass whose certificate is not enforced, and says what is wrong with it", async () => {
    const outcomes = await Promise.all(
      [0, 1].map((workers) =>
        serving({ workers, rejectUnauthorized: false }, async (port, reports) => {
          const device = shown(client({ issuer: otherRoot }))
          const { ticket } = await visit(port, device)
          await visit(port, { ...device, session: ticket! })
          await vi.waitFor(() => expect(reports).toHaveLength(2), patience)
          return reports.map(({ ok, resumed, authorizationProblem }) => ({ ok, resumed, authorizationProblem }))
        }),
      ),
    )
    expect(outcomes[1]).toEqual(outcomes[0])
    expect(outcomes[0]![0]!.authorizationProblem).toBeDefined()
  })
})
