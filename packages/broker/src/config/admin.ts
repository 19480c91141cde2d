// What a reload says of the admin API.

import type { AdminConfig } from "./config.ts"
import type { Reread } from "./reread.ts"

/** For a line of the log. */
export function rereadAdmin(before: AdminConfig, after: Pick<AdminConfig, "tokens" | "cert" | "key">): Reread[] {
  const told = (text: string, changed: boolean) =>
    changed ? [{ text: `${text} of the admin API, changed`, changed }] : []
  return [
    ...told("tokens", before.tokens !== after.tokens),
    ...told("certificate", before.cert !== after.cert || before.key !== after.key),
  ]
}
