import { connect, listen } from "../../packages/tls13/dist/adapters/bun.js"
import { checks } from "../checks.ts"

for (const line of await checks({ connect, listen }, JSON.parse(process.env["PUREMQ_SETTING"] ?? ""))) console.log(line)
