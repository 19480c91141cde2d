// Certificates, keys and other files of a run, in a folder of its own that goes with it.

import { execFileSync } from "node:child_process"
import { createPrivateKey, createPublicKey } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { echKeyToPem, generateEchKey } from "@puremq/tls13/ech"

/** Of the repository; the bundle is one folder deeper than its source. */
const root = fileURLToPath(new URL("../../../../", import.meta.url))

export function inRoot(...path: readonly string[]): string {
  return join(root, ...path)
}

/** Where peers that are not Debian's packages are installed and built; git ignores it. */
export function inPeers(...path: readonly string[]): string {
  return inRoot(".peers", ...path)
}

/** Sources of the peers' programs. */
export function peerSource(...path: readonly string[]): string {
  return inRoot("packages/tls13/interop/peers", ...path)
}

const folder = mkdtempSync(join(tmpdir(), "tls13-interop-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))

export function inFolder(name: string): string {
  return join(folder, name)
}

/** Another one each time. */
export function newFolder(name: string): string {
  return mkdtempSync(inFolder(`${name}-`))
}

export function writeFile(name: string, content: string | Uint8Array): string {
  const path = inFolder(name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

/** What everybody sees instead of a name that is hidden. */
const publicName = "public.test"
const echKeyFile = () => echKeyToPem(generateEchKey({ provider: createNobleProvider(), publicName }))

const pem = createDevelopmentCertificates({
  names: ["localhost", "127.0.0.1", publicName],
  clientName: "device-1",
  now: Date.now(),
})

/** Who the client's certificate says it is. */
export const clientName = "device-1"

/** PEM files. */
export const files = {
  ca: writeFile("ca.pem", pem.caCert),
  cert: writeFile("server.pem", pem.serverCert),
  key: writeFile("server-key.pem", pem.serverKey),
  clientCert: writeFile("client.pem", pem.clientCert!),
  clientKey: writeFile("client-key.pem", pem.clientKey!),
  serverPublicKey: writeFile("server-public.pem", publicKeyOf(pem.serverKey)),
  echKey: writeFile("ech.pem", echKeyFile()),
  /** Another one, which no server here has. */
  otherEchKey: writeFile("ech-other.pem", echKeyFile()),
  clientPublicKey: writeFile("client-public.pem", publicKeyOf(pem.clientKey!)),
} as const

function publicKeyOf(privateKey: string): string {
  return createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "pem" }).toString()
}

/** An external pre-shared key: identity and key in hexadecimal. */
export const psk = {
  identity: "puremq",
  hex: "9f1c4e8a7b2d3c5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6",
} as const

/** Lines of text, about `length` bytes, which no interactive tool takes for a command. */
export function textOf(length: number): string {
  const line = (n: number) => `${String(n).padStart(7, "0")} ${"the quick brown fox jumps over ".repeat(3)}\n`
  let text = ""
  for (let n = 0; text.length < length; n++) text += line(n)
  return text
}

/** A port of 127.0.0.1 that was free a moment ago, for servers that cannot choose one themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => (typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port"))))
    })
  })
}

/** What a program prints, or undefined when it is not there. */
export function outputOf(program: string, ...args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 20_000 }).trim()
  } catch {
    return undefined
  }
}
