// Whether a broker answers MQTT: CONNECT, its CONNACK, DISCONNECT.

import type { Duplex } from "node:stream"
import { messageOf } from "../../http/client.ts"
import { MqttClient } from "../../mqtt-client/client.ts"
import type { MqttClientError } from "../../mqtt-client/errors.ts"
import { ReasonCode } from "../../packet/reason-codes.ts"

export interface Checked {
  readonly well: boolean
  /** It has answered, whatever it says. */
  readonly alive: boolean
  /** Completes "the broker ...". */
  readonly says: string
}

/** Refusals of who asks, not of everybody. */
const personal: readonly number[] = [
  ReasonCode.ClientIdentifierNotValid,
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.NotAuthorized,
  ReasonCode.Banned,
  ReasonCode.BadAuthenticationMethod,
]

/** @param timeout milliseconds */
export function checkMqtt(stream: Duplex, timeout: number): Promise<Checked> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => done({ well: false, alive: false, says: `does not answer within ${timeout / 1000} s` }),
      timeout,
    )
    let over = false
    const done = (checked: Checked) => {
      if (over) return
      over = true
      clearTimeout(timer)
      resolve(checked)
      // It reads the DISCONNECT, or not: nobody waits for that.
      setTimeout(() => stream.destroy(), 200).unref()
      stream.end()
    }
    const options = { clientId: "", keepAlive: 0, patience: Number.POSITIVE_INFINITY, properties: [] }
    const client = new MqttClient(options, (event) => {
      if (event.event === "connected") {
        client.disconnect()
        stream.write(client.take())
        done({ well: true, alive: true, says: "lets clients in" })
      } else if (event.event === "closed" && event.error !== undefined) done(refusalOf(event.error))
    })
    stream.on("error", (error: Error) => done(failureOf(error)))
    stream.on("close", () => done({ well: false, alive: false, says: "closes the connection without an answer" }))
    stream.on("data", (chunk: Uint8Array) => client.receive(chunk, performance.now()))
    client.connect(performance.now())
    stream.write(client.take())
  })
}

function refusalOf({ kind, reasonCode = 0, message }: MqttClientError): Checked {
  if (kind === "malformed") return { well: false, alive: false, says: "answers with what is no MQTT" }
  const well = personal.includes(reasonCode)
  return { well, alive: true, says: well ? "answers, and asks for a login" : message.replace(/^the broker /, "") }
}

function failureOf(error: Error): Checked {
  // The alert comes after the handshake: the broker has looked for the certificate, and answers.
  if ("received" in error && error.received === "certificate_required")
    return { well: true, alive: true, says: "answers, and asks for a client certificate" }
  return { well: false, alive: false, says: `cannot be reached: ${messageOf(error)}` }
}
