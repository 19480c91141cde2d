// What listens in the place of a listener that has a proxy in front of it: it reads the PROXY header, and hands the connection
// on with the client's address as its own, so that the log, the limits of an address and the handshakes in line go by it.

import { BlockList, createServer, isIP, type Server, type Socket } from "node:net"
import { addressOf } from "../ports/peer.ts"
import { type Boundary, inside } from "./boundary.ts"
import type { ListenerContext } from "./listener.ts"
import { ProxyProtocolError, readProxyHeader } from "./proxy-protocol.ts"

export interface ProxyProtocolOptions {
  /** Addresses and networks (`10.0.0.0/8`) of the proxies; connections from elsewhere are closed. */
  readonly trusted: readonly string[]
}

/** Milliseconds from the connection to the end of its header. */
const headerTimeout = 5000

/** Whether an address is one of those; throws an Error with one sentence for an entry that is none. */
export function trustOf(trusted: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of trusted) {
    const [address = "", bits, ...rest] = entry.split("/")
    const version = isIP(address)
    const most = version === 4 ? 32 : 128
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
    if (version === 0 || rest.length > 0 || !(prefix <= most))
      throw new Error(`"${entry}" is no address or network, such as 192.0.2.7 or 10.0.0.0/8`)
    list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6")
  }
  return (text) => {
    const address = text.replace(/^::ffff:(?=\d+\.)/i, "")
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6")
  }
}

export interface ProxyFront {
  readonly server: Server
  /** Takes no more connections, and ends those whose header has not come. */
  close(): void
}

/** @param take gets each connection, at rest: whoever has it resumes it */
export function createProxyFront(
  { trusted }: ProxyProtocolOptions,
  context: ListenerContext,
  take: (socket: Socket) => void,
): ProxyFront {
  const isTrusted = trustOf(trusted)
  const pending = new Set<Socket>()
  const server = createServer(
    { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
    (socket) =>
      inside(context.onFault, socket, (boundary) => {
        socket.on("error", () => undefined)
        accept(socket, boundary, addressOf(socket))
      }),
  )
  const accept = (socket: Socket, boundary: Boundary, peer: string) => {
    const refuse = (why: string) => {
      socket.destroy()
      context.onRefused("PROXY protocol", `connection from ${peer} refused: ${why}`)
    }
    if (!isTrusted(socket.remoteAddress ?? "")) return refuse("not one of the trusted proxies")
    if (pending.size >= context.broker.limits.maximumConnections)
      return refuse("too many connections whose PROXY header has not come")
    pending.add(socket)
    const late = boundary.handler(() => refuse(`the PROXY header did not come within ${headerTimeout} ms`))
    const timer = setTimeout(late, headerTimeout)
    timer.unref()
    let read: Uint8Array = new Uint8Array(0)
    const onEnd = boundary.handler(() => refuse("the PROXY header is cut short"))
    const settle = () => {
      clearTimeout(timer)
      pending.delete(socket)
      socket.off("data", onData).off("end", onEnd).off("close", onClose)
    }
    const onClose = boundary.handler(settle)
    const onData = boundary.handler((bytes: Uint8Array) => {
      read = read.length === 0 ? bytes : Buffer.concat([read, bytes])
      let header: ReturnType<typeof readProxyHeader>
      try {
        header = readProxyHeader(read)
      } catch (error) {
        if (!(error instanceof ProxyProtocolError)) throw error
        settle()
        refuse(`the PROXY header ${error.message}`)
        return
      }
      if (header === undefined) return
      settle()
      socket.pause()
      if (header.source !== undefined) rename(socket, header.source)
      if (read.length > header.length) socket.unshift(read.subarray(header.length))
      take(socket)
    })
    socket.on("data", onData).on("end", onEnd).once("close", onClose)
  }
  return {
    server,
    close() {
      server.close()
      for (const socket of pending) socket.destroy()
    },
  }
}

/** From here on the socket is the client's, for everybody who asks it. */
function rename(socket: Socket, { address, port }: { readonly address: string; readonly port: number }): void {
  Object.defineProperties(socket, {
    remoteAddress: { value: address },
    remotePort: { value: port },
    remoteFamily: { value: isIP(address) === 6 ? "IPv6" : "IPv4" },
  })
}
