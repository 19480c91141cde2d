// node runtimes.mjs BUNDLE [ARGUMENT...]: the bundled runner on Node.js, Deno and Bun, with every provider, and whether all of
// them came to the same verdicts.

import { spawnSync } from "node:child_process"
import { commandOf, installRuntime, versionOf } from "../../../runtime-tests/install.mjs"

const [bundle, ...args] = process.argv.slice(2)
const providers = args.includes("--provider")
  ? [[]]
  : [
      ["--provider", "host"],
      ["--provider", "noble"],
    ]
const runtimes = [
  { name: "node", version: process.versions.node, command: process.execPath, before: [] },
  { name: "deno", version: versionOf("deno"), before: ["run", "--allow-read", "--allow-env", "--allow-sys"] },
  { name: "bun", version: versionOf("bun"), before: ["run"] },
]

const runs = []
for (const { name, version, command, before } of runtimes) {
  const refused = command === undefined ? await installRuntime(name) : undefined
  if (refused !== undefined) {
    console.log(`${name}: skipped, as it cannot be installed here (${refused})`)
    continue
  }
  for (const provider of providers) {
    const title = [`${name} ${version}`, ...provider.slice(1)].join(", ")
    const run = spawnSync(command ?? commandOf(name), [...before, bundle, ...args, ...provider, "--hash"], {
      encoding: "utf8",
      timeout: 600_000,
      maxBuffer: 2 ** 26,
    })
    const lines = `${run.stdout ?? ""}`.trimEnd().split("\n")
    const hash = lines.pop() ?? ""
    if (run.status === 0 && /^[0-9a-f]{64}$/.test(hash)) {
      runs.push({ title, hash })
      console.log(`${title}: ${lines.join("\n")}`)
    } else {
      runs.push({ title, hash: "" })
      console.log(`${title}: FAILED\n${lines.join("\n")}${hash}\n${run.stderr}${run.error?.message ?? ""}`)
    }
  }
}
const different = runs.filter(({ hash }) => hash === "" || hash !== runs[0].hash)
console.log(
  different.length === 0
    ? `limbo: the same verdict on every case in ${runs.length} runs`
    : `limbo: other verdicts than ${runs[0].title} on ${different.map(({ title }) => title).join("; ")}`,
)
process.exitCode = different.length === 0 ? 0 : 1
