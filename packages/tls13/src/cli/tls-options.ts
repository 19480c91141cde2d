// The options that `connect` and `serve` share, from the command line to those of the Node adapter.

import { appendFileSync, writeFileSync } from "node:fs"
import { brotliCompression, zlibCompression } from "../adapters/node/certificate-compression.ts"
import { openedKey } from "../adapters/node/open-key.ts"
import type { CommonTlsOptions, PskOption } from "../adapters/node/options.ts"
import { chooseProvider, type ProviderName } from "../adapters/node/provider.ts"
import { rawPublicKey, SecureContext } from "../adapters/node/secure-context.ts"
import type { CertificatePolicy, ExtendVerifier } from "../adapters/node/verification.ts"
import { CipherSuite, NamedGroup, SignatureScheme } from "../bytes/code-points.ts"
import { fromHex } from "../bytes/hex.ts"
import { TLS_AES_128_CCM_8_SHA256, TLS_AES_128_CCM_SHA256 } from "../crypto/noble/ccm.ts"
import type { CryptoProvider, KeyExchange } from "../crypto/provider.ts"
import { schemeFitsKey, signatureSchemes } from "../crypto/signature-schemes.ts"
import type { Detail } from "../trace/words.ts"
import { parseCertificate } from "../x509/certificate/certificate.ts"
import { loadCredential } from "../x509/certificate/credential.ts"
import { usesMlDsa } from "../x509/certificate/uses-ml-dsa.ts"
import { loadDelegatedCredential } from "../x509/delegated/own.ts"
import { acceptDelegatedCredentials } from "../x509/delegated/verifier.ts"
import { foreignKind } from "../x509/der/file-kind.ts"
import { timeText } from "../x509/der/time.ts"
import { keyText } from "../x509/describe/describe.ts"
import { attempt, isReadable } from "../x509/errors.ts"
import type { Credential } from "../x509/interfaces.ts"
import { parseOcspResponse } from "../x509/revocation/ocsp.ts"
import { CommandError, readFile, readTextFile, reasonOf } from "./arguments.ts"
import { crlsOf, pinOf, policyOf, trustOf, within } from "./certificate-options.ts"
import { type Arguments, UsageError } from "./command-line.ts"

type Shared = Omit<CommonTlsOptions, "trace"> &
  CertificatePolicy & {
    readonly externalPsks: readonly PskOption[]
    readonly secureContext: SecureContext
    readonly extendVerifier?: ExtendVerifier
  }

/** @throws UsageError, CommandError */
export async function sharedTlsOptions(args: Arguments, role: "server" | "client"): Promise<Shared> {
  refuseOtherLetters(args)
  const provider = await providerOf(args)
  const [alpn, groups, ciphers, sigalgs] = ["alpn", "groups", "ciphers", "sigalgs"].map((name) => args.list(name))
  const keylog = keylogOf(args.text("keylog"))
  const peerKeys = args.texts("peer-key").map((key) => pinOf("peer-key", key))
  const [timeout, limit] = [args.number("timeout", 1, 3_600_000), args.number("record-size-limit", 64, 16_385)]
  return {
    secureContext: secureContext(args, provider, role),
    ...(args.flag("delegated-credentials") && { extendVerifier: acceptDelegatedCredentials }),
    ...policyOf(args),
    externalPsks: args.texts("psk").map(pskOf),
    allowPskWithoutKeyExchange: args.flag("psk-ke"),
    ...(peerKeys.length > 0 && { rawPublicKeys: peerKeys }),
    ...(alpn && { ALPNProtocols: alpn }),
    ...(groups && { ecdhCurve: groups }),
    ...(ciphers && { ciphers }),
    ...(sigalgs && { sigalgs }),
    ...(keylog && { keylog }),
    ...(timeout !== undefined && { handshakeTimeout: timeout }),
    ...(limit !== undefined && { recordSizeLimit: limit }),
    ...(args.flag("cert-compression") && { certificateCompression: [zlibCompression(), brotliCompression()] }),
  }
}

