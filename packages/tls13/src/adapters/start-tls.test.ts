import { describe, expect, it } from "vitest"
import { createClientConfig, createServerConfig } from "../connection/config.ts"
import { createFastProvider } from "../crypto/fast/index.ts"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import { loadCredential, sniResolver } from "../x509/certificate/credential.ts"
import { trustStoreFromPem } from "../x509/path/trust.ts"
import { createCertificateVerifier } from "../x509/path/verifier.ts"
import { type StartTlsSocket, startTlsOver } from "./start-tls.ts"
import { createAcceptor } from "./stream-acceptor.ts"
import { acceptOverStreams, type ByteStreams, connectOverStreams } from "./streams.ts"

const provider = createFastProvider()
const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const credentials = sniResolver([loadCredential({ cert: pem.serverCert, key: pem.serverKey, provider })])
const verifier = createCertificateVerifier({ trust: trustStoreFromPem(pem.caCert) })
const clientConfig = createClientConfig({ provider, serverName: "localhost", verifier })
const serverConfig = createServerConfig({ provider, credentials })

function cable(): [ByteStreams, ByteStreams] {
  const [there, back] = [new TransformStream<Uint8Array>(), new TransformStream<Uint8Array>()]
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ]
}

async function write({ writable }: ByteStreams, text: string): Promise<void> {
  const writer = writable.getWriter()
  await writer.write(Buffer.from(text))
  writer.releaseLock()
}

async function read({ readable }: ByteStreams): Promise<string> {
  const reader = readable.getReader()
  const { value } = await reader.read()
  reader.releaseLock()
  return Buffer.from(value ?? []).toString()
}

function client(streams: ByteStreams): StartTlsSocket {
  return startTlsOver(streams, (below) => connectOverStreams(below, clientConfig))
}

describe("a connection that turns to TLS", () => {
  it("speaks in the clear, then over TLS, on the same streams", async () => {
    const [near, far] = cable()
    const plain = client(near)
    const server = startTlsOver(far, (below) => acceptOverStreams(below, serverConfig))
    expect([plain.secureTransport, plain.upgraded]).toEqual(["starttls", false])
    const asked = write(plain, "STARTTLS")
    expect(await read(server)).toBe("STARTTLS")
    const agreed = write(server, "go ahead")
    expect(await read(plain)).toBe("go ahead")
    await Promise.all([asked, agreed])
    const [a, b] = [plain.startTls(), server.startTls()]
    expect(plain.upgraded).toBe(true)
    await Promise.all([a.opened, b.opened])
    void write(a, "secret")
    expect(await read(b)).toBe("secret")
    await Promise.all([a.close(), b.closed])
  })

  it("startTls says what is in its way", async () => {
    const [near] = cable()
    const plain = client(near)
    const reader = plain.readable.getReader()
    expect(() => plain.startTls()).toThrow(/release the locks/)
    expect(plain.upgraded).toBe(false)
    reader.releaseLock()
    const tls = plain.startTls()
    tls.closed.catch(() => undefined)
    expect(() => plain.startTls()).toThrow(/called before/)
    await expect(plain.close()).rejects.toThrow(/TLS by now/)
  })

  it("what somebody puts behind the consent in the clear does not become data of the TLS connection", async () => {
    const [near, far] = cable()
    const plain = client(near)
    void write(far, "go ahead").then(() => write(far, "injected"))
    expect(await read(plain)).toBe("go ahead")
    const tls = plain.startTls()
    await expect(tls.opened).rejects.toMatchObject({ kind: "PeerMisbehaved", alert: "unexpected_message" })
  })

  it("close ends both halves of one that stays plain", async () => {
    const [near, far] = cable()
    const plain = client(near)
    await plain.close()
    const reader = far.readable.getReader()
    expect(await reader.read()).toEqual({ done: true, value: undefined })
  })
})

describe("an acceptor", () => {
  const options = { cert: pem.serverCert, key: pem.serverKey }

  it("makes the server's end of streams, with limits for all", async () => {
    const acceptor = createAcceptor({ ...options, handshakes: { maxPendingHandshakes: 1, maxWaitingHandshakes: 1 } })
    const [[near, far], [waitingNear, waitingFar], [, refused]] = [cable(), cable(), cable()]
    const first = acceptor.accept(far)
    const second = acceptor.accept(waitingFar)
    await expect(acceptor.accept(refused)).rejects.toMatchObject({ kind: "Closed" })
    expect(acceptor.handshakes).toEqual({ pending: 1, waiting: 1, refused: 1 })
    const one = connectOverStreams(near, clientConfig)
    await Promise.all([(await first).opened, one.opened])
    const other = connectOverStreams(waitingNear, clientConfig)
    await Promise.all([(await second).opened, other.opened])
    void write(other, "hello")
    expect(await read(await second)).toBe("hello")
    expect(acceptor.handshakes).toEqual({ pending: 0, waiting: 0, refused: 1 })
  })

  it("streams that are locked are refused, and take nobody's place", async () => {
    const acceptor = createAcceptor({ ...options, handshakes: { maxPendingHandshakes: 1, maxWaitingHandshakes: 0 } })
    const [, far] = cable()
    far.readable.getReader()
    await expect(acceptor.accept(far)).rejects.toThrow(/lock/)
    expect(acceptor.handshakes.pending).toBe(0)
  })
})
