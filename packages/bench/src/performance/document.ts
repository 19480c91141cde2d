// docs/performance.md: words by people, and between marks the figures of the last run of each name, from docs/performance/NAME.json.

import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type KeptRun, keptMarkdown } from "./markdown.ts"

const docs = fileURLToPath(new URL("../../../../docs", import.meta.url))
export const documentFile: string = join(docs, "performance.md")
const folder = join(docs, "performance")

export function keptFile(name: string): string {
  return join(folder, `${name}.json`)
}

/** By name; those that were never made are not there. */
export function keptRuns(): ReadonlyMap<string, KeptRun> {
  if (!existsSync(folder)) return new Map()
  const names = readdirSync(folder).flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? [])
  return new Map(names.map((name) => [name, JSON.parse(readFileSync(keptFile(name), "utf8")) as KeptRun]))
}

const place = /<!-- figures: ([\w-]+) -->\n[\s\S]*?<!-- end of figures -->/g

/** The document with the tables of these runs. @throws when a run has no place in it, or a place no run */
export function withFigures(text: string, runs: ReadonlyMap<string, KeptRun>): string {
  const places = new Set<string>()
  const made = text.replace(place, (_, name: string) => {
    const run = runs.get(name)
    if (run === undefined) throw new Error(`docs/performance.md has figures of ${name}, and there is no such run`)
    places.add(name)
    return `<!-- figures: ${name} -->\n\n${keptMarkdown(run)}\n\n<!-- end of figures -->`
  })
  for (const name of runs.keys()) {
    if (!places.has(name)) throw new Error(`docs/performance.md has no place for ${name}: <!-- figures: ${name} -->`)
  }
  return made
}
