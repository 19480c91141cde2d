// `--ech`, `--ech-grease` and `--ech-key` of the command line, for the core's `encryptedClientHello`.

import { existsSync } from "node:fs"
import { Misuse } from "../bytes/errors.ts"
import type { CryptoProvider } from "../crypto/provider.ts"
import {
  decodeEchConfigList,
  EchKeyRing,
  echConfigListFromPem,
  echKeysFromPem,
  greaseEncryptedClientHello,
  offerEncryptedClientHello,
  publicNameProblem,
} from "../ech/index.ts"
import type { ClientOptions } from "../handshake/options.ts"
import { attempt, isReadable } from "../x509/errors.ts"
import { CommandError, readTextFile } from "./arguments.ts"
import { within } from "./certificate-options.ts"
import { type Arguments, UsageError } from "./command-line.ts"

/** @throws UsageError, CommandError */
export function offeredEch(args: Arguments, provider: CryptoProvider): ClientOptions["encryptedClientHello"] {
  const given = args.text("ech")
  if (given === undefined) return args.flag("ech-grease") ? greaseEncryptedClientHello({ provider }) : undefined
  if (args.flag("ech-grease")) throw new UsageError("--ech and --ech-grease exclude each other")
  const configs = listOf(given)
  return explained("--ech", () => offerEncryptedClientHello({ provider, configs }))
}

/** @throws CommandError */
export function takenEch(args: Arguments, provider: CryptoProvider): EchKeyRing | undefined {
  const files = args.texts("ech-key")
  if (files.length === 0) return undefined
  const keys = files.flatMap((file) => {
    const pem = readTextFile(file, "wanted is what `tls13 ech-key` writes", true)
    return explained(file, () => within(file, () => echKeysFromPem(pem, provider)))
  })
  return explained("--ech-key", () => new EchKeyRing({ provider, keys }))
}

/** Names of which a server with these keys has a certificate, for clients whose configuration it does not know. */
export function publicNamesOf(ring: EchKeyRing | undefined): readonly string[] {
  if (ring === undefined) return []
  const names = decodeEchConfigList(ring.configs).map(({ publicName }) => publicName)
  return [...new Set(names)].filter((name) => publicNameProblem(name) === undefined)
}

/** BASE64 as a DNS record has it, or a file with an ECHCONFIG block. */
function listOf(given: string): Uint8Array {
  if (existsSync(given)) {
    const pem = readTextFile(given, "wanted is a block ECHCONFIG", true)
    return explained(given, () => within(given, () => echConfigListFromPem(pem)))
  }
  const list = explained("--ech", () =>
    attempt(() => echConfigListFromPem(`-----BEGIN ECHCONFIG-----\n${given}\n-----END ECHCONFIG-----\n`)),
  )
  if (isReadable(list)) return list
  throw new UsageError("--ech takes a file, or an ECHConfigList in base64 as an HTTPS record has it")
}

/** What is wrong with what was given is one line. */
function explained<Value>(what: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    if (error instanceof Misuse || (error instanceof Error && "alert" in error)) {
      throw new CommandError(`${what}: ${error.message}`)
    }
    throw error
  }
}
