import { randomBytes } from "node:crypto"
import { chmodSync, renameSync, statSync, writeFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { Writable } from "node:stream"
import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { defaultCost, passwordLine, saltLength, scramSuffix } from "../access/password-file.ts"
import { defaultIterations, leastIterations, mostIterations } from "../access/scram-keys.ts"
import { readPasswordFile } from "../config/text-file.ts"
import { pbkdf2 } from "../platform/node-pbkdf2.ts"
import { scrypt } from "../platform/node-scrypt.ts"
import { passwdCommand } from "./commands.ts"

export async function passwd(args: readonly string[], print: (line: string) => void): Promise<void> {
  const options = readArguments(passwdCommand, args)
  const [file, user, extra] = options.positionals
  if (file === undefined || user === undefined || extra !== undefined) {
    throw new UsageError('expected FILE and USER; see "puremq passwd --help"')
  }
  const cost = { ...defaultCost, ln: options.number("cost", 10, 17) ?? defaultCost.ln }
  const scram = options.flag("scram")
  const iterations = options.number("iterations", leastIterations, mostIterations)
  if (iterations !== undefined && !scram) throw new UsageError("--iterations is about --scram: give both")
  // Rather stop than write to a file that is something else; one that was just made is none.
  const text = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0 ? "" : readPasswordFile(file)
  const lines = text.split(/\r?\n/).filter((line) => line !== "")
  const others = lines.filter((line) => !line.startsWith(`${user}:`))
  const known = lines.find((line) => line.startsWith(`${user}:`))
  if (options.flag("delete")) {
    if (known === undefined) throw new UsageError(`${file} has no user ${user}`)
    save(file, others)
    print(`Deleted ${user} from ${file}`)
    return
  }
  const password = await askPassword(user)
  if (password === "") throw new UsageError("an empty password protects nothing")
  // The input may be a file in UTF-16, or in another encoding: no client would send what is read of it.
  if (/[\0\ufffd]/.test(password))
    throw new UsageError("the password is no text in UTF-8; convert it with `iconv` first")
  let line: string
  try {
    line = await passwordLine(user, password, randomBytes(saltLength), cost, scrypt)
    // A salt of its own: neither of both says anything about the other.
    if (scram)
      line += await scramSuffix(user, password, randomBytes(saltLength), iterations ?? defaultIterations, pbkdf2)
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message)
    throw error
  }
  save(file, [...others, line])
  const lost = !scram && known?.includes(":SCRAM-") === true
  const how = lost ? "; the keys for SCRAM of the old password are gone: with --scram there are new ones" : ""
  print(`${known === undefined ? "Added" : "Changed"} ${user} in ${file}${how}`)
}

/** Never empty: a broker takes an empty file for one that is not written yet. */
function save(file: string, lines: readonly string[]): void {
  const next = `${file}.new`
  writeFileSync(next, `${lines.length === 0 ? "# users, written by puremq passwd" : lines.join("\n")}\n`, {
    mode: 0o600,
  })
  chmodSync(next, 0o600)
  renameSync(next, file)
}

/** From the terminal without showing it, or the first line of standard input. */
async function askPassword(user: string): Promise<string> {
  const terminal = process.stdin.isTTY === true
  if (terminal) process.stderr.write(`Password for ${user}: `)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: silent, terminal })
  for await (const line of reader) {
    reader.close()
    if (terminal) process.stderr.write("\n")
    return line.replace(/^\ufeff/, "")
  }
  return ""
}
