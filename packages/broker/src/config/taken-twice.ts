// Two that would listen on the same port of the same address: only the first could.

import { ConfigError } from "./config.ts"
import type { FileConfig } from "./file-config.ts"
import { namesOfListeners } from "./schema/listener-names.ts"
import { memberOf } from "./schema/path.ts"

interface Door {
  readonly place: string
  readonly port: number
  readonly host: string
}

/** What is wrong with the second of two; undefined: each has its own. @param placeOf a listener, by its name */
export function takenTwice(config: FileConfig, placeOf: (name: string) => string): ConfigError | undefined {
  const doors = doorsOf(config, placeOf)
  for (const [at, { place, port, host }] of doors.entries()) {
    const isSame = (other: Door) => other.port === port && sharesAddress(other.host, host)
    const before = port === 0 ? undefined : doors.slice(0, at).find(isSame)
    if (before === undefined) continue
    const where = memberOf(place, "port")
    return new ConfigError(`${where} is ${port}, which ${before.place} has already: give each its own`, where)
  }
  return undefined
}

function doorsOf({ listeners = [], metrics, admin }: FileConfig, placeOf: (name: string) => string): readonly Door[] {
  const names = namesOfListeners(listeners)
  const all = [
    ...listeners.map(({ port, host }, i) => ({ place: placeOf(names[i] ?? ""), port, host })),
    { place: "metrics", ...metrics },
    { place: "admin", ...admin },
  ]
  return all.map(({ place, port = 0, host = "127.0.0.1" }) => ({ place, port, host }))
}

function sharesAddress(one: string, other: string): boolean {
  if (one.toLowerCase() === other.toLowerCase()) return true
  // The address of IPv6 that stands for all takes those of IPv4, too.
  const isAll = (host: string, of: string) => host === "::" || (host === "0.0.0.0" && !of.includes(":"))
  return isAll(one, other) || isAll(other, one)
}
