// `tls13 delegate`: a delegated credential (RFC 9345) and its key.

import { openedKey } from "../adapters/node/open-key.ts"
import { chooseProvider } from "../adapters/node/provider.ts"
import { Pause } from "../bytes/pause.ts"
import { generateKeyPair, privateKeyToPem } from "../devcert/keys.ts"
import { createDelegatedCredential, delegatedCredentialToPem, loadDelegatedCredential } from "../x509/delegated/own.ts"
import { timeText } from "../x509/der/time.ts"
import { readFile } from "./arguments.ts"
import { within } from "./certificate-options.ts"
import { readArguments, UsageError } from "./command-line.ts"
import { delegateCommand } from "./commands.ts"
import type { Terminal } from "./connect.ts"
import { passwordOf, writeSecretFile } from "./tls-options.ts"

/** @throws UsageError, CommandError */
export function delegate(args: readonly string[], { output, say }: Terminal): void {
  const read = readArguments(delegateCommand, args)
  const [unexpected] = read.positionals
  if (unexpected !== undefined) throw new UsageError(`unexpected ${unexpected}; see "tls13 delegate --help"`)
  const file = read.text("cert")
  if (file === undefined) throw new UsageError('give the certificate (--cert); see "tls13 delegate --help"')
  const provider = chooseProvider()
  const [cert, now] = [readFile(file), Date.now()]
  const key = openedKey(readFile(read.text("key") ?? file), passwordOf(read.text("key-password-file")))
  const { privateKey, publicKey } = generateKeyPair(
    read.oneOf("type", "p256", "p384", "ed25519") ?? "p256",
    provider.random,
  )
  const role = read.oneOf("for", "server", "client") ?? "server"
  const hours = read.number("hours", 1, 168) ?? 24
  const made = within(file, () => createDelegatedCredential({ cert, key, publicKey, role, hours, now, provider }))
  if (made instanceof Pause) throw new Error("a key in memory signs at once")
  const pem = delegatedCredentialToPem(made) + privateKeyToPem(privateKey)
  const { delegated } = loadDelegatedCredential({ cert, delegated: pem, role, now, provider })
  const out = read.text("out")
  if (out === undefined) output.write(pem)
  else writeSecretFile(out, pem)
  say(`valid until ${timeText(delegated!.validUntil)}`)
}
