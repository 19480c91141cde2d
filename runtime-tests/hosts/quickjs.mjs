// QuickJS, Bellard's and ng, in WebAssembly: the suite, the small profile in memory beside a server that is not in the engine, and a
// sensor at a broker. Each runs in a process of its own (quickjs-child.mjs, sensor-child.mjs), as the engine computes without a pause.

import { copyFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { folderOf, installRuntime, versionOf } from "../install.mjs"
import { withBroker } from "./broker.mjs"
import { runProgram, runSuite } from "./child.mjs"

const here = dirname(fileURLToPath(import.meta.url))

function quickjs(name, title, variant) {
  const args = (program, what, { folder }) => {
    // The example of docs/porting.md, beside the packages that it imports.
    copyFileSync(join(here, "../porting/host.mjs"), join(folderOf(name), "host.mjs"))
    writeFileSync(join(folderOf(name), "variant.mjs"), `export { default as variant } from "${variant}"\n`)
    return [join(here, program), what, folderOf(name), folder]
  }
  return {
    name,
    title,
    version: versionOf(name),
    prepare: () => installRuntime(name),
    run: (world) => runSuite(process.execPath, args("quickjs-child.mjs", "suite", world), world),
    checks: {
      "small profile": (world) => runProgram(process.execPath, args("quickjs-child.mjs", "small", world), world),
      "sensor at a broker": (world) =>
        withBroker(world, (port) => runProgram(process.execPath, args("sensor-child.mjs", String(port), world), world)),
    },
  }
}

export const engines = [
  quickjs("quickjs", "QuickJS", "@jitl/quickjs-wasmfile-release-sync"),
  quickjs("quickjs-ng", "QuickJS-ng", "@jitl/quickjs-ng-wasmfile-release-sync"),
]
