// The code with a fault in it, in memory, and what it does then.

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { build } from "esbuild"
import type { Behaviour } from "./generate.ts"
import type { Planted } from "./planted.ts"

type Edits = NonNullable<Planted["source"]>

/** @param folder packages/tls13/model */
export async function behaviourWith(folder: string, fault: string, edits: Edits): Promise<Behaviour> {
  const files = withEdits(join(folder, "../src"), fault, edits)
  const { outputFiles } = await build({
    entryPoints: [join(folder, "generate.ts")],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    packages: "external",
    plugins: [
      {
        name: "planted",
        setup(setup) {
          setup.onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = files.get(path)
            return contents === undefined ? undefined : { contents, loader: "ts" }
          })
        },
      },
    ],
  })
  const made: { exports: { behaviour?: () => Behaviour } } = { exports: {} }
  new Function("module", "exports", "require", outputFiles[0]!.text)(
    made,
    made.exports,
    createRequire(join(folder, "generate.ts")),
  )
  return made.exports.behaviour!()
}

/**
 * The sources with the fault in them.
 * @throws Error when a text is not there exactly once: then the fault has to be written anew
 */
export function withEdits(source: string, fault: string, edits: Edits): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const { file, from, to } of edits) {
    const path = join(source, file)
    const parts = (files.get(path) ?? readFileSync(path, "utf8")).split(from)
    if (parts.length !== 2)
      throw new Error(
        `planted.ts, "${fault}": src/${file} has this text ${parts.length - 1} times, not once; adapt it:\n${from}`,
      )
    files.set(path, parts.join(to))
  }
  return files
}
