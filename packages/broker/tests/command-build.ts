// Bundles the command of the sources, for tests that run it. As in the built package, each of its commands loads what it needs
// and no more: a start takes half of the time of one large file.

import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

/** Writes it into a folder. @returns the program's path */
export async function buildCommand(folder: string): Promise<string> {
  await build({
    entryPoints: [fileURLToPath(new URL("../src/cli/main.ts", import.meta.url))],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    conditions: ["@puremq/source"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  })
  return join(folder, "main.mjs")
}
