// `tls13 ech-key`: a key for Encrypted Client Hello, and what of it is published.

import { writeFileSync } from "node:fs"
import { chooseProvider } from "../adapters/node/provider.ts"
import { quotedText } from "../bytes/text.ts"
import { echKeyToPem, encodeEchConfigList, generateEchKey, publicNameProblem } from "../ech/index.ts"
import { toBase64 } from "../x509/der/pem.ts"
import { CommandError, reasonOf } from "./arguments.ts"
import { readArguments, UsageError } from "./command-line.ts"
import { echKeyCommand } from "./commands.ts"
import type { Terminal } from "./connect.ts"

const kems = { x25519: "DHKEM(X25519, HKDF-SHA256)", p256: "DHKEM(P-256, HKDF-SHA256)" } as const

/** @throws UsageError, CommandError */
export function echKey(args: readonly string[], { output, say }: Terminal): void {
  const read = readArguments(echKeyCommand, args)
  const [publicName, ...more] = read.positionals
  if (publicName === undefined || more.length > 0)
    throw new UsageError('give one PUBLIC-NAME; see "tls13 ech-key --help"')
  const problem = publicNameProblem(publicName)
  if (problem !== undefined) throw new UsageError(`the public name ${quotedText(publicName)} ${problem}`)
  const key = generateEchKey({
    provider: chooseProvider(),
    publicName,
    kem: kems[read.oneOf("kem", "x25519", "p256") ?? "x25519"],
    maximumNameLength: read.number("max-name-length", 0, 255),
    configId: read.number("config-id", 0, 255),
  })
  const pem = echKeyToPem(key)
  const file = read.text("out")
  if (file === undefined) output.write(pem)
  else writeNew(file, pem)
  say(`publish as ech= of the HTTPS record, or give to clients (--ech): ${toBase64(encodeEchConfigList([key.config]))}`)
}

/** For this user's eyes only; a key that is there is not lost. */
function writeNew(path: string, pem: string): void {
  try {
    writeFileSync(path, pem, { mode: 0o600, flag: "wx" })
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST"
    throw new CommandError(`${path} cannot be written: ${isThere ? "it is there already" : reasonOf(error)}`)
  }
}
