// The code on the pages of the installed packages, read as scripts/snippets.test.ts reads that of all pages.

import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { transform } from "esbuild"
import { load } from "./load.mjs"
import { packages } from "./packages.mjs"
import { root } from "./run.mjs"

const { readPage, programsOf } = await load("scripts/snippets/pages.ts")
const { commandsOf } = await load("scripts/snippets/shell.ts")

const snippetsOf = (folder, page) => readPage(page, readFileSync(join(folder, page), "utf8"))

/** The programs of a page: each with its name and text. */
export function programsOfPage(folder, page) {
  return programsOf(snippetsOf(folder, page)).filter(({ kind }) => kind === "run")
}

/** Those of all packages. */
export function programsIn(project) {
  return packages.flatMap(({ name }) => programsOfPage(join(project, "node_modules"), `${name}/README.md`))
}

/** The program of docs/adapters.md for the sockets of Deno and Bun. @param entry of the package, that of Deno on the page */
export function adapterExample(entry) {
  const found = snippetsOf(root, "docs/adapters.md").find(({ lines }) => lines.join().includes('"@puremq/tls13/deno"'))
  return found.lines.join("\n").replace('"@puremq/tls13/deno"', `"@puremq/tls13/${entry}"`)
}

/** The commands of a page's first block, which need nothing but the package, and what they show. */
export function firstCommandsOf(project, name) {
  const page = `${name}/README.md`
  const block = snippetsOf(join(project, "node_modules"), page).find(({ language }) => language === "sh")
  return { commands: commandsOf(block.lines), shows: block.shows }
}

/** As JavaScript, with ports of its own that are free, and an end. */
export async function runnable(text) {
  const ports = new Map()
  for (const [number] of text.matchAll(/\b(?:4433|8080|8443|8883|9100)\b/g)) {
    if (!ports.has(number)) ports.set(number, await freePort())
  }
  const placed = text.replace(/\b\d{4}\b/g, (number) => ports.get(number) ?? number)
  const { code } = await transform(`${placed}\nprocess.exit(0)\n`, { loader: "ts", format: "esm", target: "es2022" })
  return code
}

export async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
