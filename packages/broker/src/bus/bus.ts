// How a published message reaches the routers of all broker processes. In one process that is a call.

import type { Message } from "../packet/message.ts"
import type { Subscriber } from "../routing/subscription.ts"

/** Takes a message off the bus; `publisher` is set when it was published in this process. Returns the number of receivers. */
export type BusReceiver = (message: Message, publisher: Subscriber | undefined, now: number) => number

export interface Bus {
  /** Returns the number of local sessions that got the message. */
  publish(message: Message, publisher: Subscriber | undefined, now: number): number
  receive(receiver: BusReceiver): void
}

/** The bus of a single process. */
export function createLocalBus(): Bus {
  let receiver: BusReceiver = () => 0
  return {
    publish: (message, publisher, now) => receiver(message, publisher, now),
    receive(next) {
      receiver = next
    },
  }
}
