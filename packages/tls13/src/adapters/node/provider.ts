import { createFastProvider } from "../../crypto/fast/index.ts"
import { createHostProvider } from "../../crypto/host/index.ts"
import { createNobleProvider } from "../../crypto/noble/index.ts"
import type { CryptoProvider, ImmediateCryptoProvider } from "../../crypto/provider.ts"

/**
 * `fast`, the default: this stack's own kernels, and noble for the rest. `noble`: the audited packages alone. `host`:
 * node:crypto, with the machine's AES instructions. Or a provider of one's own.
 */
export type ProviderChoice = "fast" | "noble" | "host" | CryptoProvider

const make = { fast: createFastProvider, noble: createNobleProvider, host: createHostProvider }

export function chooseProvider(choice?: "fast" | "noble" | "host"): ImmediateCryptoProvider
export function chooseProvider(choice: ProviderChoice | undefined): CryptoProvider
export function chooseProvider(choice: ProviderChoice = "fast"): CryptoProvider {
  return typeof choice === "object" ? choice : make[choice]()
}
