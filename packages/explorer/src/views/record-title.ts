// A protected record in a line of text: for lists to choose from.

import type { ProtectedRecord } from "../knowledge/records.ts"
import { contentTypeName, endTitle } from "../words/names.ts"

/** @param isOneOfSeveral whether there are other connections that it could be of */
export function recordTitle(
  { connection, from, inner, sequenceNumber, secretName }: ProtectedRecord,
  isOneOfSeveral: boolean,
): string {
  const stage = secretName.includes("handshake") ? "handshake" : secretName.includes("early") ? "0-RTT" : "application"
  const where = isOneOfSeveral ? `connection ${connection + 1}, ` : ""
  return `${where}${endTitle(from)}: ${contentTypeName(inner.type)}, ${inner.content.length} bytes (${stage} key, number ${sequenceNumber})`
}
