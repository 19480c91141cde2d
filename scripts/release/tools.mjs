// Programs from npm that a release is tried with, installed under .peers/, which git ignores.

import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { commandOf, installRuntime, versionOf } from "../../runtime-tests/install.mjs"
import { root, run, Skipped } from "./run.mjs"

const tools = {
  publint: { package: "publint", version: "0.3.25" },
  attw: { package: "@arethetypeswrong/cli", version: "0.18.5" },
  knip: { package: "knip", version: "6.44.2" },
}

/** The command of a tool. @throws Skipped when it cannot be installed */
async function installed(name) {
  if (!Object.hasOwn(tools, name)) {
    const refused = await installRuntime(name)
    if (refused !== undefined) throw new Skipped(refused)
    return commandOf(name, name.replace(/^node\d+$/, "node"))
  }
  const { package: wanted, version } = tools[name]
  const folder = join(root, ".peers/release", `${name}-${version}`)
  const program = join(folder, "node_modules/.bin", name)
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n')
  const args = ["install", `${wanted}@${version}`, "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]
  await run("npm", args, { cwd: folder }).catch((error) => {
    throw new Skipped(`${wanted} ${version} cannot be had: ${error.message.split("\n").slice(0, 2).join(" ")}`)
  })
  return program
}

/** Runs a tool, or npm. @throws Skipped, Error */
export async function tool(name, args, options) {
  return run(name === "npm" ? name : await installed(name), args, options)
}

/** Those that the packages are tried on: a name, the program and what it is given before a file; or why it cannot be had. */
export async function runtimes() {
  const ours = { name: `Node ${process.versions.node}`, program: process.execPath, before: [] }
  const others = [
    { name: `Deno ${versionOf("deno")}`, tool: "deno", before: ["run", "--quiet", "--allow-all"] },
    { name: `Bun ${versionOf("bun")}`, tool: "bun", before: ["run"] },
  ]
  if (!process.versions.node.startsWith("20.")) {
    others.unshift({ name: `Node ${versionOf("node20")}`, tool: "node20", before: [] })
  }
  const all = [ours]
  for (const { name, tool, before } of others) {
    try {
      all.push({ name, before, program: await installed(tool) })
    } catch (error) {
      all.push({ name, before, absent: error })
    }
  }
  return all
}
