// Whose work is measured in memory.

import type { CryptoProvider, KeyExchange } from "@puremq/tls13"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import type { HandshakeWork } from "./work.ts"

/** `node`: node:tls for handshakes, node:crypto for records and hashes. */
export const subjectNames: readonly SubjectName[] = ["noble", "fast", "fast-plain", "host", "node"]
/** `fast-tables`: a choice of `fast`, which is measured where it makes a difference. */
export type SubjectName = "noble" | "fast" | "fast-plain" | "fast-tables" | "host" | "node"

/** A subject that this version or this runtime does not have; the message says why. */
export class Absent extends Error {
  override readonly name = "Absent"
}

/** What this provider computes in WebAssembly and what in TypeScript, by family of algorithms; a version without WebAssembly says nothing. */
interface ByKernels {
  kernels?(): Readonly<Record<string, string>>
}

/** What `fast` takes in versions that have WebAssembly; others look at no option. */
const makeFast = createFastProvider as (options: {
  readonly webAssembly?: "off"
  readonly ghash?: "tables"
}) => CryptoProvider & ByKernels

/** Whether `fast` computes anything in WebAssembly here. */
export function hasWebAssembly(): boolean {
  return Object.values(makeFast({}).kernels?.() ?? {}).includes("WebAssembly")
}

/** @throws Absent for fast-plain and fast-tables where fast has no WebAssembly to be without or to have tables in */
export function providerOf(subject: Exclude<SubjectName, "node">): CryptoProvider {
  switch (subject) {
    case "noble":
      return createNobleProvider()
    case "fast":
      return makeFast({})
    case "host":
      return createHostProvider()
    case "fast-plain":
      if (!hasWebAssembly()) throw new Absent("fast uses no WebAssembly here: it is plain TypeScript itself")
      return makeFast({ webAssembly: "off" })
    case "fast-tables":
      if (!hasWebAssembly()) throw new Absent("fast uses no WebAssembly here: it has no tables of GHASH")
      return makeFast({ ghash: "tables" })
  }
}

/** The provider with what the handshake needs of ML-KEM and ML-DSA, which are for who wants them. */
export async function withPostQuantum(
  provider: CryptoProvider & ByKernels,
  { group, signature }: Pick<HandshakeWork, "group" | "signature">,
): Promise<CryptoProvider> {
  const whole = await withHybrid(provider, group)
  const lacks = signature.startsWith("ml-dsa") && whole.signatures.every(({ name }) => !name.startsWith("mldsa"))
  if (!lacks) return whole
  const { mlDsaSignatures } = await import("@puremq/tls13/crypto/noble-pq")
  return { ...whole, signatures: [...whole.signatures, ...mlDsaSignatures] }
}

async function withHybrid(provider: CryptoProvider & ByKernels, group: string): Promise<CryptoProvider> {
  if (!group.includes("MLKEM")) return provider
  if (Object.values(provider.kernels?.() ?? {}).includes("WebAssembly")) {
    const fast = await import("@puremq/tls13/crypto/fast-pq")
    const groups = [fast.createX25519MLKEM768(), fast.createSecP256r1MLKEM768(), fast.createSecP384r1MLKEM1024()]
    return { ...provider, keyExchanges: [...groups, ...provider.keyExchanges] }
  }
  const { createX25519MLKEM768, createSecP256r1MLKEM768, createSecP384r1MLKEM1024 } = await import(
    "@puremq/tls13/crypto/noble-pq"
  )
  const classical = (name: string) => provider.keyExchanges.find((exchange) => exchange.name === name) as never
  const hybrids: KeyExchange[] = [
    createX25519MLKEM768(classical("x25519")),
    createSecP256r1MLKEM768(classical("secp256r1")),
    createSecP384r1MLKEM1024(classical("secp384r1")),
  ]
  return { ...provider, keyExchanges: [...hybrids, ...provider.keyExchanges] }
}
