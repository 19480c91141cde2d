// Where another broker is.

import { ConfigError } from "./config.ts"

export interface BridgePlace {
  readonly transport: "tls" | "tcp" | "ws" | "wss"
  readonly host: string
  readonly port: number
  /** Of a WebSocket. */
  readonly path: string
}

const schemes: Readonly<Record<string, readonly [transport: BridgePlace["transport"], port: number]>> = {
  mqtt: ["tcp", 1883],
  mqtts: ["tls", 8883],
  ws: ["ws", 80],
  wss: ["wss", 443],
}

/** Throws ConfigError. */
export function bridgePlace(address: string): BridgePlace {
  const form = /^(\w+):\/\/(\[[0-9a-f:.]+\]|[^/:@[\]\s?#]+)(?::(\d{1,5}))?(\/[^\s#]*)?$/i
  const [, scheme = "", host = "", port, path = ""] = form.exec(address) ?? []
  const known = schemes[scheme.toLowerCase()]
  const number = port === undefined ? known?.[1] : Number(port)
  if (known === undefined || number === undefined || number < 1 || number > 65_535)
    throw new ConfigError(
      `must be like mqtts://broker.example:8883, mqtt://, wss://broker.example/mqtt or ws://, not "${withoutSecret(address)}"`,
    )
  const [transport] = known
  const isWebSocket = transport === "ws" || transport === "wss"
  if (path !== "" && path !== "/" && !isWebSocket)
    throw new ConfigError(`"${address}" has a path, which only ws:// and wss:// have`)
  return { transport, host: host.replace(/^\[|\]$/g, ""), port: number, path: path === "" ? "/mqtt" : path }
}

/** Somebody may have written a password into it. */
function withoutSecret(address: string): string {
  return address.replace(/\/\/[^@/]*@/, "//...@")
}
