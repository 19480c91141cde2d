// What a Mosquitto says that it has taken of one client: with `log_type debug` it writes a line for each packet.

import type { Readable } from "node:stream"

export class MosquittoLog {
  /** Topics of messages that it has answered well (PUBACK, PUBREC): from then on they are its own to keep. */
  readonly taken = new Set<string>()
  /** Topics of messages of QoS 2 that came again after the client had released them, which no client may do (MQTT 5.0 section 4.3.3). */
  readonly afterRelease: string[] = []
  readonly #clientId: string
  readonly #topics = new Map<string, string>()
  readonly #released = new Set<string>()

  constructor(clientId: string) {
    this.#clientId = clientId
  }

  /** To be called for each life of it. */
  read(stderr: Readable): void {
    let rest = ""
    stderr.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = `${rest}${chunk}`.split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) if (line.includes(this.#clientId)) this.#line(line)
    })
  }

  #line(line: string): void {
    const came = /Received PUBLISH from \S+ \(d\d, q([12]), r\d, m(\d+), '([^']+)'/.exec(line)
    if (came !== null) {
      const [, qos, packetId = "", topic = ""] = came
      if (qos === "2" && this.#released.has(topic)) this.afterRelease.push(topic)
      this.#topics.set(packetId, topic)
      return
    }
    const [, taken, code] = /Sending PUB(?:ACK|REC) to \S+ \(m(\d+), rc(\d+)\)/.exec(line) ?? []
    if (taken !== undefined && Number(code) < 0x80) this.taken.add(this.#topics.get(taken) ?? "")
    const [, released] = /Received PUBREL from \S+ \(Mid: (\d+)\)/.exec(line) ?? []
    if (released !== undefined) this.#released.add(this.#topics.get(released) ?? "")
  }
}
