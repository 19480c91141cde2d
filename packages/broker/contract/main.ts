// `npm run contract`: Schemathesis, which makes requests of the admin API's OpenAPI document, valid ones and others, and holds the
// answers to it. It needs `pip install schemathesis`; where that is not, it says so and is left out.

import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { tokenLine } from "../src/admin/tokens.ts"
import { createBroker } from "../src/index.ts"

const help = `Runs Schemathesis against the admin API of a broker that is started for it. It needs Python's schemathesis
(pip install schemathesis), on the path or as --program.

  npm run contract -- [options]

  --program FILE   schemathesis
  --examples N     requests of each kind for each operation; default 50
  --seed N         what they are drawn from; default 1
  --help           this text

The last line counts; the exit status is 0 when none failed, or when schemathesis is not there.`

const token = "puremq_contract"
/** It does not end; and what is not well any more once clients are sent away, as it is here by requests of the same run. */
const leftOut = ["getEvents", "health"]
/** What those must have passed that this API does not promise, and why. */
const notPromised: ReadonlyMap<string, string> = new Map([
  // A clientId that nobody has, an empty cursor, a topic with +: all that fits the schema, and is answered 400, 404 or 422 as documented.
  ["positive_data_acceptance", "a value that fits its schema may still be none that is there"],
  // That no route is open without a token is held by src/admin/http/api.test.ts, with 401 and 429.
  ["ignored_auth", "wrong tokens that come too fast are answered 429"],
])

/** Whatever does not fit the schema is refused; too long is one way not to. */
const settings = `[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 411, 413, 415, 422, 429, 431]
`

process.exitCode = await main()

async function main(): Promise<number> {
  let values: { program?: string | undefined; examples: string; seed: string; help: boolean }
  try {
    values = parseArgs({
      options: {
        program: { type: "string" },
        examples: { type: "string", default: "50" },
        seed: { type: "string", default: "1" },
        help: { type: "boolean", default: false },
      },
    }).values
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const unknown = /^Unknown option '([^']+)'/.exec(message)?.[1]
    console.error(`contract: ${unknown === undefined ? message : `unknown option ${unknown}`}; see --help`)
    return 2
  }
  if (values.help) {
    console.log(help)
    return 0
  }
  const program = values.program ?? "schemathesis"
  const { status, error } = spawnSync(program, ["--version"], { stdio: "ignore" })
  if (status !== 0 && values.program !== undefined) {
    console.error(
      `contract: --program ${program} cannot be run: ${error?.message ?? `it ends with status ${status}`}; "pip install schemathesis" makes one`,
    )
    return 2
  }
  if (status !== 0) {
    console.log(
      "schemathesis is not installed (pip install schemathesis): the admin API is not held to its document by it",
    )
    console.log("0 passed, 0 failed, 1 skipped")
    return 0
  }
  return run(program, values.examples, values.seed)
}

async function run(program: string, examples: string, seed: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "puremq-contract-"))
  const faults: string[] = []
  const broker = createBroker({
    listeners: [{ type: "tcp", port: 0 }],
    admin: { port: 0, tokens: tokenLine("contract", "operate", token) },
    onEvent: (event) => {
      if (event.event === "fault") faults.push(event.stack)
    },
  })
  try {
    const addresses = await broker.listen()
    for (const topic of ["kept/one", "kept/two"]) broker.publish(topic, "payload", { retain: true })
    const { port } = addresses.find(({ type }) => type === "admin")!
    const base = `http://127.0.0.1:${port}`
    const answer = await fetch(`${base}/api/v1/openapi.json`, { headers: { authorization: `Bearer ${token}` } })
    const document = join(folder, "openapi.json")
    writeFileSync(document, await answer.text())
    writeFileSync(join(folder, "schemathesis.toml"), settings)
    const args = [
      ...["run", document, "--url", base, "--header", `Authorization: Bearer ${token}`],
      ...leftOut.flatMap((name) => ["--exclude-operation-id", name]),
      ...["--exclude-checks", [...notPromised.keys()].join(",")],
      ...["--max-examples", examples, "--seed", seed, "--workers", "1", "--request-timeout", "20", "--warnings", "off"],
    ]
    const child = spawn(program, args, { cwd: folder, stdio: "inherit", env: { ...process.env, NO_COLOR: "1" } })
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject)
      child.once("close", resolve)
    })
    const last = await fetch(`${base}/api/v1/broker`, { headers: { authorization: `Bearer ${token}` } })
    if (last.status !== 200) faults.push(`afterwards /broker is answered ${last.status}`)
    for (const fault of faults) console.error(fault)
    const failed = status !== 0 || faults.length > 0
    console.log(failed ? "0 passed, 1 failed" : "1 passed, 0 failed")
    return failed ? 1 : 0
  } finally {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
