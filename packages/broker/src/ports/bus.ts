// How a published message reaches the routers of all broker processes. In one process that is a call.

import type { Message } from "../packet/message.ts"
import type { Reach, Subscriber } from "../routing/subscription.ts"

/** Takes a message off the bus; `publisher` is set when it was published in this process. */
export type BusReceiver = (message: Message, publisher: Subscriber | undefined, now: number) => Reach

export interface Bus {
  /** Returns what became of the message in this process. */
  publish(message: Message, publisher: Subscriber | undefined, now: number): Reach
  receive(receiver: BusReceiver): void
}
