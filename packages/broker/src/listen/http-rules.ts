// Which HTTP requests are taken: browsers come from everywhere with the rights of their user's network, so a page must be of
// the same origin (RFC 6455 section 10.2), and a name that was made to point here (DNS rebinding) is not ours.

import { BlockList, isIP } from "node:net"

const loopback = new BlockList()
loopback.addSubnet("127.0.0.0", 8, "ipv4")
loopback.addAddress("::1", "ipv6")

/** Whether a listener that is bound to this is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  const version = isIP(host)
  return host === "localhost" || (version !== 0 && loopback.check(host, version === 4 ? "ipv4" : "ipv6"))
}

/** The name in a Host header, without port, in lower case; undefined for one that is none. */
export function hostName(header: string | undefined): string | undefined {
  if (header === undefined || !/^(?:\[[0-9a-fA-F:.]+\]|[^\s/?#@\\:[\]]+)(?::\d{1,5})?$/.test(header)) return undefined
  return header.replace(/:\d*$/, "").toLowerCase()
}

/**
 * Whether the Host of a request is one that a listener on a loopback address can have: the name of a loopback address, or one
 * of `names`.
 */
export function isOwnHost(header: string | undefined, names: readonly string[]): boolean {
  const name = hostName(header)
  if (name === undefined) return false
  const address = name.replace(/^\[|\]$/g, "")
  return isLoopback(address) || names.some((one) => hostName(one) === name)
}

/** A listener that serves the broker's own page: see admin/http/page. */
export interface OwnPage {
  /** What it is bound to. */
  readonly host: string
  readonly port: number
  /** Over TLS of our own. */
  readonly secure: boolean
}

/** Whether a page of `origin` is the broker's own, on the machine that is asked for by this Host. */
export function isOwnPage(origin: string, host: string | undefined, { host: bound, port, secure }: OwnPage): boolean {
  const name = hostName(host)
  if (name === undefined || (isLoopback(bound) && !isOwnHost(name, []))) return false
  const own = `${secure ? "https" : "http"}://${name}:${port}`
  return URL.canParse(own) && new URL(own).origin === origin.toLowerCase()
}

/** Whether a page of `origin` is of the same origin as what is asked for by this Host. @param secure over TLS of our own */
export function isSameOrigin(origin: string, host: string | undefined, secure: boolean): boolean {
  if (hostName(host) === undefined) return false
  // Without TLS of our own there may be a proxy in front that has it.
  const schemes = secure ? ["https:"] : ["http:", "https:"]
  const from = URL.canParse(origin) ? new URL(origin) : undefined
  if (from === undefined || !schemes.includes(from.protocol) || from.origin !== origin.toLowerCase()) return false
  const asked = `${from.protocol}//${host}`
  return URL.canParse(asked) && new URL(asked).host === from.host
}
