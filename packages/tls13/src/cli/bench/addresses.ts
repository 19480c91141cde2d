// Which address a name is measured at: one, for all handshakes, and none of them looks it up again.

import { lookup } from "node:dns/promises"
import { connect } from "node:net"
import { CommandError, reasonOf } from "../arguments.ts"

/** Milliseconds that an address has to take a connection, where there is another one. */
const patience = 2000

/** The first that takes connections, in the order of the resolver: localhost may be ::1, where the server is not. @throws CommandError */
export async function addressOf(
  host: string,
  port: number,
  lookUp: (host: string) => Promise<readonly string[]> = allOf,
): Promise<string> {
  let addresses: readonly string[]
  try {
    addresses = await lookUp(host)
  } catch (error) {
    throw new CommandError(`cannot connect to ${host}: ${reasonOf(error)}`)
  }
  for (const address of addresses.length > 1 ? addresses : []) if (await takesConnections(address, port)) return address
  // What is wrong with it is told by the first handshake.
  return addresses[0] ?? host
}

async function allOf(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

function takesConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patience })
    const end = (isTaken: boolean) => () => {
      socket.destroy()
      resolve(isTaken)
    }
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false))
  })
}
