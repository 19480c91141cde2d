// The TCP connection of an attempt.

import { connect, type Socket } from "node:net"
import { reasonOf } from "../arguments.ts"
import type { EngineSetup } from "./engine-options.ts"
import { connectDelay } from "./impairment.ts"

/** @param onReached once, when it is connected (and the time that a worse network takes has passed) */
export function connectTo(
  { target, worse }: Pick<EngineSetup, "target" | "worse">,
  localAddress: string | undefined,
  onReached: () => void,
): Socket {
  const { address: host, port } = target
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true, ...(localAddress && { localAddress }) })
  socket.once("connect", () => {
    if (worse === undefined) onReached()
    else {
      const timer = setTimeout(
        () => {
          if (!socket.destroyed) onReached()
        },
        Math.ceil(connectDelay(worse, worse.uniform)),
      )
      socket.once("close", () => clearTimeout(timer))
    }
  })
  return socket
}

/** Why there is no connection, or no more. */
export function tcpReason(error: Error & { readonly code?: string }, reached: boolean): string {
  if (error.code === "EADDRNOTAVAIL" || error.code === "EADDRINUSE")
    return "TCP: no local port is left (they are in TIME_WAIT); measure for a shorter time, or at a lower rate"
  if (error.code === "EMFILE") return "TCP: too many open files here; raise ulimit -n, or lower --concurrency"
  return `${reached ? "the connection was lost" : "cannot connect"}: ${reasonOf(error)}`
}
