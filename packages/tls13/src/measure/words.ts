// What a run is called, in words for people.

import type { Run } from "./report.ts"
import { figure } from "./text-table.ts"

const partWords: Readonly<Record<string, string>> = {
  late: "late: from when it was due to its start",
  connect: "TCP connect",
  handshake: "TLS handshake, WebSocket's start",
  client: "client's TLS calls",
  wait: "waiting for the server and the network",
  behind: "  of that, at most: client busy with others",
  close: "afterwards: tickets and close",
  connack: "CONNECT to CONNACK",
  suback: "SUBSCRIBE to SUBACK",
  puback: "PUBLISH to PUBACK",
  pubcomp: "PUBLISH to PUBCOMP",
  pingresp: "PINGREQ to PINGRESP",
}

/** Whom a run measured, for people. */
export function subjectOf({ target }: Pick<Run, "target">): string {
  return target.name ?? `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`
}

export function loopWords({ loop }: Pick<Run, "loop">): string {
  const { concurrency } = loop
  if (loop.kind === "closed") return `closed loop, ${figure(concurrency)} at once`
  return `open loop, ${figure(loop.rate)} due a second${concurrency === 0 ? "" : `, at most ${figure(concurrency)} at once`}`
}

export function agreedWords({ agreed }: Run): string {
  return Object.entries(agreed)
    .map(([name, value]) =>
      ["protocol", "cipher suite", "key exchange", "signature"].includes(name) ? value : `${name}: ${value}`,
    )
    .join(", ")
}

/** Names of the parts of a handshake, for people. */
export function partName(part: string): string {
  return partWords[part] ?? part
}

/** Empty: there are none. */
export function talliesWords({ tallies = {} }: Pick<Run, "tallies">): string {
  return Object.entries(tallies)
    .map(([name, count]) => `${figure(count)} ${name}`)
    .join(", ")
}
