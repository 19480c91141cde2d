import { mkdtempSync, rmSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import { build } from "esbuild"
import { afterAll } from "vitest"

/**
 * The Node adapter as JavaScript, for tests of its threads: a source in TypeScript is none that a thread of Node.js runs.
 * The URL of its folder; `../../crypto/fast/index.js` and its like are there, too.
 */
export async function builtAdapter(): Promise<URL> {
  const sources = fileURLToPath(new URL("../../src/", import.meta.url))
  const folder = mkdtempSync(fileURLToPath(new URL("../../../../node_modules/.puremq-workers-", import.meta.url)))
  afterAll(() => rmSync(folder, { recursive: true }))
  const threaded = ["pool", "offload", "thread"].map((name) => `adapters/node/workers/${name}.ts`)
  await build({
    absWorkingDir: sources,
    entryPoints: [
      "index.ts",
      "x509/index.ts",
      "crypto/fast/index.ts",
      "crypto/noble/index.ts",
      "adapters/node/index.ts",
      ...threaded,
    ],
    outbase: ".",
    outdir: folder,
    // Beside thread.js, which they start.
    chunkNames: "adapters/node/workers/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
  })
  return pathToFileURL(`${folder}/adapters/node/`)
}
