// Packages as a stranger has them: packed, and installed from the tarballs into an empty project.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root, run, skipUnreachable } from "./run.mjs"

/** Packs a package into a folder. */
export async function pack({ folder, name, version }, into) {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", into]
  const said = await run("npm", args, { cwd: join(root, folder) })
  const [{ filename, files, size }] = JSON.parse(said.slice(said.indexOf("[")))
  return { name, version, file: join(into, filename), files: files.length, bytes: size }
}

/** What their pages use beside them, in the versions that the tests have: a client of others, and Node's types. */
const beside = ["mqtt", "@types/node"]

export async function installTarballs(tarballs, project) {
  mkdirSync(project)
  writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }\n')
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))
  const others = beside.map((name) => `${name}@${packages[`node_modules/${name}`].version}`)
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]
  const args = ["install", ...quiet, ...tarballs.map(({ file }) => file), ...others]
  await run("npm", args, { cwd: project }).catch(skipUnreachable)
}
