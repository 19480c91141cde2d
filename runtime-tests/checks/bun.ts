import { connect, listen } from "@puremq/tls13/bun"
import { checks } from "./openssl.ts"

for (const line of await checks({ connect, listen }, JSON.parse(process.env["PUREMQ_SETTING"] ?? ""))) console.log(line)
