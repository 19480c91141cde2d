// A broker of our own to measure, in a process of its own: `--loopback`. It keeps nothing in files.

import type { ListenerConfig } from "../../config/config.ts"
import { createBroker } from "../../platform/node.ts"
import type { BrokerTask } from "./messages.ts"

/** All clients of a benchmark are of one address and one user; the other limits are those that everybody's broker has. */
const many = 1_000_000
const limits = {
  maximumConnections: many,
  maximumConnectionsPerAddress: many,
  maximumConnectionsPerUser: many,
  maximumSessions: many,
  maximumSessionsPerOwner: many,
}

/** Gives its port. */
export async function startOwnBroker({ transport, cert, key }: BrokerTask): Promise<number> {
  const place = { host: "127.0.0.1", port: 0 }
  const listeners: Readonly<Record<BrokerTask["transport"], ListenerConfig>> = {
    tcp: { type: "tcp", ...place },
    ws: { type: "ws", ...place, path: "/mqtt" },
    tls: { type: "tls", ...place, cert, key },
    wss: { type: "wss", ...place, cert, key, path: "/mqtt" },
  }
  const broker = createBroker({ listeners: [listeners[transport]], login: { anonymous: true }, limits })
  const [address] = await broker.listen()
  return address?.port ?? 0
}
