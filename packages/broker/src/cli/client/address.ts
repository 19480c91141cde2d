// Where a command connects to, and how: by options, or by a URL (-L) as Mosquitto's tools take one.

import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import { isSecure, type Place, type Transport } from "../../platform/dial.ts"

/** Where to, and what else a URL says. */
export interface Address {
  readonly place: Place
  readonly username: string | undefined
  readonly password: string | undefined
  readonly topic: string | undefined
}

/** Those of WebSocket are the ones that URLs have. */
const ports: Readonly<Record<Transport, number>> = { tls: 8883, tcp: 1883, ws: 80, wss: 443 }

const schemes: ReadonlyMap<string, Transport> = new Map<string, Transport>([
  ["mqtt", "tcp"],
  ["mqtts", "tls"],
  ["ws", "ws"],
  ["wss", "wss"],
])

/** Of which a URL says the same, or a command line one only. */
const transports = ["tcp", "ws", "wss"] as const

/** @param word an argument that says it: a URL, or HOST[:PORT]. @throws UsageError */
export function addressOf(options: Arguments, word?: string): Address {
  const isUrl = word?.includes("://") === true
  const url = isUrl ? word : options.text("url")
  const named = isUrl ? word : undefined
  const [transport = "tls", ...others] = transports.filter((name) => options.flag(name))
  if (others.length > 0) throw new UsageError(`--${transport} and --${others[0]}: one of them at most`)
  const address = url === undefined ? undefined : addressOfUrl(url, options, named === undefined ? "-L" : "the address")
  const given = word === undefined || isUrl ? undefined : hostAndPort(word)
  const place = address?.place ?? placeOf(transport, given?.host ?? options.text("host"), given?.port, options)
  const needless = isSecure(place)
    ? undefined
    : ofTls.find((name) => options.flag(name) || options.text(name) !== undefined)
  if (needless !== undefined) {
    const without = url === undefined ? `--${place.transport}` : url.slice(0, url.indexOf(":") + 3)
    throw new UsageError(`--${needless} is about TLS, which ${without} is without`)
  }
  if (place.transport !== "ws" && place.transport !== "wss" && options.text("ws-path") !== undefined)
    throw new UsageError("--ws-path is about WebSocket: add --ws or --wss")
  return address ?? { place, username: undefined, password: undefined, topic: undefined }
}

const ofTls = ["cafile", "cert", "key", "key-password-file", "insecure", "tls-alpn", "tls-use-os-certs", "ech"]

/** @throws UsageError */
function hostAndPort(word: string): { readonly host: string; readonly port: number | undefined } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::(\d{1,5}))?$/i.exec(word) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port ?? 1) > 65_535 || Number(port ?? 1) < 1)
    throw new UsageError(
      `"${word}" is no address; write it like broker.example:8883, [::1]:8883 or mqtts://broker.example`,
    )
  return { host, port: port === undefined ? undefined : Number(port) }
}

function placeOf(transport: Transport, host: string | undefined, port: number | undefined, options: Arguments): Place {
  const path = options.text("ws-path") ?? "/mqtt"
  if (!path.startsWith("/")) throw new UsageError(`--ws-path must begin with /, not "${path}"`)
  return {
    transport,
    host: host ?? "127.0.0.1",
    port: port ?? options.number("port", 1, 65_535) ?? ports[transport],
    path,
  }
}

/** mqtt(s)|ws(s)://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC, where nothing is escaped: a topic may have # and +. */
function addressOfUrl(url: string, options: Arguments, named: string): Address {
  const given = ["host", "port"].find((name) => options.text(name) !== undefined)
  const flag = transports.find((name) => options.flag(name))
  if (given ?? flag) throw new UsageError(`${named} says where to connect to: leave out --${given ?? flag}`)
  const form =
    /^(?<scheme>\w+):\/\/(?:(?<user>[^@/:]*)(?::(?<password>[^@/]*))?@)?(?<place>\[[^\]/]*\]|[^/:@]*)(?::(?<port>\d*))?(?:\/(?<topic>.*))?$/s
  const groups = form.exec(url)?.groups
  const transport = schemes.get(groups?.["scheme"]?.toLowerCase() ?? "")
  if (groups === undefined || transport === undefined) {
    const shown = url.replace(/\/\/[^@/]*@/, "//...@") // a password is nobody's business
    throw new UsageError(`${named} must be mqtt(s)://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC, or ws(s)://, not "${shown}"`)
  }
  const { user, password, place = "", port = "", topic = "" } = groups
  if (user !== undefined && options.text("username") !== undefined)
    throw new UsageError(`${named} has a user name: leave out --username`)
  const number = port === "" ? undefined : Number(port)
  if (number !== undefined && !(number >= 1 && number <= 65_535))
    throw new UsageError(`${named} has the port ${port}; it must be a whole number from 1 to 65535`)
  const host = place.replace(/^\[|\]$/g, "")
  return {
    place: placeOf(transport, host === "" ? undefined : host, number ?? ports[transport], options),
    username: user,
    password,
    topic: topic === "" ? undefined : topic,
  }
}
