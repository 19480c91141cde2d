import { createHostProvider } from "../../crypto/host/index.ts"
import { createNobleProvider } from "../../crypto/noble/index.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"

/** `noble`: the audited packages, the default. `host`: node:crypto, with the machine's AES instructions. Or one's own. */
export type ProviderChoice = "noble" | "host" | CryptoProvider

export function chooseProvider(choice: ProviderChoice = "noble"): CryptoProvider {
  if (typeof choice === "object") return choice
  return choice === "host" ? createHostProvider() : createNobleProvider()
}
