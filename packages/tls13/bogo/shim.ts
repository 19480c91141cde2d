// A run of BoringSSL's shim (ssl/test/bssl_shim.cc): the first connection, then those that resume it.

import type { CryptoProvider } from "../src/crypto/provider.ts"
import { configure, Memory } from "./configuration.ts"
import { exchange } from "./exchange.ts"
import { type ConnectionFlags, parseFlags, type ShimFlags } from "./flags.ts"
import { Failure, Unimplemented } from "./outcomes.ts"

export interface ShimResult {
  /** 0: as wanted; 1: failed, as wanted or not; 89: unimplemented. */
  readonly status: number
  readonly output: string
  readonly errors: string
  /** Why, when the status is 89. */
  readonly unimplemented?: string
}

/** @param args the runner's, one character an octet; never rejects */
export async function runShim(
  args: readonly string[],
  provider: CryptoProvider,
  gone: AbortSignal,
): Promise<ShimResult> {
  // A question before the tests: whether a second process can make the handshake. Ours is one.
  if (args.includes("-is-handshaker-supported")) return { status: 0, output: "No\n", errors: "" }
  try {
    const flags = parseFlags(args)
    for (const each of [flags.initial, flags.resume, flags.retry]) checkVersions(each)
    await connections(flags, new Memory(provider), gone)
    return { status: 0, output: "", errors: "" }
  } catch (error) {
    if (error instanceof Unimplemented) return { status: 89, output: "", errors: "", unimplemented: error.message }
    const text = error instanceof Failure ? error.message : String(error instanceof Error ? error.stack : error)
    return { status: 1, output: "", errors: `${text}\n` }
  }
}

async function connections(flags: ShimFlags, memory: Memory, gone: AbortSignal): Promise<void> {
  const count = 1 + (flags.initial.number("-resume-count") ?? 0)
  for (let number = 0; number < count; number++) {
    const isResume = number > 0
    const own = isResume ? flags.resume : flags.initial
    if (isResume && !own.has("-server") && memory.session === undefined) throw new Failure("No session to offer.")
    const setup = configure(own, flags.retry, memory)
    try {
      await exchange({ flags: own, retryFlags: flags.retry, isResume, setup, memory, gone })
    } catch (error) {
      if (error instanceof Failure) throw new Failure(`Connection ${number + 1} failed.\n${error.message}`)
      throw error
    }
    memory.clockOffset += 1000 * (own.number("-resumption-delay") ?? 0)
  }
}

/** Only what TLS 1.3 can do is tried. */
function checkVersions(flags: ConnectionFlags): void {
  const tls13 = 0x0304
  const excluded =
    flags.has("-no-tls13") ||
    (flags.number("-max-version") ?? tls13) < tls13 ||
    (flags.number("-min-version") ?? 0) > tls13
  if (excluded || (flags.number("-expect-version") ?? tls13) !== tls13) throw new Unimplemented("TLS 1.2 and below")
}
