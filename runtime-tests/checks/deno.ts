import { connect, listen } from "../../packages/tls13/dist/adapters/deno.js"
import { checks } from "../checks.ts"

declare const Deno: { env: { get(name: string): string | undefined } }

for (const line of await checks({ connect, listen }, JSON.parse(Deno.env.get("PUREMQ_SETTING") ?? "")))
  console.log(line)
