// The rules of docs/architecture.md about what may import what, as tables, and the check of a source tree against them.

import { posix } from "node:path"
import { type Import, lineOf, type Scanned, scan } from "./scan.ts"

/** A source tree: path from the repository's root, with forward slashes, to text. Tests are not part of it. */
export type Tree = ReadonlyMap<string, string>

/** What is wrong, as `path:line: sentence`. */
export type Finding = string

/** The `exports` of a package.json: entry point to its source file, such as `./x509` to `./src/x509/index.ts`. */
export type Entries = ReadonlyMap<string, string>

/* ---------------------------------------------------------------- the tables */

/** A folder of packages/tls13/src imports only folders with a smaller number. `trace` stands beside: see `sideFloor`. */
export const floors: Readonly<Record<string, number>> = {
  bytes: 1,
  codec: 2,
  crypto: 3,
  schedule: 4,
  hpke: 4,
  record: 5,
  x509: 6,
  session: 6,
  handshake: 7,
  connection: 8,
  ech: 8,
  adapters: 9,
  dangerous: 9,
  devcert: 9,
  explore: 9,
  measure: 9,
  recording: 9,
  testing: 9,
  cli: 10,
}

/** The core, floors 1 to 8, runs on any engine; what is above it, and `crypto/host`, may know a runtime. */
const outsideTheCore = ["adapters/", "devcert/", "cli/", "crypto/host/"]

/** A floor that others see only in part, so that a device does not carry what it does not use. */
const visibleParts: readonly {
  readonly of: string
  readonly files: readonly string[]
  readonly to: readonly string[]
}[] = [
  { of: "x509", files: ["x509/interfaces.ts"], to: ["session", "handshake", "connection"] },
  { of: "session", files: ["session/session.ts"], to: ["handshake", "connection"] },
]

/** Folders inside a floor: `from` never imports `to`. Both are prefixes; `except` are those of `from` that may. */
const apart: readonly { readonly from: string; readonly to: string; readonly except?: string }[] = [
  { from: "handshake/client/", to: "handshake/server/" },
  { from: "handshake/server/", to: "handshake/client/" },
  { from: "handshake/", to: "handshake/client/", except: "handshake/client/" },
  { from: "handshake/", to: "handshake/server/", except: "handshake/server/" },
  { from: "crypto/noble/", to: "crypto/fast/" },
  { from: "crypto/noble/", to: "crypto/host/" },
  { from: "crypto/fast/", to: "crypto/host/" },
  { from: "crypto/fast/", to: "crypto/noble-pq/" },
  { from: "crypto/fast/", to: "crypto/fast-pq/" },
  { from: "crypto/host/", to: "crypto/fast/" },
]

/** The implementations of the crypto provider: only they name a package or a host's cryptography. */
const providers = [
  "crypto/noble/",
  "crypto/noble-pq/",
  "crypto/more/",
  "crypto/fast/",
  "crypto/fast-pq/",
  "crypto/host/",
]

