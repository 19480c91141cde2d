// What a reader of our pages has: a folder in which `npm start` runs, with the files that it made there and a few more.

import { type ChildProcess, spawn } from "node:child_process"
import { randomInt } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createRevocationList } from "../../packages/tls13/src/devcert/index.ts"
import { attributeValues, parseCertificate, parsePem, parsePrivateKey } from "../../packages/tls13/src/x509/index.ts"
import { type Issued, makeOcsp } from "../../packages/tls13/tests/x509/pki.ts"
import type { Place } from "./shell.ts"

export interface World extends Place {
  close(): Promise<void>
}

const day = 86_400_000

export async function createWorld(root: string): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "puremq-snippets-"))
  const brokerPort = await freePort()
  const args = [join(root, "packages/broker/bin/puremq.js"), "start", "--tls", `${brokerPort}`, "--store", "memory"]
  const broker = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
  await listening(broker)
  addFiles(folder, Date.now())
  return {
    root,
    folder,
    brokerPort,
    async close() {
      const closed = new Promise((resolve) => broker.once("close", resolve))
      broker.kill()
      await closed
      rmSync(folder, { recursive: true })
    },
  }
}

function listening(broker: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ""
    for (const stream of [broker.stdout!, broker.stderr!]) {
      stream.on("data", (chunk) => {
        said += chunk
        if (/ listening /.test(said)) resolve()
      })
    }
    broker.once("close", () => reject(new Error(`puremq start has ended: ${said}`)))
  })
}

/** What some pages read and `npm start` does not make: each names it. */
function addFiles(folder: string, now: number): void {
  const authority = issued(folder, "ca")
  const { privateKey, publicKey, certificate } = authority
  const [organization, commonName] = ["2.5.4.10", "2.5.4.3"].map(
    (type) => attributeValues(certificate.subject, type)[0],
  )
  const subject = { ...(organization && { organization }), ...(commonName && { commonName }) }
  const issuer = { privateKey, publicKey, subject, certificate: authority.der, chain: [] }
  writeFileSync(join(folder, "crl.pem"), createRevocationList({ issuer, revoked: [], now }))
  const staple = makeOcsp(issued(folder, "server"), authority, { thisUpdate: now - day, nextUpdate: now + day })
  writeFileSync(join(folder, "ocsp.der"), staple)
}

function issued(folder: string, name: string): Issued {
  const pem = (file: string) => readFileSync(join(folder, ".puremq", file), "utf8")
  const der = parsePem(pem(`${name}.pem`))[0]!.der
  const certificate = parseCertificate(der)
  const { privateKey } = parsePrivateKey(pem(`${name}-key.pem`))
  return { der, certificate, privateKey, publicKey: certificate.publicKey!, subject: certificate.subject.der }
}

/** A port that nothing listens on now, below those that systems give to connections: none of them takes it meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_240, 32_768)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false))
      server.listen(port, "127.0.0.1", () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