/** Names are as they are registered, but for x25519, which many write otherwise. @throws UsageError that says how */
function refuseOtherLetters(args: Arguments): void {
  for (const [option, names] of Object.entries({
    groups: NamedGroup,
    ciphers: CipherSuite,
    sigalgs: SignatureScheme,
  })) {
    for (const given of args.list(option) ?? []) {
      const meant = Object.keys(names).find((name) => name.toLowerCase() === given.toLowerCase())
      if (meant !== undefined && meant !== given && meant !== "x25519")
        throw new UsageError(`--${option} knows no ${given}: write ${meant}`)
    }
  }
}

async function providerOf(args: Arguments): Promise<CryptoProvider> {
  const name = args.oneOf("provider", "fast", "noble", "host", "mixed")
  const provider = chooseProvider(name)
  const asks = (option: string, what: RegExp) => args.list(option)?.some((name) => what.test(name)) === true
  // But for one, no provider has these of itself; who names them wants them.
  const own = (group: KeyExchange) => provider.keyExchanges.some((each) => each.name === group.name)
  const groups = asks("groups", /mlkem/i) ? (await postQuantumGroups(name)).filter((group) => !own(group)) : []
  const files = [...args.texts("cert"), ...args.texts("ca")]
  const mlDsa = asks("sigalgs", /mldsa/i) || files.some((path) => usesMlDsa(readFile(path)))
  const signatures = mlDsa ? (await postQuantum(name)).mlDsaSignatures : []
  const named = ["groups", "sigalgs"].flatMap((option) => args.list(option) ?? [])
  const more = named.some((each) => /448|brainpool|ffdhe/i.test(each))
    ? (await import("../crypto/more/index.ts")).createNamed(named)
    : undefined
  const suites = asks("ciphers", /ccm/i) ? [TLS_AES_128_CCM_SHA256, TLS_AES_128_CCM_8_SHA256] : []
  return {
    ...provider,
    keyExchanges: [...groups, ...provider.keyExchanges, ...(more?.keyExchanges ?? [])],
    signatures: [...provider.signatures, ...signatures, ...(more?.signatures ?? [])],
    cipherSuites: [...provider.cipherSuites, ...suites],
  }
}

async function postQuantumGroups(provider: ProviderName | undefined): Promise<readonly KeyExchange[]> {
  const pq = await postQuantum(provider)
  return [
    ...[pq.createX25519MLKEM768(), pq.createSecP256r1MLKEM768(), pq.createSecP384r1MLKEM1024()],
    ...[pq.createMLKEM512(), pq.createMLKEM768(), pq.createMLKEM1024()],
  ]
}

/** A package of its own, which not everybody has installed. */
async function postQuantum(provider: ProviderName | undefined) {
  try {
    return await (provider === "noble" ? import("../crypto/noble-pq/index.ts") : import("../crypto/fast-pq/index.ts"))
  } catch (error) {
    throw new CommandError(`ML-KEM and ML-DSA need the package @noble/post-quantum: ${reasonOf(error)}`)
  }
}

function secureContext(args: Arguments, provider: CryptoProvider, role: "server" | "client"): SecureContext {
  const [certs, keys] = [args.texts("cert"), args.texts("key")]
  const raw = args.flag("raw-public-key")
  if (raw && keys.length === 0) throw new UsageError("--raw-public-key shows the key of --key: give one")
  // One file may hold both.
  if (certs.length !== keys.length && keys.length > 0 && !(raw && certs.length === 0)) {
    throw new UsageError(`${certs.length} --cert but ${keys.length} --key: give them in pairs, in the same order`)
  }
  const delegated = args.texts("delegated")
  if (delegated.length > certs.length) throw new UsageError("--delegated needs the --cert that it is of")
  const staples = args.texts("ocsp-response")
  if (staples.length > certs.length) throw new UsageError("--ocsp-response needs the --cert that it is about")
  const password = passwordOf(args.text("key-password-file"))
  const credentials = certs.map((cert, i) => credentialOf(cert, keys[i] ?? cert, password, staples[i], provider))
  credentials.unshift(
    ...delegated.map((path, i) => within(path, () => delegatedOf(path, readFile(certs[i]!), role, provider))),
  )
  if (raw) credentials.unshift(...keys.map((key) => rawKeyOf(key, password)))
  return new SecureContext(credentials, trustOf(args), provider, crlsOf(args))
}

/** The first line of the file: passwords on a command line are seen by every user of the machine. */
export function passwordOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  const [password = ""] = readTextFile(path, "wanted is the password in its first line").split(/[\r\n]/)
  if (password === "") throw new CommandError(`${path}: it holds no password in its first line`)
  return password
}

