// Full handshakes of clients over a socket: node:tls, ours, and other TLS 1.3 clients in JavaScript, from npm under .peers/. All
// check the server's chain and name. They take the suite that the server has, and a group of their own: subtls has P-256 alone.

import { once } from "node:events"
import net, { type Socket } from "node:net"
import type { Duplex } from "node:stream"
import nodeTls from "node:tls"
import { pathToFileURL } from "node:url"
import { connect } from "@puremq/tls13/node"
import { installPeers } from "../npm-peers.ts"
import { Absent, providerOf, type SubjectName, subjectNames } from "./subjects.ts"
import type { ClientWork } from "./work.ts"

/** With exact versions; each in a folder of its own. */
export const otherClients = {
  subtls: { package: "subtls@0.5.0", file: "subtls/index.js" },
  reclaim: { package: "@reclaimprotocol/tls@0.1.2", file: "@reclaimprotocol/tls/lib/index.js" },
  "lemon-tls": { package: "lemon-tls@0.7.0", file: "lemon-tls/index.js" },
} as const
export type ClientName = keyof typeof otherClients

export function isClient(name: string): name is ClientName {
  return Object.hasOwn(otherClients, name)
}

/** What makes one handshake and is over when the client believes in the server. @throws Absent for what cannot be installed */
export async function clientHandshakes(
  subject: SubjectName | ClientName,
  work: ClientWork,
): Promise<() => Promise<void>> {
  switch (subject) {
    case "subtls":
      return subtls(await load(subject), work)
    case "reclaim":
      return reclaim(await load(subject), await load(subject, "@reclaimprotocol/tls/lib/crypto/webcrypto.js"), work)
    case "lemon-tls":
      return lemon(await load(subject), work)
    case "node":
      return () => secured(nodeTls.connect({ ...target(work), ecdhCurve: "X25519" }).setNoDelay(true))
  }
  if (!subjectNames.includes(subject)) throw new Absent(`there is no client ${subject}`)
  const provider = providerOf(subject)
  return () => secured(connect({ ...target(work), provider, ecdhCurve: "X25519" }))
}

function target({ port, ca }: ClientWork) {
  return { host: "127.0.0.1", port, ca, servername: "localhost" }
}

async function secured(socket: Duplex): Promise<void> {
  await once(socket, "secureConnect")
  socket.destroy()
}

/* ---------------------------------------------------------------- the others, as much of them as is called */

// biome-ignore lint/suspicious/noExplicitAny: packages that are not there when this is compiled
type Library = any

async function load(name: ClientName, file: string = otherClients[name].file): Promise<Library> {
  try {
    return await import(pathToFileURL(installPeers(`bench-clients/${name}`, [otherClients[name].package], file)).href)
  } catch (error) {
    throw new Absent((error as Error).message)
  }
}

function lemon(library: Library, work: ClientWork): () => Promise<void> {
  const { connect: connectLemon } = library.default ?? library
  return () => secured(connectLemon(target(work)))
}

async function tcp({ port }: ClientWork): Promise<Socket> {
  const socket = net.connect({ host: "127.0.0.1", port }).setNoDelay(true)
  await once(socket, "connect")
  return socket
}

async function subtls(library: Library, work: ClientWork): Promise<() => Promise<void>> {
  const { startTls, SocketReadQueue, TrustedCert } = library
  const roots = await TrustedCert.databaseFromPEM(work.ca)
  return async () => {
    const socket = await tcp(work)
    const queue = new SocketReadQueue(socket)
    const write = (data: Uint8Array) => void socket.write(data)
    const connection = await startTls("localhost", roots, queue.read.bind(queue), write)
    // Its Finished goes with the first data.
    await connection.write(Uint8Array.of(0))
    socket.destroy()
  }
}

const silent = { info() {}, debug() {}, trace() {}, warn() {}, error() {} }

function reclaim(library: Library, crypto: Library, work: ClientWork): () => Promise<void> {
  const { makeTLSClient, setCryptoImplementation, loadX509FromPem } = library
  setCryptoImplementation(crypto.webcryptoCrypto)
  const options = {
    host: "localhost",
    rootCAs: [loadX509FromPem(work.ca)],
    supportedProtocolVersions: ["TLS1_3"],
    cipherSuites: ["TLS_AES_128_GCM_SHA256"],
    namedCurves: ["X25519"],
    logger: silent,
  }
  return async () => {
    const socket = await tcp(work)
    await new Promise<void>((resolve, reject) => {
      const client = makeTLSClient({
        ...options,
        async write({ header, content }: { header: Uint8Array; content: Uint8Array }) {
          socket.write(Buffer.concat([header, content]))
        },
        onHandshake: resolve,
        onTlsEnd: reject,
      })
      socket.on("data", (data: Uint8Array) => client.handleReceivedBytes(data))
      client.startHandshake().catch(reject)
    })
    socket.destroy()
  }
}
