import { connect, listen } from "@puremq/tls13/bun"
import { checks, slowChecks } from "./openssl.ts"

const setting = JSON.parse(process.env["PUREMQ_SETTING"] ?? "")
const entry = { connect, listen }
const work = process.argv.includes("backpressure") ? slowChecks : checks
for (const line of await work(entry, setting)) console.log(line)
