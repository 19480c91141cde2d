import type { Random } from "../../tls13/fuzz/random.ts"
import { type Transport, transports } from "../hostile/wire/wire.ts"

/** Of a hundred executions of the target `broker`. */
const shares: Readonly<Record<Transport, number>> = { tcp: 92, tls: 1, ws: 6, wss: 1 }

/** The same number of draws for every target, so that equal seeds give equal sequences whatever the transport. */
export function chooseTransport(random: Random): Transport {
  let at = random.integer(100)
  for (const transport of transports) {
    at -= shares[transport]
    if (at < 0) return transport
  }
  return "tcp"
}
