import { randomBytes } from "node:crypto"
import { chmodSync, renameSync, statSync, writeFileSync } from "node:fs"
import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { scopes, tokenLine, tokenName, tokenPrefix } from "../admin/tokens.ts"
import { readTokenFile } from "../config/text-file.ts"
import { tokenCommand } from "./commands.ts"

/** Bytes of a token that nobody can guess. */
const secretLength = 32

export async function token(args: readonly string[], print: (line: string) => void): Promise<void> {
  const options = readArguments(tokenCommand, args)
  const [file, name, extra] = options.positionals
  if (file === undefined || name === undefined || extra !== undefined)
    throw new UsageError('expected FILE and NAME; see "puremq token --help"')
  if (!tokenName.test(name))
    throw new UsageError(
      "NAME has 1 to 64 letters, digits and . _ - @: it is for the log, such as dashboard or ann@laptop",
    )
  const given = options.text("scope") ?? "read"
  const scope = scopes.find((one) => one === given)
  if (scope === undefined) throw new UsageError(`--scope is ${scopes.join(" or ")}, not ${given}`)
  // Rather stop than write to a file that is something else; one that was just made is none.
  const text = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0 ? "" : readTokenFile(file)
  const lines = text.split(/\r?\n/).filter((line) => line !== "")
  const others = lines.filter((line) => !line.startsWith(`${name}:`))
  const isKnown = others.length < lines.length
  if (options.flag("delete")) {
    if (!isKnown) throw new UsageError(`${file} has no token ${name}`)
    save(file, others)
    print(`Deleted ${name} from ${file}`)
    return
  }
  if (isKnown && !options.flag("force"))
    throw new UsageError(`${file} has a token ${name} already: --force puts a new one in its place`)
  const secret = `${tokenPrefix}${randomBytes(secretLength).toString("base64url")}`
  save(file, [...others, tokenLine(name, scope, secret)])
  print(secret)
}

/** Never empty: a broker takes an empty file for one that is not written yet. */
function save(file: string, lines: readonly string[]): void {
  const next = `${file}.new`
  const text = lines.length === 0 ? "# tokens of the admin API, written by puremq token" : lines.join("\n")
  writeFileSync(next, `${text}\n`, { mode: 0o600 })
  chmodSync(next, 0o600)
  renameSync(next, file)
}
