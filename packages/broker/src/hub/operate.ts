// What somebody who runs the broker may do to it while it runs; what he may see is in inspect.ts. Every change is one that MQTT has
// a word for.

import type { Qos } from "../packet/packets.ts"

/** Clients are being sent to another server. Times are milliseconds of the broker's clock. */
export interface DrainView {
  /** Server Reference (MQTT 5.0 section 4.11). */
  readonly server: string
  readonly since: number
  /** When the last of them goes. */
  readonly until: number
  /** Connections that are still here. */
  readonly left: number
}

export interface OwnPublish {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
}

export interface Operate {
  /** The client is told so by DISCONNECT 0x98, with the reason; its session stays as long as it may. False: it is not connected. */
  disconnect(clientId: string, reason: string): boolean
  /** The same, and its session ends, connected or not, with all that waits for it. False: there is none. */
  endSession(clientId: string, reason: string): boolean
  /** Publishes as the broker itself. Why it cannot: a sentence. */
  publish(message: OwnPublish): string | undefined
  /** Takes the retained message away, as an empty one on its topic does: who is subscribed gets that. False: there is none. */
  deleteRetained(topic: string): boolean
  /**
   * From now on every CONNECT is answered with 0x9C and this Server Reference (MQTT 3.1.1: 3), and those who are here are sent there in
   * even shares until the time is over, in milliseconds from now. A second call takes the place of the first.
   */
  drain(server: string, milliseconds: number): DrainView
  /** Ends that. Who has gone has gone. False: nobody was being sent away. */
  undrain(): boolean
  readonly draining: DrainView | undefined
}
