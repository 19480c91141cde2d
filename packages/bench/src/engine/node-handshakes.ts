// Handshakes of node:tls in memory: two TLSSockets over a pair of streams. A reference: the streams cost something too.

import { Duplex } from "node:stream"
import tls, { type ConnectionOptions, type TLSSocket, type TLSSocketOptions } from "node:tls"
import { type Identities, serverName } from "./identities.ts"
import { Absent } from "./subjects.ts"
import type { HandshakeWork } from "./work.ts"

/** In the words of OpenSSL. */
const groups: Readonly<Record<string, string>> = {
  x25519: "X25519",
  secp256r1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
}

/** @throws Absent for what node:tls, or the OpenSSL in it, does not have */
export async function nodeHandshakes(
  work: HandshakeWork,
  { ca, server, client }: Identities,
): Promise<() => Promise<void>> {
  if (work.kind === "0-rtt") throw new Absent("node:tls has no 0-RTT")
  const group = groups[work.group] ?? work.group
  const context = (own: { cert?: string; key?: string }, ecdhCurve: string) => {
    try {
      return tls.createSecureContext({ ...own, ca, ciphers: work.suite, ecdhCurve, minVersion: "TLSv1.3" })
    } catch (error) {
      throw new Absent(
        `OpenSSL ${process.versions.openssl} does not take ${group} with a key of ${work.signature}: ${(error as Error).message}`,
      )
    }
  }
  // The first group is the one that it has a share of.
  const offered = work.retry ? `${group === "P-384" ? "P-256" : "P-384"}:${group}` : group
  const serverOptions: TLSSocketOptions = {
    isServer: true,
    secureContext: context(server, group),
    requestCert: work.mutual,
    rejectUnauthorized: work.mutual,
  }
  const clientOptions: ConnectionOptions = {
    servername: serverName,
    secureContext: context(work.mutual ? client : {}, offered),
  }
  const make = (session?: Buffer): Promise<Buffer> =>
    handshake({ ...clientOptions, ...(session && { session }) }, serverOptions, work)
  if (work.kind === "full") return async () => void (await make())
  const session = await make()
  return async () => void (await make(session))
}

/** @returns the last ticket's session */
function handshake(
  clientOptions: ConnectionOptions,
  serverOptions: TLSSocketOptions,
  work: HandshakeWork,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const [near, far] = streamPair()
    const server = new tls.TLSSocket(far as never, serverOptions)
    const client: TLSSocket = tls.connect({ ...clientOptions, socket: near as never })
    const fail = (error: Error) => reject(new Error(`the handshake failed: ${error.message}`))
    client.on("error", fail)
    server.on("error", fail)
    // A full handshake is over with the second ticket; OpenSSL sends none after a resumed one.
    const resumes = clientOptions.session !== undefined
    const isOver = untilAll(resumes ? ["secureConnect", "secure"] : ["secureConnect", "secure", "session", "session"])
    let last: Buffer = Buffer.alloc(0)
    const happened = (event: string) => {
      if (!isOver(event)) return
      if (client.isSessionReused() !== resumes)
        reject(new Error(`resumed: ${client.isSessionReused()}, not ${resumes}`))
      const suite = client.getCipher().standardName
      if (suite !== work.suite) reject(new Error(`the suite is ${suite}, not ${work.suite}`))
      client.destroy()
      server.destroy()
      resolve(last)
    }
    client.on("secureConnect", () => happened("secureConnect"))
    server.on("secure", () => happened("secure"))
    client.on("session", (session: Buffer) => {
      last = session
      happened("session")
    })
  })
}

/** Tells when each of `events` has come, in whatever order. */
function untilAll(events: readonly string[]): (event: string) => boolean {
  const due = [...events]
  return (event) => {
    const at = due.indexOf(event)
    if (at >= 0) due.splice(at, 1)
    return due.length === 0
  }
}

function streamPair(): [Duplex, Duplex] {
  const end = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _, done) {
        process.nextTick(() => {
          other().push(chunk)
          done()
        })
      },
    })
  const near: Duplex = end(() => far)
  const far: Duplex = end(() => near)
  return [near, far]
}
