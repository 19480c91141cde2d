import { connect, listen } from "@puremq/tls13/deno"
import { checks } from "./openssl.ts"

declare const Deno: { env: { get(name: string): string | undefined } }

for (const line of await checks({ connect, listen }, JSON.parse(Deno.env.get("PUREMQ_SETTING") ?? "")))
  console.log(line)
