import { connect, listen } from "@puremq/tls13/deno"
import { checks, slowChecks } from "./openssl.ts"

declare const Deno: { readonly args: readonly string[]; env: { get(name: string): string | undefined } }

const setting = JSON.parse(Deno.env.get("PUREMQ_SETTING") ?? "")
const entry = { connect, listen }
const work = Deno.args.includes("backpressure") ? slowChecks : checks
for (const line of await work(entry, setting)) console.log(line)
