// With OpenSSL 3.5 or later, which has ML-KEM and ML-DSA: that of this Node, or of the Node 26 of `npm run interop`.

import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { connect, createSecureContext, createServer, type Server } from "../src/adapters/node/index.ts"
import { createFastProvider } from "../src/crypto/fast/index.ts"
import {
  createMLKEM512,
  createMLKEM768,
  createMLKEM1024,
  createSecP256r1MLKEM768,
  createSecP384r1MLKEM1024,
  createX25519MLKEM768,
  generateMlDsaKeyPair,
  mlDsaSignatures,
} from "../src/crypto/fast-pq/index.ts"
import { createDevelopmentCertificates, type DevelopmentCertificates } from "../src/devcert/index.ts"
import { mlDsaNames } from "./crypto/ml-dsa-keys.ts"

const peer = fileURLToPath(new URL("../interop/peers/node/peer.mjs", import.meta.url))
const node26 = fileURLToPath(new URL("../../../.peers/node_modules/node/bin/node", import.meta.url))
const node = [process.execPath, node26].find((path) => existsSync(path) && isNew(path))

function isNew(path: string): boolean {
  const { stdout } = spawnSync(path, ["-p", "process.versions.openssl"], { encoding: "utf8" })
  const [major = 0, minor = 0] = stdout.split(".").map(Number)
  return major > 3 || (major === 3 && minor >= 5)
}

const fast = createFastProvider()
const added = [
  ...[createX25519MLKEM768(), createSecP256r1MLKEM768(), createSecP384r1MLKEM1024()],
  ...[createMLKEM512(), createMLKEM768(), createMLKEM1024()],
]
const provider = {
  ...fast,
  keyExchanges: [...added, ...fast.keyExchanges],
  signatures: [...fast.signatures, ...mlDsaSignatures],
}

describe.skipIf(node === undefined)("OpenSSL 3.5", () => {
  let folder = ""
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "puremq-"))
  })
  const children: ChildProcess[] = []
  const servers: Server[] = []
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill()
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const made = new Map<string, DevelopmentCertificates>()
  /** PEM texts, and the folder of their files. */
  const certificates = (kind: "p256" | (typeof mlDsaNames)[number]) => {
    const pem =
      made.get(kind) ??
      createDevelopmentCertificates({
        names: ["localhost"],
        clientName: "device",
        now: Date.now(),
        provider,
        ...(kind !== "p256" && { keyPair: () => generateMlDsaKeyPair(kind, provider.random) }),
      })
    made.set(kind, pem)
    for (const [name, text] of Object.entries(pem)) writeFileSync(join(folder, `${name}.pem`), text)
    return pem
  }
  const file = (name: string) => join(folder, `${name}.pem`)
  const started = (...args: string[]) => {
    const child = spawn(node!, [peer, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    children.push(child)
    let text = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        text += data.toString()
      })
    }
    return { child, text: () => text }
  }

  /** It connects to us. */
  async function theirs(kind: Parameters<typeof certificates>[0], group: string) {
    const pem = certificates(kind)
    const secureContext = createSecureContext({ cert: pem.serverCert, key: pem.serverKey, ca: pem.caCert, provider })
    const server = createServer({ secureContext, ecdhCurve: [group], requestCert: true }, (socket) =>
      socket.pipe(socket),
    )
    servers.push(server)
    const info = once(server, "secureConnection").then(([socket]) => socket.info)
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as { port: number }
    const own = ["--cert", file("clientCert"), "--key", file("clientKey"), "--ca", file("caCert")]
    // Once it has its echo. It then waits for a ticket, and node:tls keeps none of more than 10 KiB, as those with a chain of
    // ML-DSA are.
    const { text } = started("client", "--port", `${port}`, "--groups", group, ...own)
    await expect.poll(text, { timeout: 10_000 }).toMatch(/^TLSv1\.3 /)
    return info
  }

  /** We connect to it. */
  async function ours(kind: Parameters<typeof certificates>[0], group: string) {
    const pem = certificates(kind)
    const own = ["--cert", file("serverCert"), "--key", file("serverKey"), "--ca", file("caCert")]
    const { text } = started("server", "--groups", group, ...own)
    await expect.poll(text, { timeout: 5000 }).toMatch(/listening on/)
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(text())?.[1])
    const secureContext = createSecureContext({ cert: pem.clientCert, key: pem.clientKey, ca: pem.caCert, provider })
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", secureContext, ecdhCurve: [group] })
    await once(socket, "secureConnect")
    socket.write("hello")
    const [echo] = await once(socket, "data")
    expect(String(echo)).toBe("hello")
    socket.destroy()
    return socket.info
  }

  it.each(mlDsaNames)("certificates of %s, of both sides, both ways", async (kind) => {
    const agreed = { group: "X25519MLKEM768", peerSignatureScheme: kind.replaceAll("-", "") }
    expect(await theirs(kind, "X25519MLKEM768")).toMatchObject(agreed)
    expect(await ours(kind, "X25519MLKEM768")).toMatchObject(agreed)
  })

  it.each(added.map(({ name }) => name))("%s, both ways", async (group) => {
    expect(await theirs("p256", group)).toMatchObject({ group })
    expect(await ours("p256", group)).toMatchObject({ group })
  })
})
