// The packages as a stranger has them: packed, and installed from the tarballs into an empty project in a temporary folder. Beside
// them the suite as JavaScript, of which only the types are gone.

import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { transform } from "esbuild"
import { npm } from "./install.mjs"

const here = dirname(fileURLToPath(import.meta.url))

/** @returns the project's folder. @throws Error when a package cannot be packed or installed */
export async function installPacked() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "runtime-tests-")))
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n')
  const tarballs = ["tls13", "broker"].map((name) => {
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder]
    const options = { cwd: join(here, "../packages", name), encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }
    return `./${JSON.parse(execFileSync("npm", args, options))[0].filename}`
  })
  const refused = await npm(["install", "--prefer-offline", ...tarballs], folder)
  if (refused !== undefined) throw new Error(refused)
  for (const part of ["suite", "runtimes", "checks"]) await stripTypes(join(here, part), join(folder, part))
  for (const part of ["porting", "sensor"]) cpSync(join(here, part), join(folder, part), { recursive: true })
  return folder
}

async function stripTypes(from, to) {
  mkdirSync(to)
  for (const name of readdirSync(from).filter((each) => each.endsWith(".ts") && !each.endsWith(".d.ts"))) {
    const { code } = await transform(readFileSync(join(from, name), "utf8"), { loader: "ts", target: "es2022" })
    const linked = code.replace(/(from "\.[^"]+)\.ts"/g, '$1.js"')
    writeFileSync(join(to, name.replace(/ts$/, "js")), linked)
  }
}

/** What an installed package says its version is. */
export function installedVersion(folder, name) {
  return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version
}
