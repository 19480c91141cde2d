// Encrypted Client Hello as BoringSSL's shim offers and takes it, and what its flags expect of it.

import { equalBytes } from "../src/bytes/equal.ts"
import { Misuse } from "../src/bytes/errors.ts"
import type { CryptoProvider } from "../src/crypto/provider.ts"
import {
  EchKeyRing,
  EncryptedClientHelloRejected,
  greaseEncryptedClientHello,
  offerEncryptedClientHello,
} from "../src/ech/index.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import type { ConnectionFlags } from "./flags.ts"
import { Failure } from "./outcomes.ts"

const unusable = "no configuration of the ECHConfigList can be used"

/** BoringSSL goes on without it when no configuration can be used, unless it is told not to. */
export function offeredEch(flags: ConnectionFlags, provider: CryptoProvider): ClientOptions["encryptedClientHello"] {
  const grease = () => (flags.has("-enable-ech-grease") ? greaseEncryptedClientHello({ provider }) : undefined)
  const configs = flags.bytes("-ech-config-list")
  if (configs === undefined && flags.has("-reject-unusable-ech-config")) throw new Failure(unusable)
  if (configs === undefined) return grease()
  try {
    return offerEncryptedClientHello({ provider, configs })
  } catch (error) {
    if (error instanceof Misuse && !flags.has("-reject-unusable-ech-config")) return grease()
    const { message } = error as Error
    throw new Failure(error instanceof Misuse ? message : `ERR_TLS_INVALID_ECH_CONFIG_LIST: ${message}`)
  }
}

export function takenEch(flags: ConnectionFlags, provider: CryptoProvider): ServerOptions["encryptedClientHello"] {
  const configs = flags.allBytes("-ech-server-config")
  if (configs.length === 0) return undefined
  const privateKeys = flags.allBytes("-ech-server-key")
  const retries = flags.numbers("-ech-is-retry-config") ?? []
  const keys = configs.map((config, at) => ({ config, privateKey: privateKeys[at]!, retry: retries[at] === 1 }))
  return new EchKeyRing({ provider, keys })
}

/** @param serverName whom the certificate was verified for @throws Failure */
export function checkEchName(flags: ConnectionFlags, serverName: string | undefined): void {
  const expected = flags.text("-expect-ech-name-override")
  const override = serverName === flags.text("-host-name") ? undefined : serverName
  if (expected !== undefined && override !== expected) throw new Failure(`name override was ${override}`)
  if (flags.has("-expect-no-ech-name-override") && override !== undefined)
    throw new Failure(`name override was ${override}`)
}

/** @throws Failure */
export function checkEchRejection(flags: ConnectionFlags, error: Error): void {
  const { retryConfigs } = error instanceof EncryptedClientHelloRejected ? error : { retryConfigs: undefined }
  const expected = flags.bytes("-expect-ech-retry-configs")
  if (expected !== undefined && !(retryConfigs && equalBytes(retryConfigs, expected))) {
    throw new Failure("ECH retry configs mismatch")
  }
  if (flags.has("-expect-no-ech-retry-configs") && retryConfigs !== undefined)
    throw new Failure("unexpected ECH retry configs")
}
