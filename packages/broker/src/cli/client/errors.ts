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
