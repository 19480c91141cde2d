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

const nobody: Reach = { sessions: 0, withoutRoom: 0 }

/** The bus of a single process. */
export function createLocalBus(): Bus {
  let receiver: BusReceiver = () => nobody
  return {
    publish: (message, publisher, now) => receiver(message, publisher, now),
    receive(next) {
      receiver = next
    },
  }
}
