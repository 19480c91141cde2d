// Completions for shells: what is in them, and what the shells make of it. Bash is everywhere; zsh and fish are asked where they are.

import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { rowsOf } from "@puremq/tls13/command-line"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { program } from "../commands.ts"
import { completions } from "../completions.ts"

const shells = ["bash", "zsh", "fish"] as const
const isThere = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0
const there = { bash: isThere("bash"), zsh: isThere("zsh"), fish: isThere("fish") }

function scriptOf(shell: string): string {
  const lines: string[] = []
  completions([shell], (line) => lines.push(line))
  return `${lines.join("\n")}\n`
}

const folder = mkdtempSync(join(tmpdir(), "puremq-completion-"))
const fileOf = (shell: string) => join(folder, shell === "zsh" ? "_puremq" : `puremq.${shell}`)
beforeAll(() => {
  for (const shell of shells) writeFileSync(fileOf(shell), scriptOf(shell))
  mkdirSync(join(folder, "here/a folder"), { recursive: true })
  writeFileSync(join(folder, "here/server.pem"), "")
  writeFileSync(join(folder, "here/other file.toml"), "")
})
afterAll(() => rmSync(folder, { recursive: true }))

function run(shell: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync(shell, args, {
    cwd: join(folder, "here"),
    encoding: "utf8",
    input,
    env: { ...process.env, HOME: folder, TERM: "dumb", XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
  })
  expect([status, stderr]).toEqual([0, ""])
  return stdout
}

describe.each(shells)("%s", (shell) => {
  it("has every command and every option", () => {
    const script = scriptOf(shell)
    for (const [word, command] of Object.entries(program.commands)) {
      expect(script).toMatch(new RegExp(`\\b${word}\\b`))
      for (const { name, short } of rowsOf(command)) {
        expect(script).toMatch(shell === "fish" ? new RegExp(`-l ${name}\\b`) : new RegExp(`--${name}\\b`))
        if (short === undefined || shell === "bash") continue
        expect(script).toMatch(shell === "fish" ? new RegExp(`-s ${short} `) : new RegExp(`'\\*?-${short}[+[]`))
      }
    }
  })

  it.skipIf(!there[shell])("is taken by the shell", () => {
    run(shell, ["-n", fileOf(shell)])
  })
})

/** What a shell offers for a line, the cursor at its end. */
const cases: readonly (readonly [line: string, has: readonly string[], hasNot: readonly string[]])[] = [
  ["puremq st", ["start", "store"], ["stop", "sub"]],
  ["puremq check", ["check-config"], ["store"]],
  ["puremq --tl", ["--tls"], ["--topic"]],
  ["puremq pub --will-", ["--will-topic", "--will-payload", "--will-qos", "--will-retain"], ["--topic"]],
  ["puremq pub --qos ", ["0", "1", "2"], ["server.pem"]],
  ["puremq pub -q ", ["0", "1", "2"], ["server.pem"]],
  ["puremq cert --key ", ["p256", "ed25519", "rsa", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"], ["server.pem"]],
  ["puremq start --client-cert re", ["request", "require"], ["none"]],
  ["puremq --log ", ["text", "json", "otel", "none"], []],
  ["puremq start --set limits.maximumInfl", ["limits.maximumInflight="], []],
  ["puremq start --set listeners.tls.por", ["listeners.tls.port="], []],
  ["puremq sub --cafile se", ["server.pem"], []],
  ["puremq start --config o", ["other file.toml"], []],
  ["puremq store ", ["check", "export", "import", "compact"], ["server.pem"]],
  ["puremq store check a", ["a folder"], ["server.pem"]],
  ["puremq store --incomplete import a", ["a folder"], []],
  ["puremq import --from emqx s", ["server.pem"], []],
  ["puremq completions ", ["bash", "zsh", "fish"], ["server.pem"]],
  ["puremq check-config --print=", ["toml", "json"], []],
]

/** As it is typed: a shell writes a space in a name with a backslash, or as it is. */
const plain = (text: string) => text.replaceAll("\\ ", " ").replace(/\/$/, "")

describe.skipIf(!there.bash)("bash offers", () => {
  it.each(cases)("for %j", (line, has, hasNot) => {
    // Readline's words: = is one of its own.
    const words = line.split(/ |(?<==)|(?==)/)
    const script = `source ${fileOf("bash")}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_puremq 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"`
    const offered = run("bash", ["--norc", "-c", script]).split("\n").map(plain)
    for (const word of has) expect(offered).toContain(word)
    for (const word of hasNot) expect(offered).not.toContain(word)
  })

  it("with the completion that is registered", () => {
    expect(run("bash", ["--norc", "-c", `source ${fileOf("bash")}; complete -p puremq`])).toBe(
      "complete -F _puremq puremq\n",
    )
  })
})

describe.skipIf(!there.fish)("fish offers", () => {
  it.each(cases)("for %j", (line, has, hasNot) => {
    const offered = run("fish", ["--no-config", "-c", `source ${fileOf("fish")}; complete -C '${line}'`])
      .split("\n")
      .map((each) => plain(each.split("\t")[0] ?? "").replace(/^--print=/, ""))
    for (const word of has) expect(offered).toContain(word)
    for (const word of hasNot) expect(offered).not.toContain(word)
  })
})

describe.skipIf(!there.zsh)("zsh offers", () => {
  it("what it should, on a terminal", { timeout: 60_000 }, () => {
    // What is offered is taken where zsh adds it: the list on the terminal is for people.
    const script = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PROMPT=; fpath=(${folder} $fpath); autoload -U compinit; compinit -u -d ${folder}/dump; cd ${folder}/here; zstyle ":completion:*" list-prompt ""; setopt no_auto_menu no_list_ambiguous; LISTMAX=0; stty columns 400 rows 100
compadd() { local -a hits; builtin compadd -O hits "$@"; for hit in $hits; do print -r -- "OFFER<$hit>" >> ${folder}/offered; done; builtin compadd "$@"; }
over() { BUFFER=; print DONE >> ${folder}/offered }; zle -N over; bindkey "^T" over; echo READY'
zpty -r z out '*READY*READY*' || true
while read -r line; do
  print -r -- "LINE<$line>" >> ${folder}/offered
  zpty -w -n z "\${line% END}"$'\\t'$'\\x14'
  for (( i = 0; i < 1000; i++ )); do
    [[ $(tail -n 1 ${folder}/offered) == DONE ]] && break
    sleep 0.02
  done
done
zpty -d z`
    writeFileSync(join(folder, "drive.zsh"), script)
    run("zsh", ["-f", join(folder, "drive.zsh")], `${cases.map(([line]) => `${line} END`).join("\n")}\n`)
    const parts = readFileSync(join(folder, "offered"), "utf8")
      .split(/^LINE<.*>\n/m)
      .slice(1)
    expect(parts.length).toBe(cases.length)
    cases.forEach(([line, has, hasNot], i) => {
      const offered = [...(parts[i] ?? "").matchAll(/^OFFER<(.*)>$/gm)].map(([, word = ""]) => plain(word))
      for (const word of has) expect(offered, line).toContain(word)
      for (const word of hasNot) expect(offered, line).not.toContain(word)
    })
  })
})

it.each([[[]], [["tcsh"]], [["bash", "zsh"]]])("puremq completions %j is refused", (args) => {
  expect(() => completions(args, () => undefined)).toThrow(/; see "puremq completions --help"$/)
})
