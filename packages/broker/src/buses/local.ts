import type { Bus, BusReceiver } from "../ports/bus.ts"
import type { Reach } from "../routing/subscription.ts"

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
