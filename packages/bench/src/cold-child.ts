// A process that does one thing first, and says how long that took it: cold-start.ts starts it. Nothing is imported here
// that is measured.

import { once } from "node:events"
import type { ColdTask, First } from "./cold-start.ts"

const task: ColdTask = JSON.parse(process.env["PUREMQ_BENCH_TASK"] ?? "null")
if (task === null) throw new Error("this program is started by main.js")

const does: Readonly<Record<First, () => Promise<unknown>>> = {
  node: () => import("node:tls"),
  core: () => import("@puremq/tls13"),
  "core-noble": () => Promise.all([import("@puremq/tls13"), import("@puremq/tls13/crypto/noble")]),
  async "node-handshake"() {
    const { connect } = await import("node:tls")
    await once(connect(target()), "secureConnect")
  },
  async "our-handshake"() {
    const { connect } = await import("@puremq/tls13/node")
    await once(connect(target()), "secureConnect")
  },
}

function target() {
  return { host: "127.0.0.1", port: task.port, ca: task.ca, servername: "localhost" }
}

// Processor time: what else the machine does, and who answers the handshake, is not the start's.
const from = process.cpuUsage()
await does[task.first]()
const { user, system } = process.cpuUsage(from)
process.stdout.write(String((user + system) / 1000), () => process.exit())
