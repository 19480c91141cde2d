// Connections made as fast as they go through, by OpenSSL: what keeps a server busy, in a process of its own. Each is brought
// to its end: destroyed at `secureConnect`, a client of Node never sends its Finished, and the server counts a failure.

import { once } from "node:events"
import nodeTls, { type ConnectionOptions, type TLSSocket } from "node:tls"
import { connectPacket } from "./mqtt.ts"
import type { Loaded, LoadTask } from "./peers.ts"

/** What makes one run of the load. */
export function createLoad(task: LoadTask): () => Promise<Loaded> {
  const { port, pems, suite, group = "X25519", resumed, slice, atOnce } = task
  const options: ConnectionOptions = {
    secureContext: nodeTls.createSecureContext({
      ca: pems.ca,
      ...pems.client,
      ...(suite && { ciphers: suite }),
      ecdhCurve: group,
      minVersion: "TLSv1.3",
    }),
    host: "127.0.0.1",
    port,
    servername: "localhost",
  }
  let made = 0
  return async () => {
    const session = resumed ? await ticket(options) : undefined
    const { user, system } = process.cpuUsage()
    const from = performance.now()
    let connections = 0
    const worker = async () => {
      for (; performance.now() < from + slice; connections++)
        await connection(options, session, task, `storm-${process.pid}-${made++}`)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    const spent = process.cpuUsage({ user, system })
    return { connections, elapsed: performance.now() - from, busy: (spent.user + spent.system) / 1000 }
  }
}

/** One for all: a server with stateless tickets takes it as often as it comes. */
async function ticket(options: ConnectionOptions): Promise<Buffer> {
  const socket = nodeTls.connect(options)
  const [session] = (await once(socket, "session")) as [Buffer]
  socket.destroy()
  return session
}

async function connection(
  options: ConnectionOptions,
  session: Buffer | undefined,
  task: LoadTask,
  clientId: string,
): Promise<void> {
  const socket: TLSSocket = nodeTls.connect({ ...options, ...(session && { session }) })
  socket.setNoDelay(true)
  await once(socket, "secureConnect")
  if (socket.isSessionReused() !== task.resumed)
    throw new Error(`resumed: ${socket.isSessionReused()}, not ${task.resumed}`)
  if (task.mqtt) {
    socket.write(connectPacket({ clientId }))
    const [answer] = (await once(socket, "data")) as [Uint8Array]
    if (answer[0] !== 0x20 || answer[3] !== 0) throw new Error("the broker did not take a CONNECT")
    socket.destroy()
    return
  }
  socket.resume().end()
  await once(socket, "close")
}
