// The JSON Schema (2020-12) of the configuration file, which editors complete and check by. What an option means nothing without,
// and that names of listeners differ, it cannot say: `puremq check-config` does.

import { objectSchema } from "./group.ts"
import type { Schema, Table } from "./option.ts"

export function configurationSchema(table: Table): Schema {
  const { properties, ...others } = objectSchema(table)
  const definitions: Record<string, Schema> = Object.assign(
    {},
    ...Object.values(table).map(({ kind }) => kind.definitions),
  )
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of the PureMQ broker",
    ...others,
    properties: {
      $schema: { type: "string", description: "where this schema is, for an editor; the broker does not look at it" },
      ...Object.assign({}, properties),
    },
    $defs: definitions,
  }
}
