// A protected record in a line of text: for lists to choose from.

import type { ProtectedRecord } from "../knowledge/records.ts"
import { contentTypeName, endTitle } from "../words/names.ts"

export function recordTitle({ connection, from, inner, sequenceNumber, secretName }: ProtectedRecord): string {
  const stage = secretName.includes("handshake") ? "handshake" : secretName.includes("early") ? "0-RTT" : "application"
  const where = connection > 0 ? `connection ${connection + 1}, ` : ""
  return `${where}${endTitle(from)}: ${contentTypeName(inner.type)}, ${inner.content.length} bytes (${stage} key, number ${sequenceNumber})`
}
