// What tests over real sockets share: servers on ephemeral ports of 127.0.0.1, and the reading of streams.

import { once } from "node:events"
import { connect, type Server, type Socket } from "node:net"
import type { Readable } from "node:stream"

/** Listens, and gives the port. */
export async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("the server has no port")
  return address.port
}

/** Everything until the stream ends; its other direction is left as it is. */
export function readAll(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on("data", (chunk: Buffer) => chunks.push(chunk))
    stream.once("end", () => resolve(Buffer.concat(chunks)))
    stream.once("error", reject)
    stream.once("close", () => reject(new Error("the stream was closed before its end")))
  })
}

/** A TCP connection that speaks no TLS by itself. */
export async function plainSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" })
  await once(socket, "connect")
  return socket
}

/** Waits until `condition` holds, for ten seconds at most. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`did not come true: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