/** Modules from outside, and the only places of packages/tls13/src that import them. The first row that fits decides. */
const outside: readonly { readonly module: RegExp; readonly places: readonly string[] }[] = [
  { module: /^@noble\//, places: ["crypto/noble/", "crypto/noble-pq/", "crypto/more/", "crypto/fast/"] },
  { module: /^node:crypto$/, places: ["crypto/host/"] },
  { module: /^node:/, places: ["crypto/host/", "adapters/node/", "cli/"] },
  { module: /^cloudflare:/, places: ["adapters/workerd.ts"] },
  { module: /^bun$|^bun:/, places: ["adapters/bun.ts"] },
]

/** What the core would need a runtime, a clock or an unseeded generator for. `what` completes "uses ...". */
const globals: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /(?<![.\w$])Date\b(?!\s*\??:)/g, what: "Date: time is passed in" },
  { pattern: /(?<![.\w$])Math\s*\.\s*random\b/g, what: "Math.random: random bytes are passed in" },
  { pattern: /(?<![.\w$])performance\s*\./g, what: "performance: time is passed in" },
  { pattern: /(?<![.\w$])Buffer\b(?!\s*\??:)/g, what: "Buffer, which only Node has" },
  { pattern: /(?<![.\w$])process\s*[.[]/g, what: "process, which only Node has" },
  { pattern: /(?<![.\w$])console\s*[.[]/g, what: "console: events go to the trace sink" },
  {
    pattern: /(?<![.\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g,
    what: "a timer: the caller keeps the time",
  },
  { pattern: /(?<![.\w$])(?:globalThis|self|window)\s*[.[]/g, what: "a global object" },
  { pattern: /(?<![.\w$])(?:TextEncoder|TextDecoder)\b/g, what: "TextEncoder: see bytes/text.ts" },
  { pattern: /(?<![.\w$])(?:async|await)\b(?!\s*\??:)/g, what: "async or await: a decision is a Pause" },
  { pattern: /(?<![.\w$])require\s*\(/g, what: "require" },
]

/** What no source file of the project has. */
const style: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bexport\s+default\b/g, what: "a default export" },
  { pattern: /\bexport\s*\{[^}]*\bas\s+default\b/g, what: "a default export" },
  { pattern: /(?<![.\w$])(?:const\s+)?enum\s+\w+\s*\{/g, what: "an enum" },
  { pattern: /(?<![.\w$])namespace\s+[\w.]+\s*\{/g, what: "a namespace" },
  {
    pattern: /\bprototype\s*\.\s*(?:slice|map|filter)\b/g,
    what: "a borrowed method, whose result is a Buffer when it is given one: copyOf of bytes/copy.ts copies",
  },
]

/**
 * What changes at the top of a module would be shared by all connections and configurations, and by every copy of a test. It
 * belongs to an object. A WeakMap may stay: what it has of a key belongs to the key, and goes with it.
 */
const moduleState: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /^(?:export\s+)?(?:let|var)\s/gm, what: "a variable at the top of a module: give it to an object" },
  {
    pattern: /^(?:export\s+)?const\s+\w+[^=\n]*=\s*new\s+(?:Map|Set)\b(?:<[^(\n]*>)?\(\s*\)/gm,
    what: "an empty Map or Set at the top of a module, to be filled later: give it to an object",
  },
  {
    pattern: /^(?:export\s+)?const\s+\w+(?:\s*:(?!\s*(?:readonly\b|Readonly))[^=\n]*)?\s*=\s*(?:\[\s*\]|\{\s*\})\s*$/gm,
    what: "an empty list or object at the top of a module, to be filled later: give it to an object, or say readonly",
  },
  {
    pattern: /^\s+static\s+(?!readonly\b)#?\w+\s*(?:[:=;]|$)/gm,
    what: "a static field that changes: give it to an object",
  },
]

/**
 * A random source of the caller is asked through `draw`, whose bytes are ours to change and wipe; `link.random` is one that
 * does so already. Of packages/tls13/src, except for `draw` itself.
 */
const randomSource = {
  pattern: /(?<!\b(?:link|Math)\.)(?<![\w$])#?random\s*\(/g,
  what: "what a random source gave, which is not ours to change or wipe: draw of crypto/draw.ts copies it",
}
const drawFile = "crypto/draw.ts"

/** Readers throw an X509Error, judges return one; one function makes this of that, and `catch` of anybody else would hide which. */
const caughtCertificate = {
  pattern: /\bcatch\s*\([^)]*\)\s*\{[^}]*\binstanceof\s+X509Error\b/g,
  what: "a catch of X509Error: attempt of x509/errors.ts makes a value of it",
}
const attemptFile = "x509/errors.ts"

/** A folder of packages/broker/src imports only folders with a smaller number; what stands at the top is the entry. */
export const brokerFloors: Readonly<Record<string, number>> = {
  packet: 1,
  routing: 2,
  ports: 3,
  session: 4,
  client: 5,
  hub: 6,
  codecs: 7,
  stores: 7,
  buses: 7,
  cluster: 7,
  access: 7,
  embed: 8,
  "mqtt-client": 8,
  listen: 8,
  admin: 9,
  bridge: 9,
  http: 9,
  config: 10,
  platform: 11,
  cli: 12,
}

/** The broker's core: it knows no runtime, no clock and no promise, and no package from outside. */
const topOfBrokerCore = 6
/**
 * What of the floors above is as the core: it is what `@puremq/broker/core` and `/client` lead to, which run on any engine. Beginnings of paths;
 * these import nothing of those floors but each other.
 */
const asTheBrokerCore = [
  ...["access/acl.ts", "access/lines.ts", "access/rule-tree.ts", "access/simple.ts", "buses/local.ts"],
  ...["codecs/plain", "stores/forgetful.ts", "embed/", "mqtt-client/", "bridge/", "core.ts"],
]

/** What a folder of the broker sees of those below it, where that is not all of them. */
const brokerSees: readonly { readonly from: string; readonly parts: readonly string[] }[] = [
  { from: "stores", parts: ["packet/", "ports/"] },
  { from: "buses", parts: ["packet/", "ports/", "routing/"] },
  { from: "cluster", parts: ["packet/", "ports/", "routing/"] },
  { from: "codecs", parts: ["packet/"] },
  { from: "mqtt-client", parts: ["packet/", "codecs/plain"] },
  { from: "http", parts: ["packet/", "ports/", "listen/"] },
  { from: "admin", parts: ["packet/", "ports/", "session/", "hub/inspect.ts", "hub/operate.ts", "listen/"] },
]

/* ---------------------------------------------------------------- the check */

export interface Project {
  readonly tree: Tree
  /** By package name: the entry points of each workspace package. */
  readonly entries: ReadonlyMap<string, Entries>
}

interface File {
  readonly path: string
  readonly text: string
  readonly scanned: Scanned
}

export function check(project: Project): Finding[] {
  const files = [...project.tree].map(([path, text]): File => ({ path, text, scanned: scan(text) }))
  const findings: Finding[] = []
  for (const file of files) {
    findings.push(...checkStyle(file), ...checkPackageImports(file, project), ...checkBarrel(file, project))
    if (file.path.startsWith(tls13)) findings.push(...checkTls13(file))
    if (file.path.startsWith(broker)) findings.push(...checkBroker(file))
  }
  const users = files.filter(importsMqttPacket)
  for (const file of users.slice(1)) {
    findings.push(`${file.path}:1: imports mqtt-packet, which only one file does: ${users[0]?.path}`)
  }
  return [...findings, ...cycles(files)]
}

const tls13 = "packages/tls13/src/"
const broker = "packages/broker/src/"

function checkTls13(file: File): Finding[] {
  const findings: Finding[] = []
  const inside = file.path.slice(tls13.length)
  const inTheCore = !startsWithAny(inside, outsideTheCore)
  for (const imported of file.scanned.imports) {
    const say = (sentence: string): number => findings.push(`${file.path}:${imported.line}: ${sentence}`)
    if (imported.specifier === undefined) {
      if (inTheCore) say("imports a module whose name is not a literal")
      continue
    }
    if (imported.specifier.startsWith("@puremq/")) continue // checkPackageImports
    if (!imported.specifier.startsWith(".")) {
      const row = outside.find(({ module }) => module.test(imported.specifier!))
      if (row === undefined) say(`imports ${imported.specifier}: packages/tls13 depends on @noble/* only`)
      else if (!startsWithAny(inside, row.places)) {
        say(`imports ${imported.specifier}, which only ${row.places.join(", ")} may`)
      }
      continue
    }
    const target = resolve(file, imported.specifier)
    if (!target.startsWith(tls13)) {
      say(`imports ${imported.specifier}, outside of packages/tls13/src`)
      continue
    }
    const sentence = floorRule(inside, target.slice(tls13.length), imported)
    if (sentence !== undefined) say(sentence)
  }
  if (inTheCore) findings.push(...checkPatterns(file, globals))
  if (inside !== drawFile) findings.push(...checkPatterns(file, [randomSource]))
  if (inside !== attemptFile) findings.push(...checkPatterns(file, [caughtCertificate]))
  return findings
}

/** Why `from` must not import `to` (both are paths in packages/tls13/src), or undefined. */
function floorRule(from: string, to: string, imported: Import): string | undefined {
  const fromFolder = folderOf(from)
  const toFolder = folderOf(to)
  for (const folder of [fromFolder, toFolder]) {
    if (folder !== "" && folder !== "trace" && floors[folder] === undefined) {
      return `${folder}/ is not in the table of floors: give it a place in scripts/floors/rules.ts and docs/architecture.md`
    }
  }
  if (toFolder === "")
    return fromFolder === "" ? undefined : `imports ${to}: the package entry imports the floors, not the reverse`
  const rule = apart.find(
    (row) => from.startsWith(row.from) && to.startsWith(row.to) && !(row.except && from.startsWith(row.except)),
  )
  if (rule !== undefined) return `imports ${to}: ${rule.from} never imports ${rule.to}`
  const provider = providers.find((prefix) => to.startsWith(prefix))
  if (provider !== undefined && !startsWithAny(from, providers) && (floors[fromFolder] ?? 8) <= 8) {
    return `imports ${to}: the core sees the interfaces in crypto/ only; a provider is passed in`
  }
  if (fromFolder === toFolder) return undefined
  if (toFolder === "trace" || fromFolder === "trace") return sideFloor(from, to, imported)
  if (fromFolder === "")
    return (floors[toFolder] ?? 0) <= 8 ? undefined : `imports ${to}: the main entry carries no adapter`
  const hidden = visibleParts.find((part) => part.of === toFolder && part.to.includes(fromFolder))
  if (hidden !== undefined) {
    if (hidden.files.includes(to) && imported.typeOnly) return undefined
    if (!hidden.files.includes(to))
      return `imports ${to}: ${fromFolder}/ sees only ${hidden.files.join(", ")} of ${toFolder}/`
  }
  const [fromFloor = 0, toFloor = 0] = [floors[fromFolder], floors[toFolder]]
  if (toFloor < fromFloor) return undefined
  return `imports ${to}: ${fromFolder}/ (floor ${fromFloor}) imports only floors below it, and ${toFolder}/ is floor ${toFloor}`
}

/** `trace/` reads what the two lowest floors parse; the core knows the types of its events and nothing else of it. */
function sideFloor(from: string, to: string, imported: Import): string | undefined {
  if (folderOf(from) === "trace") {
    if ((floors[folderOf(to)] ?? 0) <= 3 && !startsWithAny(to, providers)) return undefined
    return `imports ${to}: trace/ imports only bytes/, codec/ and the interfaces of crypto/`
  }
  if ((floors[folderOf(from)] ?? 8) > 8 || folderOf(from) === "") return undefined
  if (to === "trace/events.ts" && imported.typeOnly) return undefined
  return `imports ${to}: the core imports only the types of trace/events.ts (import type)`
}

function checkBroker(file: File): Finding[] {
  const findings: Finding[] = []
  const inside = file.path.slice(broker.length)
  const inTheCore = isBrokerCore(inside)
  for (const imported of file.scanned.imports) {
    const say = (sentence: string): number => findings.push(`${file.path}:${imported.line}: ${sentence}`)
    const { specifier } = imported
    if (specifier === undefined) {
      if (inTheCore) say("imports a module whose name is not a literal")
    } else if (specifier.startsWith(".")) {
      const target = resolve(file, specifier)
      const to = target.startsWith(broker) ? target.slice(broker.length) : undefined
      const sentence =
        to === undefined ? `imports ${specifier}, outside of packages/broker/src` : brokerFloorRule(inside, to)
      if (sentence !== undefined) say(sentence)
      else if (inTheCore && to !== undefined && !isBrokerCore(to))
        say(`imports ${to}, which is not of the core: ${inside} runs on any engine`)
    } else if (specifier === "mqtt-packet" && !inside.startsWith("codecs/")) {
      say("imports mqtt-packet, which only a file of codecs/ does")
    } else if (inTheCore) say(`imports ${specifier}: ${folderOf(inside)}/ knows no runtime and no other package`)
  }
  if (inTheCore) findings.push(...checkPatterns(file, globals))
  return findings
}

function isBrokerCore(path: string): boolean {
  const floor = brokerFloors[folderOf(path)] ?? topOfBrokerCore + 1
  return floor <= topOfBrokerCore || startsWithAny(path, asTheBrokerCore)
}

/** Why `from` must not import `to` (both are paths in packages/broker/src), or undefined. */
function brokerFloorRule(from: string, to: string): string | undefined {
  const fromFolder = folderOf(from)
  const toFolder = folderOf(to)
  for (const folder of [fromFolder, toFolder]) {
    if (folder !== "" && brokerFloors[folder] === undefined) {
      return `${folder}/ is not in the table of floors: give it a place in scripts/floors/rules.ts and docs/architecture.md`
    }
  }
  if (fromFolder === toFolder || fromFolder === "") return undefined
  if (toFolder === "") return `imports ${to}: the package entry imports the floors, not the reverse`
  const [fromFloor = 0, toFloor = 0] = [brokerFloors[fromFolder], brokerFloors[toFolder]]
  if (toFloor >= fromFloor) {
    return `imports ${to}: ${fromFolder}/ (floor ${fromFloor}) imports only floors below it, and ${toFolder}/ is floor ${toFloor}`
  }
  const sees = brokerSees.find((row) => row.from === fromFolder)
  if (sees === undefined || startsWithAny(to, sees.parts)) return undefined
  return `imports ${to}: ${fromFolder}/ sees only ${sees.parts.join(", ")}`
}

function importsMqttPacket(file: File): boolean {
  return file.scanned.imports.some(({ specifier }) => specifier === "mqtt-packet")
}

/** Another package of the workspace is reached through its entry points, never by a path and never from itself. */
function checkPackageImports(file: File, project: Project): Finding[] {
  const findings: Finding[] = []
  for (const { specifier, line } of file.scanned.imports) {
    if (specifier === undefined || !specifier.startsWith("@puremq/")) continue
    const [scope, name, ...rest] = specifier.split("/")
    const entries = project.entries.get(`${scope}/${name}`)
    const entry = rest.length === 0 ? "." : `./${rest.join("/")}`
    if (entries === undefined || !entries.has(entry)) {
      findings.push(`${file.path}:${line}: imports ${specifier}, which is not an entry point of ${scope}/${name}`)
    } else if (file.path.startsWith(`packages/${name}/src/`)) {
      findings.push(`${file.path}:${line}: imports its own package by name: use a relative path`)
    }
  }
  return findings
}

/** An index.ts is an entry point of its package; a folder has no other barrel. */
function checkBarrel(file: File, project: Project): Finding[] {
  if (posix.basename(file.path) !== "index.ts") return []
  const [, name = ""] = file.path.split("/")
  const source = `./${file.path.slice(`packages/${name}/`.length)}`
  const entries = project.entries.get(`@puremq/${name}`)
  if (entries !== undefined && [...entries.values()].includes(source)) return []
  return [`${file.path}:1: is an index.ts that no entry point of package.json names: import the files themselves`]
}

function checkStyle(file: File): Finding[] {
  return checkPatterns(file, [...style, ...moduleState])
}

function checkPatterns(file: File, rules: readonly { readonly pattern: RegExp; readonly what: string }[]): Finding[] {
  return rules.flatMap(({ pattern, what }) =>
    [...file.scanned.code.matchAll(pattern)].map(
      (match) => `${file.path}:${lineOf(file.text, match.index)}: uses ${what}`,
    ),
  )
}

/** Cycles of imports, those of types too: what is in a circle cannot be read from one end to the other. */
function cycles(files: readonly File[]): Finding[] {
  const findings: Finding[] = []
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const visit = (file: File, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(file.path)
    if (seenAt !== -1) {
      findings.push(`${file.path}:1: is part of a cycle of imports: ${[...trail.slice(seenAt), file.path].join(" > ")}`)
      return
    }
    if (done.has(file.path)) return
    for (const imported of file.scanned.imports) {
      if (!imported.specifier?.startsWith(".")) continue
      const target = byPath.get(resolve(file, imported.specifier))
      if (target !== undefined) visit(target, [...trail, file.path])
    }
    done.add(file.path)
  }
  for (const file of files) visit(file, [])
  return findings
}

/* ---------------------------------------------------------------- paths */

function resolve(file: File, specifier: string): string {
  return posix.join(posix.dirname(file.path), specifier)
}

/** `handshake/client/x.ts` to `handshake`; a file at the top has none, "". */
function folderOf(path: string): string {
  const slash = path.indexOf("/")
  return slash === -1 ? "" : path.slice(0, slash)
}

function startsWithAny(path: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => path.startsWith(prefix))
}
