// Bundles the page's programs with esbuild, with the stack instrumented: see instrument.mjs.

import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { instrument } from "./instrument.mjs"

const folder = fileURLToPath(new URL("..", import.meta.url))

/** The engine without the page, as a module that Node can import: for tests. @returns its text */
export async function bundleEngine() {
  const { outputFiles } = await build({ ...common, entryPoints: ["src/engine.ts"], write: false, platform: "node" })
  return outputFiles[0].text
}

const common = {
  absWorkingDir: folder,
  bundle: true,
  format: "esm",
  target: "es2022",
  conditions: ["@puremq/source"],
  plugins: [instrument],
  logLevel: "warning",
}
