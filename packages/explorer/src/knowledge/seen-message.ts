import type { End } from "../run/step.ts"

/** A handshake message as an end has it. */
export interface SeenMessage {
  readonly step: number
  readonly from: End
  /** As RFC 9846 writes it, or `hello_retry_request`. */
  readonly name: string
  readonly message: Uint8Array
  /** Behind the client's Finished. */
  readonly afterHandshake: boolean
}
