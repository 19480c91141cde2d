import { createInterface } from "node:readline"
import { readBytes } from "../config/text-file.ts"
import { parseArguments, UsageError } from "./arguments.ts"
import { connectionOptions, connectRequest, openStream, qosOf } from "./client-options.ts"
import { openClient } from "./connection-error.ts"

export async function pub(args: readonly string[]): Promise<void> {
  const options = parseArguments("pub", args, {
    ...connectionOptions,
    topic: { type: "string", short: "t" },
    message: { type: "string", short: "m" },
    file: { type: "string", short: "f" },
    lines: { type: "boolean", short: "l" },
    null: { type: "boolean", short: "n" },
    qos: { type: "string", short: "q" },
    retain: { type: "boolean", short: "r" },
  })
  const topic = options.text("topic")
  if (topic === undefined) throw new UsageError('a topic is missing (-t TOPIC); see "puremq pub --help"')
  const message = options.text("message")
  const file = options.text("file")
  const sources = [message !== undefined, file !== undefined, options.flag("lines"), options.flag("null")]
  if (sources.filter(Boolean).length !== 1) {
    throw new UsageError('give the message by one of -m, -f, -l and -n; see "puremq pub --help"')
  }
  const qos = qosOf(options)
  const retain = options.flag("retain")
  const payload = file === undefined ? new TextEncoder().encode(message ?? "") : readBytes(file, "the message")
  const request = connectRequest(options)
  const client = openClient(await openStream(options), request, () => undefined)
  await client.during(async () => {
    await client.connect()
    if (options.flag("lines")) {
      const encoder = new TextEncoder()
      for await (const line of createInterface({ input: process.stdin })) {
        await client.publish(topic, encoder.encode(line), qos, retain)
      }
    } else await client.publish(topic, payload, qos, retain)
  })
  client.end()
  await client.closed
}
