// Which options there are, by their paths: `limits.maximumConnections`, `listeners.*.cert`, `bridges.address`.

import { everyOption } from "../schema/option.ts"
import { options } from "../schema/options.ts"

const known: ReadonlySet<string> = new Set(
  everyOption(options).map(({ path: [first = "", ...rest] }) =>
    [first, ...(first === "listeners" && rest.length > 0 ? ["*"] : []), ...rest].join("."),
  ),
)

export function knownPath(path: string): boolean {
  return known.has(path)
}
