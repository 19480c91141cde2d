import { afterEach, describe, expect, it, vi } from "vitest"
import { streamsOfWebSocket } from "./web-socket-streams.ts"

class ToySocket {
  binaryType = "blob"
  readonly closed: [number, string][] = []
  readonly #listeners = new Map<string, (event: { data: unknown }) => void>()
  accept() {}
  send() {}
  close(code: number, reason: string) {
    this.closed.push([code, reason])
  }
  addEventListener(type: string, listener: (event: { data: unknown }) => void) {
    this.#listeners.set(type, listener)
  }
  tell(type: string, data?: unknown) {
    this.#listeners.get(type)?.({ data })
  }
}

function pair(mostUnread: number) {
  const socket = new ToySocket()
  vi.stubGlobal("WebSocketPair", function Pair(this: Record<number, unknown>) {
    this[1] = socket
  })
  return { socket, ...streamsOfWebSocket(mostUnread) }
}
afterEach(() => {
  vi.unstubAllGlobals()
})

describe("a WebSocket of a Worker, as streams", () => {
  it("what waits is within the limit, whole messages too", async () => {
    const { socket, streams } = pair(100_000)
    for (let i = 0; i < 4; i++) socket.tell("message", new ArrayBuffer(25_000))
    expect(socket.closed).toEqual([])
    socket.tell("message", new ArrayBuffer(1))
    expect(socket.closed).toEqual([[1008, "too fast"]])
    socket.tell("message", new ArrayBuffer(1))
    socket.tell("close")
    let read = 0
    for await (const chunk of streams.readable) read += chunk.length
    expect(read).toBe(100_000)
  })

  it("a message that is longer than all that may wait is not kept", async () => {
    const { socket, streams } = pair(100_000)
    socket.tell("message", new ArrayBuffer(100_001))
    expect(socket.closed).toEqual([[1009, "too long"]])
    expect((await streams.readable.getReader().read()).done).toBe(true)
  })

  it("MQTT-6.0.0-1: text is refused", () => {
    const { socket } = pair(100_000)
    socket.tell("message", "hello")
    expect(socket.closed).toEqual([[1003, "MQTT is binary"]])
  })
})
