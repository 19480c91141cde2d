import { visible } from "../admin/visible.ts"
import { reasonName } from "../packet/reason-codes.ts"
import { parseArguments, UsageError } from "./arguments.ts"
import { connectionOptions, connectRequest, openStream, qosOf } from "./client-options.ts"
import { openClient } from "./connection-error.ts"
import { ClientError } from "./mqtt-client.ts"
import { wordOf } from "./output.ts"

/** Resolves with the exit status. */
export async function sub(args: readonly string[]): Promise<number> {
  const options = parseArguments("sub", args, {
    ...connectionOptions,
    topic: { type: "string", short: "t", multiple: true },
    qos: { type: "string", short: "q" },
    verbose: { type: "boolean", short: "v" },
    count: { type: "string", short: "C" },
    wait: { type: "string", short: "W" },
  })
  const filters = options.texts("topic")
  if (filters.length === 0) throw new UsageError('a topic filter is missing (-t FILTER); see "puremq sub --help"')
  const qos = qosOf(options)
  const count = options.number("count", 1, Number.MAX_SAFE_INTEGER)
  const wait = options.number("wait", 1, 1_000_000)
  const verbose = options.flag("verbose")
  const output = process.stdout
  let seen = 0
  let status = 0
  const client = openClient(await openStream(options), connectRequest(options), (message) => {
    if (count !== undefined && seen >= count) return
    if (verbose) output.write(`${visible(message.topic)} `)
    output.write(output.isTTY ? forTerminal(message.payload) : message.payload)
    // A slow reader holds back the broker, which knows what to do with what waits.
    if (!output.write("\n")) {
      client.pause()
      output.once("drain", () => client.resume())
    }
    seen++
    if (seen === count) setImmediate(() => client.end()) // after the acknowledgement
  })
  // A reader that has seen enough (`| head`) is no failure.
  output.on("error", (error) => {
    if (wordOf(error) !== "EPIPE") {
      process.stderr.write(`puremq: cannot write the output: ${wordOf(error)}\n`)
      status = 1
    }
    client.resume()
    client.end()
  })
  await client.during(async () => {
    await client.connect()
    const codes = await client.subscribe(
      filters.map((filter) => ({ filter, qos, noLocal: false, retainAsPublished: true, retainHandling: 0 })),
    )
    codes.forEach((code, index) => {
      if (code >= 0x80)
        throw new ClientError(`the broker refused ${filters[index]}: ${code === 0x80 ? "refused" : reasonName(code)}`)
    })
  })
  if (wait !== undefined) {
    setTimeout(() => {
      if (count !== undefined && seen < count) status = 27
      client.end()
    }, wait * 1000).unref()
  }
  const stop = () => client.end()
  process.once("SIGINT", stop)
  process.once("SIGTERM", stop)
  await client.closed
  return status
}

/** A message can be anything; what a terminal would obey is shown instead. Raw bytes are for files and pipes. */
export function forTerminal(payload: Uint8Array): string {
  return visible(new TextDecoder().decode(payload), "\n\t")
}
