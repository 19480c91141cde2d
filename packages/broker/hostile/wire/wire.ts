// A way to a listener for bytes of MQTT: over TCP, TLS, and WebSocket on either. The TLS is Node's own, so that ours is not
// tried against itself.

import { connect as connectTcp, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type ConnectionOptions, connect as connectTls } from "node:tls"
import { FrameReader, frame, type Upgrade, upgradeRequest } from "./websocket.ts"

export type Transport = "tcp" | "tls" | "ws" | "wss"
export const transports: readonly Transport[] = ["tcp", "tls", "ws", "wss"]

export interface Wire {
  send(bytes: Uint8Array): void
  /** What the broker sends; set before the next turn of the loop. */
  onBytes: (bytes: Uint8Array) => void
  readonly isClosed: boolean
  readonly closed: Promise<void>
  /** Reads nothing until `resume`. */
  pause(): void
  resume(): void
  destroy(): void
  /** Bytes given to `send` that are not on their way yet. */
  readonly unsent: number
  /** The stream itself, below any WebSocket. */
  readonly stream: Duplex
}

export interface WireOptions {
  readonly tls?: ConnectionOptions
  readonly upgrade?: Upgrade
  /** A TCP connection that is there already. */
  readonly over?: Socket
  /** An address of this machine to come from, where the system has it. */
  readonly from?: string
  /** Milliseconds until it must be there; default 20,000. */
  readonly timeout?: number
}

/** A stream that is open. @throws Error when it is refused, or not there in time */
export function openStream(transport: Transport, port: number, options: WireOptions = {}): Promise<Duplex> {
  const secure = transport === "tls" || transport === "wss"
  const socket = secure
    ? connectTls({
        ...(options.over ? { socket: options.over } : { host: "127.0.0.1", port }),
        servername: "localhost",
        rejectUnauthorized: false,
        ...options.tls,
      })
    : connectTcp({ host: "127.0.0.1", port, noDelay: true, ...(options.from && { localAddress: options.from }) })
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(new Error(`${transport}: ${why}`))
    }
    const timer = setTimeout(() => fail("no connection in time"), options.timeout ?? 20_000)
    socket.once(secure ? "secureConnect" : "connect", () => {
      clearTimeout(timer)
      resolve(socket)
    })
    socket.on("error", (error) => fail(error.message))
    socket.once("close", () => fail("closed at once"))
  })
}

/** A wire that is open, its WebSocket too. @throws Error when it is refused */
export async function openWire(transport: Transport, port: number, options: WireOptions = {}): Promise<Wire> {
  const stream = await openStream(transport, port, options)
  if (transport === "tcp" || transport === "tls") return streamWire(stream)
  const upgrade = { host: `localhost:${port}`, ...options.upgrade }
  return webSocketWire(stream, await upgraded(stream, { ...options, upgrade }))
}

/** Waits for 101; the frames that came with it. @throws Error with the status otherwise */
function upgraded(stream: Duplex, { upgrade, timeout = 20_000 }: WireOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0)
    const settle = (error: Error | undefined, rest: Uint8Array = new Uint8Array(0)): void => {
      clearTimeout(timer)
      stream.off("data", heard).off("close", closed)
      if (error === undefined) resolve(rest)
      else {
        stream.destroy()
        reject(error)
      }
    }
    const closed = () => settle(new Error("closed instead of an upgrade"))
    const heard = (data: Buffer) => {
      head = Buffer.concat([head, data])
      const end = head.indexOf("\r\n\r\n")
      if (end === -1) return
      const status = head.subarray(0, head.indexOf("\r\n")).toString("latin1")
      if (status.startsWith("HTTP/1.1 101 ")) settle(undefined, head.subarray(end + 4))
      else settle(new Error(`the upgrade was answered with ${status}`))
    }
    const timer = setTimeout(() => settle(new Error("no upgrade in time")), timeout)
    stream.on("data", heard).once("close", closed)
    stream.write(upgradeRequest(upgrade).text)
  })
}

function streamWire(stream: Duplex): Wire {
  let isClosed = stream.destroyed
  const closed = new Promise<void>((resolve) => {
    const done = () => {
      isClosed = true
      resolve()
    }
    stream.once("close", done)
    if (isClosed) done()
  })
  const wire: Wire = {
    stream,
    onBytes: () => undefined,
    closed,
    get isClosed() {
      return isClosed
    },
    get unsent() {
      return stream.writableLength
    },
    send(bytes) {
      if (!stream.destroyed && stream.writable) stream.write(bytes)
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    destroy: () => void stream.destroy(),
  }
  stream.on("data", (data: Buffer) => wire.onBytes(data))
  stream.on("end", () => stream.destroy())
  return wire
}

function webSocketWire(stream: Duplex, rest: Uint8Array): Wire {
  const inner = streamWire(stream)
  const reader = new FrameReader()
  const wire: Wire = {
    ...inner,
    get isClosed() {
      return inner.isClosed
    },
    get unsent() {
      return inner.unsent
    },
    send: (bytes) => inner.send(frame({ payload: bytes })),
  }
  inner.onBytes = (bytes) => {
    for (const { opcode, payload } of reader.push(bytes)) {
      if (opcode === 8) stream.end(frame({ opcode: 8, payload: payload.subarray(0, 2) }))
      else if (opcode <= 2) wire.onBytes(payload)
    }
  }
  if (rest.length > 0) queueMicrotask(() => inner.onBytes(rest))
  return wire
}
