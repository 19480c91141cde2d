// Node.js, Deno and Bun: each resolves the installed packages itself, and runs the same program.

import { commandOf, installRuntime, versionOf } from "../install.mjs"
import { runProgram, runSuite } from "./child.mjs"

const ownMajor = process.versions.node.split(".")[0]

/** The Node.js that runs us where it is of that version, else that of npm. */
function node(name, major) {
  const own = ownMajor === major
  const command = own ? process.execPath : commandOf(name, "node")
  return {
    name,
    title: `Node.js ${major}`,
    version: own ? process.versions.node : versionOf(name),
    prepare: async () => (own ? undefined : installRuntime(name)),
    run: (world) => runSuite(command, ["--expose-gc", "runtimes/program.js"], world),
    checks: {
      "./node, with OpenSSL": (world) => runProgram(command, ["checks/node-entry.js"], world),
      "./node, backpressure": (world) => runProgram(command, ["checks/node-backpressure.js"], world),
    },
  }
}

/** @param args before a program, and before one that reads the heap */
function other(name, title, args, argsForHeap) {
  const run =
    (...script) =>
    (world) =>
      runProgram(commandOf(name), [...args, ...script], world)
  return {
    name,
    title,
    version: versionOf(name),
    prepare: () => installRuntime(name),
    run: (world) => runSuite(commandOf(name), [...argsForHeap, "runtimes/program.js"], world),
    checks: {
      "./node, with OpenSSL": run("checks/node-entry.js"),
      "./node, backpressure": run("checks/node-backpressure.js"),
      "own adapter, with OpenSSL": run(`checks/${name}.js`),
      "own adapter, backpressure": run(`checks/${name}.js`, "backpressure"),
    },
  }
}

const deno = ["run", "--allow-net", "--allow-env", "--allow-read", "--allow-sys"]

export const programs = [
  node("node20", "20"),
  node("node26", "26"),
  other("deno", "Deno", deno, [...deno, "--v8-flags=--expose-gc"]),
  other("bun", "Bun", ["run"], ["run"]),
]
