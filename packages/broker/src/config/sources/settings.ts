// Values that are written as text.

import type { Option } from "../schema/option.ts"
import type { Origin, Setting } from "./origin.ts"

/**
 * What a text sets: the option, or each option of an object that has a short form. Throws ConfigError.
 * @param where what errors call it: a variable, or a flag
 * @param read default: as the file has it
 */
export function settingsOf(
  path: readonly string[],
  { kind }: Option<unknown>,
  text: string,
  where: string,
  origin: Origin,
  read: typeof kind.read = kind.read,
): Setting[] {
  const value = read?.(text, where)
  if (kind.parts === undefined || typeof value !== "object" || value === null) return [{ path, value, origin }]
  return Object.entries(value).map(([name, each]) => ({ path: [...path, name], value: each, origin }))
}
