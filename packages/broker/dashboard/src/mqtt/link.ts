// Our MQTT client over a browser's WebSocket (MQTT 5.0 chapter 6).

import { type ClientEvent, MqttClient, type MqttClientOptions } from "../../../src/mqtt-client/index.ts"

/** Bytes that the WebSocket may hold before no more is given to it. */
const mostBuffered = 1_048_576

export interface Link {
  readonly client: MqttClient
  /** To be called when the client has something to send. */
  flush(): void
  close(): void
}

/** @param onEvent hears of all that happens; `closed` is the last of it */
export function openLink(url: string, options: MqttClientOptions, onEvent: (event: ClientEvent) => void): Link {
  const socket = new WebSocket(url, "mqtt")
  socket.binaryType = "arraybuffer"
  const client = new MqttClient(options, onEvent)
  let timer: ReturnType<typeof setTimeout> | undefined
  const now = () => performance.now()

  const flush = () => {
    if (socket.readyState === WebSocket.OPEN && client.waiting > 0 && socket.bufferedAmount < mostBuffered) {
      // A WebSocket takes no view of memory that could be shared; what is taken is ours.
      socket.send(new Uint8Array(client.take()))
    }
    clearTimeout(timer)
    if (client.state === "closed") socket.close()
    else if (Number.isFinite(client.tickAt))
      timer = setTimeout(tick, Math.min(60_000, Math.max(10, client.tickAt - now())))
  }
  const tick = () => {
    client.tick(now())
    flush()
  }
  const lost = () => {
    clearTimeout(timer)
    client.lost()
  }
  socket.addEventListener("open", () => {
    client.connect(now())
    flush()
  })
  socket.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) client.receive(new Uint8Array(data), now())
    flush()
  })
  socket.addEventListener("close", lost)
  return {
    client,
    flush,
    close() {
      if (client.state === "connected") {
        client.disconnect()
        flush()
      }
      socket.close()
    },
  }
}
