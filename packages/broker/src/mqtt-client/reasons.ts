import { reasonName } from "../packet/reason-codes.ts"

/** Of MQTT 3.1.1 (Table 3.1). */
export const returnTexts: readonly string[] = [
  "accepted",
  "protocol version",
  "client identifier",
  "server unavailable",
  "user name or password",
  "not authorized",
]

/** A Reason Code by its name, with what the broker says of it. */
export function reasonText(reasonCode: number, reasonString?: string, serverReference?: string): string {
  const name = reasonName(reasonCode)
  const where = serverReference === undefined ? "" : `: ${serverReference}`
  return `${name}${where}${reasonString === undefined ? "" : ` (${reasonString})`}`
}
