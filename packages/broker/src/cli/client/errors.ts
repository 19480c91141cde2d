import { MqttClientError } from "../../mqtt-client/errors.ts"
import type { ConnackPacket } from "../../packet/packets.ts"

/** The broker refused, or the connection ended; the message is one line. */
export class ClientError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "ClientError"
  }
}

/** What answers is no broker, or does not answer; the message is a clause that lacks who. */
export class NoAnswer extends Error {}

/** Makes a line of what ended the connection. `error`: undefined when it just ended; `answered`: whether CONNACK had come. */
export type Explain = (error: Error | undefined, answered: boolean) => Error

/** What the client cannot do is told with what to do about it. @throws ClientError */
export function explained<T>(connack: ConnackPacket, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof MqttClientError ? withRemedy(error, connack) : error
  }
}

/** What the command line has for what the broker does not take. */
function withRemedy({ limit, message }: MqttClientError, { maximumQos = 2 }: ConnackPacket): ClientError {
  const remedy =
    limit === "maximumQos"
      ? `: -q ${maximumQos}`
      : limit === "retainAvailable"
        ? ": leave out -r"
        : limit === "subscriptionIdentifierAvailable"
          ? ": leave out -D subscribe subscription-identifier"
          : ""
  return new ClientError(`${message}${remedy}`)
}
