// Ports: who ends a TCP connection keeps its port in TIME_WAIT for a minute (RFC 9293 section 3.6.1), and a client that makes
// thousands of connections a second runs out of them. So those are counted, and a machine that talks to itself does so from many
// of its addresses in turn.

import { isIPv4, isIPv6 } from "node:net"
import { textOf } from "./processes.ts"

/** State 06 of /proc/net/tcp. */
const timeWaitState = "06"

/** Addresses that a loopback target is reached from: 127.0.0.2 and those that follow. 60 s of TIME_WAIT at 15,000 a second. */
const mostSources = 32

/** Connections with this server that are in TIME_WAIT on this machine, on either side; undefined: no /proc. */
export function countTimeWait(address: string, port: number): number | undefined {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(textOf).filter((text) => text !== undefined)
  if (tables.length === 0) return undefined
  const wanted = new Set(endpointsOf(address, port))
  return tables.reduce((sum, table) => sum + countIn(table, wanted), 0)
}

/** @param endpoints as in the table: address and port in hexadecimal */
export function countIn(table: string, endpoints: ReadonlySet<string>): number {
  let count = 0
  for (const line of table.split("\n").slice(1)) {
    const [, local = "", remote = "", state] = line.trim().split(/\s+/)
    if (state === timeWaitState && (endpoints.has(local) || endpoints.has(remote))) count++
  }
  return count
}

/** How the kernel writes an endpoint: words of the address in the byte order of the machine (little-endian), the port in big-endian. */
export function endpointsOf(address: string, port: number): string[] {
  const end = port.toString(16).toUpperCase().padStart(4, "0")
  const hex = (bytes: readonly number[]) =>
    bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("")
  const words = (bytes: readonly number[]) =>
    Array.from({ length: bytes.length / 4 }, (_, i) => hex(bytes.slice(4 * i, 4 * i + 4).reverse())).join("")
  if (isIPv4(address)) {
    const bytes = address.split(".").map(Number)
    const mapped = [...Array.from({ length: 10 }, () => 0), 0xff, 0xff, ...bytes]
    return [`${words(bytes)}:${end}`, `${words(mapped)}:${end}`]
  }
  if (!isIPv6(address)) return []
  const [left = "", right] = address.replace(/%.*/, "").split("::")
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)))
  const [head, tail] = [groups(left), right === undefined ? [] : groups(right)]
  const all = [...head, ...Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => 0), ...tail]
  return [`${words(all.flatMap((group) => [group >> 8, group & 0xff]))}:${end}`]
}

/** Local addresses to connect from, in turn; none: the system chooses, as usual. */
export function sourceAddresses(address: string): readonly string[] {
  // All of 127.0.0.0/8 is this machine on Linux; elsewhere only 127.0.0.1 is.
  if (process.platform !== "linux" || !/^127\./.test(address)) return []
  return Array.from({ length: mostSources }, (_, i) => `127.0.0.${i + 2}`)
}

/** Ports that the system gives to clients, of each address; undefined: no /proc. */
export function clientPorts(): number | undefined {
  const [, first, last] = /^(\d+)\s+(\d+)/.exec(textOf("/proc/sys/net/ipv4/ip_local_port_range") ?? "") ?? []
  return first === undefined ? undefined : Number(last) - Number(first) + 1
}
