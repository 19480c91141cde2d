// The options that say which certificates are believed, from the command line to those of the Node adapter.

import { existsSync } from "node:fs"
import type { CertificatePolicy } from "../adapters/node/verification.ts"
import { textOfFile } from "../x509/der/text-file.ts"
import { X509Error } from "../x509/errors.ts"
import { type Pin, parsePin } from "../x509/keys/pins.ts"
import { parseSpki } from "../x509/keys/spki.ts"
import { type AnchorConstraints, TrustStore, trustStoreFromPem } from "../x509/path/trust.ts"
import { type Crl, CrlStore, parseCrls } from "../x509/revocation/crl.ts"
import type { RevocationMode } from "../x509/revocation/revocation.ts"
import { type Arguments, CommandError, type OptionTable, readFile, UsageError } from "./arguments.ts"

export const policyOptions: OptionTable = {
  ca: { type: "string", multiple: true },
  "ca-names": { type: "string" },
  crl: { type: "string", multiple: true },
  revocation: { type: "string" },
  profile: { type: "string" },
  pin: { type: "string", multiple: true },
}

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
  try {
    return existsSync(value) ? pinOfFile(value) : parsePin(value)
  } catch (error) {
    if (error instanceof X509Error) throw new UsageError(`--${option}: ${error.message}`)
    throw error
  }
}

function pinOfFile(path: string): Pin {
  const bytes = readFile(path)
  const read = textOfFile(bytes, wantedPin, true)
  if ("text" in read) return within(path, () => parsePin(read.text))
  try {
    parseSpki(bytes)
    return bytes
  } catch (error) {
    if (!(error instanceof X509Error)) throw error
    throw new CommandError(`${path}: ${error.reason === "unsupported_key" ? error.message : read.problem}`)
  }
}

const wantedPin = "wanted is a public key, in PEM or DER, or a line sha256/BASE64"

function within<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof X509Error) throw new CommandError(`${path}: ${error.message}`)
    throw error
  }
}
