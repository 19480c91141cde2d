import { createFastProvider } from "../../crypto/fast/index.ts"
import { createHostProvider } from "../../crypto/host/index.ts"
import { createNobleProvider } from "../../crypto/noble/index.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"

/**
 * `fast`, the default: this stack's own kernels, and noble for the rest. `noble`: the audited packages alone. `host`:
 * node:crypto, with the machine's AES instructions. Or a provider of one's own.
 */
export type ProviderChoice = "fast" | "noble" | "host" | CryptoProvider

const make = { fast: createFastProvider, noble: createNobleProvider, host: createHostProvider }

/** A provider is plain data, so one of each is enough. It is made when it is first asked for. */
const made = new Map<keyof typeof make, CryptoProvider>()

export function chooseProvider(choice: ProviderChoice = "fast"): CryptoProvider {
  if (typeof choice === "object") return choice
  const provider = made.get(choice) ?? make[choice]()
  made.set(choice, provider)
  return provider
}
