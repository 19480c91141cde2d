// Backpressure end to end. A peer that reads nothing: our writer gets stuck, and goes on when the peer does. Our own reader that stops:
// the peer's writer gets stuck. All bytes arrive in the end. The peer does by the application protocol (ALPN) what is asked for:
//
//   stopped   reads nothing until it is told to go on; then everything, and answers with how many bytes came as they were sent
//   flood     sends `total` bytes
//   count     answers with how many bytes of the last flood its transport has taken
//   go        tells the one that is stopped to go on

import type { TlsStreamSocket } from "@puremq/tls13/streams"

export type Protocol = "stopped" | "flood" | "count" | "go"
export const protocols: readonly Protocol[] = ["stopped", "flood", "count", "go"]

/** What a check needs of a socket. */
export type Socket = Pick<TlsStreamSocket, "readable" | "writable"> & { readonly opened: Promise<unknown> }

export interface PeerSocket extends Socket {
  readonly opened: Promise<{ readonly alpn: string | undefined }>
  readonly closed: Promise<unknown>
}

/** Bytes that are sent in each direction. */
const total = 64 * 1_048_576
/** Bytes at most that one end has sent and the other has not taken: the buffers of the system are the most of them. */
const most = 24 * 1_048_576
/** Milliseconds without progress: it is stuck. */
const longEnough = 1000
const pause = 50

/** Byte i of a stream is i % 251. */
const pattern = new Uint8Array(251 * 256).map((_, i) => i % 251)

/** @param open a connection by that protocol @returns lines that say what was seen */
export async function backpressureChecks(open: (protocol: Protocol) => Promise<Socket>): Promise<string[]> {
  const ask = async (protocol: Protocol): Promise<string> => {
    const { readable, writable } = await open(protocol)
    await writable.close()
    return textOf(readable)
  }

  const stopped = await open("stopped")
  let sent = 0
  const sending = sendAll(stopped.writable, (bytes) => {
    sent += bytes
  })
  sending.catch(() => undefined)
  const stuck = await whenStuck(async () => sent)
  await ask("go")
  const answer = await textOf(stopped.readable)
  await sending
  if (answer !== `${total}` || sent !== total)
    throw new Error(`${sent} bytes were sent, and ${answer} came as they were`)

  const flood = await open("flood")
  await flood.opened
  const held = await whenStuck(async () => Number(await ask("count")))
  const { end, wrong } = await compare(flood.readable)
  if (end !== total || wrong !== undefined) throw new Error(`${end} bytes came, of which number ${wrong} is wrong`)
  await flood.writable.close().catch(() => undefined)

  return [
    `a peer that does not read: our writer is stuck when ${mebibytes(stuck)} are sent and not taken; then all bytes arrive`,
    `a reader of ours that stops: the peer's writer is stuck when ${mebibytes(held)} are sent and not taken; then all bytes arrive`,
  ]
}

/** The peer, where it is of our own. */
export function createPeer(): (socket: PeerSocket) => Promise<void> {
  let flooded = 0
  let isStopped = true
  return async (socket) => {
    const { alpn } = await socket.opened
    if (alpn === "stopped") {
      isStopped = true
      // A runtime may not let one connection wake another.
      while (isStopped) await new Promise((resolve) => setTimeout(resolve, pause))
      const { end, wrong } = await compare(socket.readable)
      await say(socket, wrong === undefined ? `${end}` : `number ${wrong} is wrong`)
    } else if (alpn === "flood") {
      flooded = 0
      await sendAll(socket.writable, (bytes) => {
        flooded += bytes
      })
    } else {
      if (alpn === "go") isStopped = false
      await say(socket, alpn === "count" ? `${flooded}` : "")
    }
    await socket.closed
  }
}

async function say({ writable }: Socket, text: string): Promise<void> {
  const writer = writable.getWriter()
  await writer.write(new TextEncoder().encode(text))
  await writer.close()
}

async function sendAll(writable: WritableStream<Uint8Array>, onTaken: (bytes: number) => void): Promise<void> {
  const writer = writable.getWriter()
  for (let at = 0; at < total; at += pattern.length) {
    const piece = pattern.subarray(0, total - at)
    await writer.write(piece)
    onTaken(piece.length)
  }
  await writer.close()
}

async function whenStuck(read: () => Promise<number>): Promise<number> {
  let [before, since] = [0, Date.now()]
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause))
    const now = await read()
    if (now > most) throw new Error(`${now} bytes are sent and not taken, and nobody is stuck`)
    if (now !== before) [before, since] = [now, Date.now()]
    else if (now > 0 && Date.now() - since > longEnough) return now
  }
}

/** How many bytes came, and which is not what was sent. */
async function compare(readable: ReadableStream<Uint8Array>): Promise<{ end: number; wrong: number | undefined }> {
  let end = 0
  let wrong: number | undefined
  const reader = readable.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { end, wrong }
    const first = value.findIndex((byte, i) => byte !== (end + i) % 251)
    if (first >= 0) wrong ??= end + first
    end += value.length
  }
}

async function textOf(readable: ReadableStream<Uint8Array>): Promise<string> {
  let text = ""
  const reader = readable.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text
    text += new TextDecoder("latin1").decode(value)
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`