function credentialOf(
  cert: string,
  key: string,
  password: string | undefined,
  staple: string | undefined,
  provider: CryptoProvider,
): Credential {
  const certBytes = readFile(cert)
  const ocspResponse = staple === undefined ? undefined : stapleOf(staple)
  const credential = within(`${cert}, ${key}`, () => {
    const keyBytes = openedKey(readFile(key), password)
    return loadCredential({ cert: certBytes, key: keyBytes, provider, ...(ocspResponse && { ocspResponse }) })
  })
  checkSignable(cert, credential, provider)
  const { notBefore, notAfter } = parseCertificate(credential.chain[0]!)
  const now = Date.now()
  if (now > notAfter) throw new CommandError(`${cert}: the certificate expired on ${timeText(notAfter)}; renew it`)
  if (now < notBefore) {
    throw new CommandError(`${cert}: the certificate is valid only from ${timeText(notBefore)}; is the clock right?`)
  }
  return credential
}

/** What `tls13 delegate` writes. */
function delegatedOf(path: string, cert: Uint8Array, role: "server" | "client", provider: CryptoProvider): Credential {
  const delegated = readTextFile(path, "wanted is what `tls13 delegate` writes", true)
  return loadDelegatedCredential({ cert, delegated, role, now: Date.now(), provider })
}

/** A key that the provider cannot sign with would fail in every handshake. */
function checkSignable(file: string, { publicKey }: Credential, { signatures }: CryptoProvider): void {
  const schemes = signatureSchemes.filter((scheme) => schemeFitsKey(scheme, publicKey))
  if (schemes.some(({ algorithm }) => signatures.some(({ name }) => name === algorithm))) return
  const names = schemes.map(({ name }) => name).join(" or ")
  throw new CommandError(`${file}: its key, ${keyText(publicKey)}, signs by ${names} alone: name it in --sigalgs`)
}

function rawKeyOf(path: string, password: string | undefined): Credential {
  return within(path, () => rawPublicKey(openedKey(readFile(path), password)))
}

/** The file of a DER OCSP response. */
function stapleOf(path: string): Uint8Array {
  const bytes = readFile(path)
  const response = attempt(() => parseOcspResponse(bytes))
  if (isReadable(response)) return bytes
  const why = foreignKind(bytes, "OCSP response") ?? response.message
  throw new CommandError(`${path} is no OCSP response in DER: ${why}`)
}

/** `ID:HEX`; the identity may have colons. */
function pskOf(value: string): PskOption {
  const at = value.lastIndexOf(":")
  const [identity, hex] = [value.slice(0, at), value.slice(at + 1)]
  if (at < 1 || !/^([0-9a-f]{2})+$/i.test(hex)) {
    throw new UsageError(`--psk must be IDENTITY:KEY with the key in hexadecimal, not "${value}"`)
  }
  if (hex.length < 32)
    throw new UsageError(`the key of --psk ${identity} has ${4 * hex.length} bits; it needs 128 or more`)
  return { identity, key: fromHex(hex) }
}

function keylogOf(path: string | undefined): ((line: string) => void) | undefined {
  if (path === undefined) return undefined
  try {
    appendFileSync(path, "", { mode: 0o600 })
  } catch (error) {
    throw new CommandError(`${path} cannot be written: ${reasonOf(error)}`)
  }
  return (line) => appendFileSync(path, `${line}\n`)
}

/** Writes what holds a secret, for this user's eyes only. @throws CommandError */
export function writeSecretFile(path: string, content: string): void {
  try {
    writeFileSync(path, content, { mode: 0o600 })
  } catch (error) {
    throw new CommandError(`${path} cannot be written: ${reasonOf(error)}`)
  }
}

/** What `--trace=bytes,secrets` asks for. @throws UsageError */
export function traceDetail(read: Arguments): Detail {
  const wanted = read.list("trace") ?? []
  for (const each of wanted) {
    if (each !== "bytes" && each !== "secrets")
      throw new UsageError(`--trace takes bytes, secrets or both, as in --trace=bytes,secrets, not "${each}"`)
  }
  return { bytes: wanted.includes("bytes"), secrets: wanted.includes("secrets") }
}
