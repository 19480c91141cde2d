import { Misuse } from "../../bytes/errors.ts"
import { createFastProvider } from "../../crypto/fast/index.ts"
import { withX25519MLKEM768 } from "../../crypto/fast-pq/with-x25519mlkem768.ts"
import { createHostProvider, withHostRecords } from "../../crypto/host/index.ts"
import { createNobleProvider } from "../../crypto/noble/index.ts"
import type { CryptoProvider, ImmediateCryptoProvider } from "../../crypto/provider.ts"

/** A provider that is made by its name, in a thread too. */
export type ProviderName = "fast" | "noble" | "host" | "mixed"

/**
 * `fast`, the default: this stack's own kernels, and noble for the rest. `noble`: the audited packages alone. `host`:
 * node:crypto, with the machine's AES instructions. `mixed`: `fast`, but node:crypto for records that are so long that it is
 * faster (on Node from 2 KiB with AES-GCM, 8 KiB with ChaCha20-Poly1305; on Deno it never is). `fast` and `mixed` have the group
 * X25519MLKEM768 before the classical ones (docs/decisions/0027). Or a provider of one's own.
 */
export type ProviderChoice = ProviderName | CryptoProvider

const make: Readonly<Record<ProviderName, () => ImmediateCryptoProvider>> = {
  fast: () => withX25519MLKEM768(createFastProvider()),
  noble: createNobleProvider,
  host: createHostProvider,
  mixed: () => withX25519MLKEM768(withHostRecords(createFastProvider())),
}

/** @throws Misuse for another name */
export function chooseProvider(choice?: ProviderName): ImmediateCryptoProvider
export function chooseProvider(choice: ProviderChoice | undefined): CryptoProvider
export function chooseProvider(choice: ProviderChoice = "fast"): CryptoProvider {
  if (typeof choice === "object") return choice
  if (!Object.hasOwn(make, choice))
    throw new Misuse(
      `there is no provider "${choice}": name one of ${Object.keys(make).join(", ")}, or give a provider`,
    )
  return make[choice]()
}
