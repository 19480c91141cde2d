// A page that speaks MQTT over TLS 1.3 of ours with a broker's TLS port, of which the browser's own TLS knows nothing: the records
// go through a WebSocket to whoever connects it with the port.

import { createClientConfig } from "@puremq/tls13"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { type ByteStreams, connectOverStreams } from "@puremq/tls13/streams"
import { bytes, equal, text, trusting } from "../suite/world.ts"

/** Subscribes, is told of what it publishes itself, and ends. @returns what was agreed */
export async function subscribeThroughTunnel(url: string, authority: string): Promise<string> {
  const config = createClientConfig({
    provider: createNobleProvider(),
    serverName: "localhost",
    verifier: trusting(authority),
    alpnProtocols: ["mqtt"],
  })
  const socket = connectOverStreams(await streamsOf(url), config)
  const { handshake } = await socket.opened
  const writer = socket.writable.getWriter()
  const reader = socket.readable.getReader()
  let unread: number[] = []
  /** The next packet of fewer than 128 bytes. */
  const packet = async (): Promise<number[]> => {
    while (unread.length < 2 || unread.length < 2 + unread[1]!) {
      const { value, done } = await reader.read()
      if (done) throw new Error("the broker ended the connection")
      unread.push(...value)
    }
    const length = 2 + unread[1]!
    const first = unread.slice(0, length)
    unread = unread.slice(length)
    return first
  }
  const field = (value: string): number[] => [0, value.length, ...bytes(value)]
  const send = (type: number, ...body: number[]) => writer.write(Uint8Array.of(type, body.length, ...body))

  // MQTT 5.0: CONNECT with a clean start; SUBSCRIBE and PUBLISH with QoS 1.
  await send(0x10, ...field("MQTT"), 5, 2, 0, 60, 0, ...field("page"))
  const connack = await packet()
  equal([connack[0], connack[3]], [0x20, 0])
  await send(0x82, 0, 1, 0, ...field("news/#"), 1)
  equal(await packet(), [0x90, 4, 0, 1, 0, 1])
  await send(0x32, ...field("news/today"), 0, 2, 0, ...bytes("hello"))
  const two = [await packet(), await packet()].sort((a, b) => a[0]! - b[0]!)
  equal(two[1]![0], 0x40)
  equal(two[0]![0]! & 0xf0, 0x30)
  equal(text(Uint8Array.from(two[0]!)).slice(4), `news/today${text(Uint8Array.from(two[0]!)).slice(14, -5)}hello`)
  await send(0xe0)
  await writer.close()
  return `${handshake.cipherSuite}, ${handshake.group}, ALPN ${handshake.alpnProtocol}`
}

/** The bytes of a WebSocket's messages as streams. */
async function streamsOf(url: string): Promise<ByteStreams> {
  const webSocket = new WebSocket(url)
  webSocket.binaryType = "arraybuffer"
  await new Promise((resolve, reject) => {
    webSocket.onopen = resolve
    webSocket.onerror = () => reject(new Error(`no WebSocket at ${url}`))
  })
  return {
    readable: new ReadableStream({
      start(controller) {
        webSocket.onmessage = ({ data }) => controller.enqueue(new Uint8Array(data as ArrayBuffer))
        webSocket.onclose = () => controller.close()
      },
    }),
    writable: new WritableStream({
      write: (chunk) => webSocket.send(chunk),
      close: () => webSocket.close(),
    }),
  }
}
