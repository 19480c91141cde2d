// Builds a program in which every function of chosen folders can be made to throw once. The functions are found in the
// sources as they are at the time, so that a new one is in the test without being named anywhere.

import { readFile } from "node:fs/promises"
import { dirname, relative, sep } from "node:path"
import { build, type Plugin, transform } from "esbuild"

/** A function of the sources: "packages/broker/src/session/queue.ts#push". */
export type FunctionId = string

export interface Instrumented {
  readonly functions: readonly FunctionId[]
  /** Those whose name other files can see: exported functions, and the methods of exported classes. */
  readonly exported: ReadonlySet<FunctionId>
}

/** What the built program calls at the start of each function; see `trap.ts`. */
const call = (id: FunctionId) => `globalThis.insideOut.at(${JSON.stringify(id)});`

// esbuild prints each head of a function on a line of its own.
const declared = /^\s*(?<exported>export )?(?:async )?function\*? (?<name>\w+)\(.*\) \{$/
const method = /^ {2}(?:static )?(?:async )?(?:\*)?(?<accessor>get |set )?(?<name>#?\w+)\(.*\) \{$/
const classHead = /^(?<exported>export )?class (?<name>\w+).*\{$/
const nested = /^ {4,}(?:async )?(?<name>\w+)\(.*\) \{$/
const arrow = /^.*?(?:const |: |#|this\.)(?<name>\w+)(?: =|:)? (?:async )?\(.*\) => \{$/
const callback = /^\s*(?<name>\S.*?)\(?(?:async )?\(?[\w, {}.=[\]]*\)? => \{$/
/** The first statement of a function whose body is a boundary's: it has nothing of its own that could throw. */
const boundary = /^\s*(?:return |const \w+ = )?(?:\w+\.)*#?(?:guard|inside|telling|run)\(/
const statements = /^(?:if|for|while|switch|catch|with|function)$/

/** Puts a call before the first statement of each function of a JavaScript text that esbuild printed. */
export function instrument(
  path: string,
  source: string,
): { code: string; functions: FunctionId[]; exported: FunctionId[] } {
  const functions: FunctionId[] = []
  const exported: FunctionId[] = []
  let owner: { name: string; exported: boolean } | undefined
  const exports = /^export \{\n(?<names>[\s\S]*?)\n\};?$/m.exec(source)?.groups?.["names"] ?? ""
  const printed = source.split("\n")
  const lines = printed.map((line, index) => {
    const head = classHead.exec(line)?.groups
    if (head !== undefined) owner = { name: head["name"]!, exported: head["exported"] !== undefined }
    else if (/^\}/.test(line)) owner = undefined
    const found = nameOf(line, owner)
    if (found === undefined || boundary.test(printed[index + 1] ?? "")) return line
    const id = `${path}#${found.name}`
    if (!functions.includes(id)) functions.push(id)
    if (found.exported && !exported.includes(id)) exported.push(id)
    return `${line}${call(id)}`
  })
  // A class or function may be exported by a list at the end instead.
  if (exports !== "") throw new Error(`${path}: exports in a list are not expected`)
  return { code: lines.join("\n"), functions, exported }
}

function nameOf(
  line: string,
  owner: { name: string; exported: boolean } | undefined,
): { name: string; exported: boolean } | undefined {
  const plain = declared.exec(line)?.groups
  if (plain !== undefined) return { name: plain["name"]!, exported: plain["exported"] !== undefined }
  const member = owner === undefined ? undefined : method.exec(line)?.groups
  if (owner !== undefined && member !== undefined && !statements.test(member["name"]!)) {
    const name = `${owner.name}.${member["accessor"] ?? ""}${member["name"]}`
    return { name, exported: owner.exported && !member["name"]!.startsWith("#") }
  }
  const inner = nested.exec(line)?.groups ?? arrow.exec(line)?.groups ?? callback.exec(line)?.groups
  if (inner === undefined || statements.test(inner["name"]!)) return undefined
  return { name: `${owner === undefined ? "" : `${owner.name}.`}${inner["name"]} (inner)`, exported: false }
}

/** Bundles `entry` into `outfile`; functions of files under `folders` (paths from `root`, or a file) are instrumented. */
export async function buildInstrumented(
  root: string,
  entry: string,
  outfile: string,
  folders: readonly string[],
): Promise<Instrumented> {
  const functions: FunctionId[] = []
  const exported: FunctionId[] = []
  const plugin: Plugin = {
    name: "inside-out",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path }) =>
        path.startsWith("@puremq/") ? undefined : { path, external: true },
      )
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const name = relative(root, path).split(sep).join("/")
        const printed = await transform(await readFile(path, "utf8"), { loader: "ts", target: "node20" })
        if (!folders.some((folder) => name === folder || name.startsWith(`${folder}/`))) {
          return { contents: printed.code, loader: "js", resolveDir: dirname(path) }
        }
        const made = instrument(name, printed.code)
        functions.push(...made.functions)
        exported.push(...made.exported)
        return { contents: made.code, loader: "js", resolveDir: dirname(path) }
      })
    },
  }
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    conditions: ["@puremq/source"],
    plugins: [plugin],
    logLevel: "silent",
  })
  functions.sort()
  return { functions, exported: new Set(exported) }
}
