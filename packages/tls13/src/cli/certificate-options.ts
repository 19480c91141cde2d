// The options that say which certificates are believed, from the command line to those of the Node adapter.

import { existsSync } from "node:fs"
import type { CertificatePolicy } from "../adapters/node/verification.ts"
import { textOfFile } from "../x509/der/text-file.ts"
import { attempt, isReadable, X509Error } from "../x509/errors.ts"
import { type Pin, parsePin } from "../x509/keys/pins.ts"
import { parseSpki } from "../x509/keys/spki.ts"
import { type AnchorConstraints, TrustStore, trustStoreFromPem } from "../x509/path/trust.ts"
import { type Crl, CrlStore, parseCrls } from "../x509/revocation/crl.ts"
import type { RevocationMode } from "../x509/revocation/revocation.ts"
import { CommandError, readFile } from "./arguments.ts"
import { type Arguments, UsageError } from "./command-line.ts"

/** The authorities of --ca, for no other names than those of --ca-names; undefined: those of the machine. */
export function trustOf(args: Arguments): TrustStore | undefined {
  const files = args.texts("ca")
  const names = args.text("ca-names")?.split(",")
  if (files.length === 0) {
    if (names !== undefined) throw new UsageError("--ca-names limits the authorities of --ca: give them too")
    return undefined
  }
  const constraints: AnchorConstraints = names === undefined ? {} : { permittedNames: names }
  const stores = files.map((path) => ({
    path,
    store: within(path, () => trustStoreFromPem(readFile(path), constraints)),
  }))
  return new TrustStore(
    stores.flatMap(({ store }) => store.anchors),
    stores.flatMap(({ path, store }) => store.skipped.map((problem) => `${path}: ${problem}; it is left out`)),
  )
}

/** The lists of --crl. */
export function crlsOf(args: Arguments): CrlStore {
  return new CrlStore(args.texts("crl").flatMap((path): Crl[] => within(path, () => parseCrls(readFile(path)))))
}

/** --profile, --revocation and --pin. */
export function policyOf(args: Arguments): Policy {
  const profile = args.oneOf("profile", "path", "rfc5280", "webpki")
  const revocation = args.oneOf("revocation", "require", "ifPresent", "off")
  const pins = args.texts("pin").map((pin) => pinOf("pin", pin))
  return { ...(profile && { profile }), ...(revocation && { revocation }), ...(pins.length > 0 && { pins }) }
}

interface Policy extends CertificatePolicy {
  readonly revocation?: RevocationMode
  readonly pins?: readonly Pin[]
}

/** A pin, or a file with a public key. */
export function pinOf(option: string, value: string): Pin {
  const pin = attempt(() => (existsSync(value) ? pinOfFile(value) : parsePin(value)))
  if (pin instanceof X509Error) throw new UsageError(`--${option}: ${pin.message}`)
  return pin
}

function pinOfFile(path: string): Pin {
  const bytes = readFile(path)
  const read = textOfFile(bytes, wantedPin, true)
  if ("text" in read) return within(path, () => parsePin(read.text))
  const key = attempt(() => parseSpki(bytes))
  if (isReadable(key)) return bytes
  throw new CommandError(`${path}: ${key.reason === "unsupported_key" ? key.message : read.problem}`)
}

const wantedPin = "wanted is a public key, in PEM or DER, or a line sha256/BASE64"

/** What is made of a file. @throws CommandError, which names it */
export function within<T>(path: string, work: () => T): T {
  const made = attempt(work)
  if (made instanceof X509Error) throw new CommandError(`${path}: ${made.message}`)
  return made
}
