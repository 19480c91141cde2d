// A WebSocket of a Worker as a byte stream each way (MQTT 5.0 chapter 6): packets may lie across its messages.

import type { WebStreams } from "./web-connection.ts"

interface ServerWebSocket {
  binaryType: "blob" | "arraybuffer"
  accept(): void
  send(data: Uint8Array): void
  close(code: number, reason: string): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: "close" | "error", listener: () => void): void
}
/** Bytes. */
const highWaterMark = 65_536

declare const WebSocketPair: new () => { readonly 0: unknown; readonly 1: ServerWebSocket }

/**
 * @param mostUnread bytes that may have come and wait for the broker, a whole message among them: a WebSocket cannot be told to stop
 * @returns what the client gets in the response, and the streams of our end
 */
export function streamsOfWebSocket(mostUnread: number): { readonly client: unknown; readonly streams: WebStreams } {
  const pair = new WebSocketPair()
  const socket = pair[1]
  socket.binaryType = "arraybuffer"
  socket.accept()
  let closed = false
  const close = (code: number, reason: string) => {
    if (closed) return
    closed = true
    socket.close(code, reason)
  }
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          if (!closed) controller.close()
          close(1000, "")
        }
        socket.addEventListener("message", ({ data }) => {
          if (closed) return
          const refuse = (code: number, reason: string) => {
            controller.close()
            close(code, reason)
          }
          if (!(data instanceof ArrayBuffer))
            refuse(1003, "MQTT is binary") // [MQTT-6.0.0-1]
          else if (data.byteLength > mostUnread) refuse(1009, "too long")
          else if (highWaterMark - (controller.desiredSize ?? 0) + data.byteLength > mostUnread)
            refuse(1008, "too fast")
          else controller.enqueue(new Uint8Array(data))
        })
        socket.addEventListener("close", end)
        socket.addEventListener("error", end)
      },
      cancel: () => close(1000, ""),
    },
    { highWaterMark, size: (chunk) => chunk.byteLength },
  )
  const writable = new WritableStream<Uint8Array>({
    write(bytes) {
      if (closed) throw new Error("the WebSocket is closed")
      socket.send(bytes)
    },
    close: () => close(1000, ""),
    abort: () => close(1011, ""),
  })
  return { client: pair[0], streams: { readable, writable } }
}
