// workerd: one worker, which runs a scenario when it is asked over HTTP. Its clock stands still while it computes, so times are those
// of the requests. It resolves no packages: each file of them is a module of its configuration, under its path.

import { spawn } from "node:child_process"
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { commandOf, installRuntime, versionOf } from "../install.mjs"
import { modulesOf } from "../modules.mjs"
import { collect, freePort } from "./child.mjs"

const kernels = "node_modules/@puremq/tls13/dist/webassembly"

export const workerd = {
  name: "workerd",
  title: "workerd",
  version: versionOf("workerd"),
  prepare: () => installRuntime("workerd"),
  async run(world, scenarios) {
    return withWorker(world, async (ask) => {
      const results = []
      for (const name of scenarios) {
        const start = performance.now()
        const answer = await ask(`/${encodeURIComponent(name)}`)
        results.push({ name, ms: performance.now() - start, ...answer })
      }
      return results
    })
  },
  checks: {
    "own adapter, with OpenSSL": linesOf("/"),
    "own adapter, backpressure": linesOf("/backpressure"),
  },
}

/** A check that the worker does when it is asked for that path. */
function linesOf(path) {
  return (world) =>
    withWorker(world, async (ask) => {
      const { error, note } = await ask(path)
      if (error !== undefined) throw new Error(error)
      return note.split("\n")
    })
}

async function withWorker({ folder, setting, scratch }, work) {
  const home = join(scratch, "workerd")
  const modules = writeModules(folder, home)
  const [port, ownPort] = [await freePort(), await freePort()]
  writeFileSync(join(home, "setting.json"), JSON.stringify({ ...setting, ownPort }))
  writeFileSync(join(home, "config.capnp"), config(modules, port, ownPort))
  // The handler `connect` of a worker is experimental.
  const child = spawn(commandOf("workerd"), ["serve", join(home, "config.capnp"), "--experimental"], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  const err = collect(child.stderr)
  const ask = async (path) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    const body = await response.text()
    return response.status === 200 ? { note: body } : { error: `${body} ${err()}` }
  }
  try {
    for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const answers = await fetch(`http://127.0.0.1:${port}/nothing`).then(
        () => true,
        () => false,
      )
      if (answers) return await work(ask)
    }
    throw new Error(`workerd did not start: ${err()}`)
  } finally {
    child.kill()
  }
}

/** The files that the worker leads to, with specifiers as paths to one another: workerd knows no others. */
function writeModules(folder, home) {
  const modules = [...modulesOf(folder, "runtimes/worker.js", /^(node|cloudflare):|\.wasm$/)]
  for (const [path, { text, imports }] of modules) {
    let linked = text.replaceAll(/"@puremq\/tls13\/webassembly\/([\w-]+\.wasm)"/g, `"../${kernels}/$1"`)
    for (const [specifier, target] of imports) {
      const between = posix.relative(posix.dirname(path), target)
      const relative = between.startsWith(".") ? between : `./${between}`
      linked = linked.replaceAll(`"${specifier}"`, `"${relative}"`).replaceAll(`'${specifier}'`, `'${relative}'`)
    }
    mkdirSync(join(home, dirname(path)), { recursive: true })
    writeFileSync(join(home, path), linked)
  }
  mkdirSync(join(home, kernels), { recursive: true })
  const names = readdirSync(join(folder, kernels)).filter((name) => name.endsWith(".wasm"))
  for (const name of names) copyFileSync(join(folder, kernels, name), join(home, kernels, name))
  return [
    ...modules.map(([path]) => ({ path, kind: "esModule" })),
    ...names.map((name) => ({ path: `${kernels}/${name}`, kind: "wasm" })),
  ]
}

function config(modules, port, ownPort) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        ${modules.map(({ path, kind }) => `(name = "${path}", ${kind} = embed "${path}"),`).join("\n        ")}
      ],
      bindings = [(name = "SETTING", json = embed "setting.json")],
      compatibilityDate = "2026-11-01",
      compatibilityFlags = ["experimental"],
      globalOutbound = "machine",
    )),
    (name = "machine", network = (allow = ["public", "private"])),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:${port}", http = (), service = "main"),
    (name = "tls", address = "127.0.0.1:${ownPort}", tcp = (), service = "main"),
  ],
);
`
}
