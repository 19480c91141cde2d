// Handshakes a second, as a server sees them: the client is OpenSSL through node:tls for all of them.

import { once } from "node:events"
import nodeTls from "node:tls"
import { type Pems, type Stack, stackNames, stacks } from "./contestants.ts"
import { type Comparison, compare } from "./measure.ts"
import { type Peer, startPeer } from "./peers.ts"

/** Milliseconds of one measurement, and connections that are made at once. */
const slice = 700
const atOnce = 4

export async function compareHandshakes(pems: Pems, rounds: number): Promise<Comparison[]> {
  const peers = new Map<Stack, Peer>()
  for (const stack of stacks) peers.set(stack, await startPeer({ kind: "sink", stack, pems }))
  const contestants = (resumed: boolean) =>
    [...peers].map(([stack, { port }]) => ({ name: stackNames[stack], measure: () => rate(port, pems, resumed) }))
  const full = await compare(
    "Full handshakes (P-256 certificate, OpenSSL client)",
    "handshakes/s",
    rounds,
    contestants(false),
  )
  const resumed = await compare(
    "Resumed handshakes (psk_dhe_ke, OpenSSL client)",
    "handshakes/s",
    rounds,
    contestants(true),
  )
  for (const peer of peers.values()) peer.stop()
  return [full, resumed]
}

async function rate(port: number, pems: Pems, resumed: boolean): Promise<number> {
  // One ticket for all: a stateless server takes it as often as it comes.
  const session = resumed ? await ticket(port, pems) : undefined
  const until = performance.now() + slice
  let done = 0
  const worker = async () => {
    for (; performance.now() < until; done++) await handshake(port, pems, session)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: atOnce }, worker))
  return (done * 1000) / (performance.now() - start)
}

function startClient(port: number, pems: Pems, session?: Buffer): nodeTls.TLSSocket {
  const client = { port, host: "127.0.0.1", ca: pems.ca, servername: "localhost", ...(session && { session }) }
  return nodeTls.connect(client)
}

async function ticket(port: number, pems: Pems): Promise<Buffer> {
  const socket = startClient(port, pems)
  const [session] = (await once(socket, "session")) as [Buffer]
  socket.destroy()
  return session
}

async function handshake(port: number, pems: Pems, session: Buffer | undefined): Promise<void> {
  const socket = startClient(port, pems, session)
  await once(socket, "secureConnect")
  if (session !== undefined && !socket.isSessionReused()) throw new Error("the session was not resumed")
  socket.destroy()
}
