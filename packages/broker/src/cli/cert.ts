import { existsSync } from "node:fs"
import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { certificateFiles, writeCertificates } from "./certificates.ts"
import { certCommand } from "./commands.ts"

export function cert(args: readonly string[], print: (line: string) => void): void {
  const options = readArguments(certCommand, args)
  if (options.positionals.length > 0)
    throw new UsageError(`unexpected ${options.positionals[0]}; see "puremq cert --help"`)
  const folder = options.text("dir") ?? ".puremq"
  const there = Object.values(certificateFiles(folder)).find((path) => existsSync(path))
  if (there !== undefined && !options.flag("force")) {
    throw new UsageError(`${there} is there already; choose another --dir, or --force to write over it`)
  }
  const names = options.texts("name")
  const files = writeCertificates(folder, {
    names: names.length > 0 ? names : ["localhost", "127.0.0.1", "::1"],
    clientName: options.text("client") ?? "client",
    clientNames: options.texts("client-san"),
    type: options.oneOf("type", "p256", "ed25519", "rsa") ?? "p256",
    days: options.number("days", 1, 36_500) ?? 397,
    now: Date.now(),
  })
  print(`Authority:  ${files.ca} (key ${files.caKey})`)
  print(`Server:     ${files.cert}, ${files.key}`)
  print(`Client:     ${files.clientCert}, ${files.clientKey}`)
  print("")
  print(`puremq start --cert ${files.cert} --key ${files.key} --ca ${files.ca}`)
  print(`puremq sub --ca ${files.ca} --cert ${files.clientCert} --key ${files.clientKey} -t '#'`)
}
