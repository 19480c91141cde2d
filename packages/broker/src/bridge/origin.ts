// Loops. A message that comes back over a chain of bridges would go round for ever: each bridge writes its broker's name behind
// those that are there already, in a User Property, and hands on nothing that has its own. MQTT 3.1.1 has no User Properties; there
// only the other broker's No Local would help, which MQTT 3.1.1 has not either.

import { PropertyId } from "../packet/properties.ts"
import type { PropertyValue } from "../packet/property-values.ts"

/** The name of the User Property. */
export const viaName = "puremq-via"
/** Brokers that a message may have come over. */
export const mostBrokers = 16

/** The properties of a message that goes on from the broker of that name; undefined: it has been there, or has come too far. */
export function goneOver(properties: readonly PropertyValue[], name: string): readonly PropertyValue[] | undefined {
  let count = 0
  for (const { id, value } of properties) {
    if (id !== PropertyId.UserProperty || typeof value !== "object" || value[0] !== viaName) continue
    count++
    if (value[1] === name || count >= mostBrokers) return undefined
  }
  return [...properties, { id: PropertyId.UserProperty, value: [viaName, name] }]
}
