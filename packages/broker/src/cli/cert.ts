import { existsSync } from "node:fs"
import type { CryptoProvider } from "@puremq/tls13"
import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { providerWith, type SignatureScheme } from "../listen/tls-choices.ts"
import { type CertificateRequest, certificateFiles, writeCertificates } from "./certificates.ts"
import { certCommand } from "./commands.ts"

export async function cert(args: readonly string[], print: (line: string) => void): Promise<void> {
  const options = readArguments(certCommand, args)
  if (options.positionals.length > 0)
    throw new UsageError(`unexpected ${options.positionals[0]}; see "puremq cert --help"`)
  const folder = options.text("dir") ?? ".puremq"
  const there = Object.values(certificateFiles(folder)).find((path) => existsSync(path))
  if (there !== undefined && !options.flag("force")) {
    throw new UsageError(`${there} is there already; choose another --dir, or --force to write over it`)
  }
  const names = options.texts("name")
  const type = options.oneOf("key", ...classical, ...postQuantum) ?? "p256"
  const files = writeCertificates(folder, {
    names: names.length > 0 ? names : ["localhost", "127.0.0.1", "::1"],
    clientName: options.text("client") ?? "client",
    clientNames: options.texts("client-san"),
    ...(await keysOf(type)),
    days: options.number("days", 1, 36_500) ?? 397,
    delegation: options.flag("delegation"),
    now: Date.now(),
  })
  print(`Authority:  ${files.ca} (key ${files.caKey})`)
  print(`Server:     ${files.cert}, ${files.key}`)
  print(`Client:     ${files.clientCert}, ${files.clientKey}`)
  print("")
  const named = type === "ed448" ? " --set listeners.tls.signatureSchemes=ed448" : ""
  print(`puremq start --cert ${files.cert} --key ${files.key} --ca ${files.ca}${named}`)
  print(`puremq sub --ca ${files.ca} --cert ${files.clientCert} --key ${files.clientKey} -t '#'`)
}

const classical = ["p256", "ed25519", "rsa", "ed448"] as const
const postQuantum = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"] as const

/** Who makes keys of this kind, and signs with them. Throws UsageError where ML-DSA, a package of its own, is not installed. */
async function keysOf(
  type: (typeof classical)[number] | (typeof postQuantum)[number],
): Promise<Pick<CertificateRequest, "type" | "keyPair" | "provider">> {
  if (type === "p256" || type === "ed25519" || type === "rsa") return { type }
  if (type === "ed448") {
    const provider = await providerOf(["ed448"], false)
    const { generateEd448Key, publicKeyOfAny } = await import("@puremq/tls13/crypto/more")
    const keyPair = () => {
      const privateKey = generateEd448Key(provider.random)
      return { privateKey, publicKey: publicKeyOfAny(privateKey) }
    }
    return { provider, keyPair }
  }
  try {
    const provider = await providerOf([], true)
    const { generateMlDsaKeyPair } = await import("@puremq/tls13/crypto/fast-pq")
    return { provider, keyPair: () => generateMlDsaKeyPair(type, provider.random) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`keys of ML-DSA need the package @noble/post-quantum: ${why}`)
  }
}

async function providerOf(asked: readonly SignatureScheme[], mlDsa: boolean): Promise<CryptoProvider> {
  const provider = await providerWith("fast", asked, mlDsa)
  if (typeof provider === "string") throw new Error(`the provider ${provider} has none`)
  return provider
}
