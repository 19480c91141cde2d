// Client "d", whose session stays when its connection ends.

import { accepted, type Bytes, connect, four, suback, subscribe, type Version } from "../bytes.ts"
import { c, d, type lineOf, type Steps } from "../row.ts"

/** CONNECT of "d" whose session stays. */
export function staying(version: Version, clean: boolean): Bytes {
  return connect(version, { id: "d", clean, properties: [0x17, 0, 0x11, ...four(100)] })
}

/** "d" has "a" at this QoS, and its session stays. */
export function subscribed(version: Version, qos: number): Steps {
  return [
    d.sends(staying(version, false)),
    d.gets(accepted(version)),
    d.sends(subscribe(version, 1, [["a", qos]])),
    d.gets(suback(version, 1, qos)),
    c.joins,
  ]
}

/** It comes back on that line. */
export function back(version: Version, line: ReturnType<typeof lineOf>, ...more: readonly Bytes[]): Steps {
  return [line.sends(staying(version, false)), line.gets(accepted(version, true), ...more)]
}
