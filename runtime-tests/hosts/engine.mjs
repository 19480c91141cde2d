// What programs with an engine inside share: node PROGRAM ENGINE PROJECT, the folders where the engine's packages and ours are installed.

import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { build } from "esbuild"

const [engineFolder, folder] = process.argv.slice(-2)
const load = (path) => import(pathToFileURL(path).href)
const { startEngine } = await load(join(engineFolder, "host.mjs"))
const { variant } = await load(join(engineFolder, "variant.mjs"))

export const random = (length) => globalThis.crypto.getRandomValues(new Uint8Array(length))

export const newEngine = (code, lend, loader) => startEngine(variant, code, lend, loader)

/** Bundled and minified by esbuild, as it goes onto a device. @param path from the project's folder */
async function bundled(path) {
  const options = { bundle: true, minify: true, format: "esm", target: "es2022", platform: "neutral", write: false }
  const { outputFiles } = await build({ entryPoints: [join(folder, path)], logLevel: "warning", ...options })
  return outputFiles[0].text
}

/** An engine with a program for a device, and the most memory that it had in use at any time: sampled after each step. */
export async function startDevice(path) {
  const code = await bundled(path)
  let highest = 0
  let engine
  const sample = () => {
    highest = Math.max(highest, engine?.bytesUsed() ?? 0)
  }
  // Inside of a step as well, whenever it asks for random bytes.
  engine = await newEngine(code, (length) => {
    sample()
    return random(length)
  })
  sample()
  const loaded = highest
  const step = (...call) => {
    const answer = engine.call(...call)
    sample()
    return answer
  }
  return { code: code.length, loaded, step, highest: () => highest }
}

/** CPU time of this process, milliseconds. */
export function spentSince(start) {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

export function figures({ code, loaded, bytes, ms }) {
  const kb = (count) => `${Math.round(count / 1000)} kB`
  return `${kb(bytes)} beyond the empty engine (${kb(loaded)} with its ${kb(code)} of code loaded), ${Math.round(ms)} ms`
}
