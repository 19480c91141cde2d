// Bundles the page's programs with esbuild, with the stack instrumented: see instrument.mjs.

import { cpSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { instrument } from "./instrument.mjs"
import { sourceLines } from "./source-lines.mjs"

const folder = fileURLToPath(new URL("..", import.meta.url))

/** Where the page is when it has been built: files for any static server, in any folder of it. */
export const pageFolder = join(folder, "dist")

/** The engine without the page, as a module that Node can import: for tests. @returns its text */
export async function bundleEngine() {
  const { outputFiles } = await build({ ...common, entryPoints: ["src/engine.ts"], write: false, platform: "node" })
  return outputFiles[0].text
}

/** Writes the whole page to `to`, which is emptied first. */
export async function bundlePage(to = pageFolder) {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  await build({
    ...common,
    // The page and its worker share what both need of the stack.
    entryPoints: { page: "src/page/main.tsx", worker: "src/page/worker.ts", style: "page/page.css" },
    outdir: to,
    splitting: true,
    chunkNames: "stack-[hash]",
    minify: true,
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
  })
  for (const file of ["index.html", "icon.svg"]) cpSync(join(folder, "page", file), join(to, file))
}

const common = {
  absWorkingDir: folder,
  bundle: true,
  format: "esm",
  target: "es2022",
  conditions: ["@puremq/source"],
  plugins: [instrument, sourceLines],
  logLevel: "warning",
}
