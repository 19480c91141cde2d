// In which partition something is: what its publisher, or its session, has for a Client Identifier.

import { encodeText } from "../packet/bytes.ts"

/** The same on each node, whatever it is: 32 bits of FNV-1a. */
export function partitionOf(clientId: string, partitions: number): number {
  let hash = 0x811c9dc5
  for (const byte of encodeText(clientId)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % partitions
}
