import { setTimeout as after } from "node:timers/promises"
import { type Arguments, readArguments, UsageError } from "@puremq/tls13/command-line"
import { PropertyId } from "../packet/properties.ts"
import { numberOf } from "../packet/property-values.ts"
import { addressOf } from "./client/address.ts"
import { openClient } from "./client/connection-error.ts"
import type { PublishRequest, StreamClient } from "./client/mqtt-client.ts"
import { openStream } from "./client/open-stream.ts"
import { connectRequest, qosOf, topicName } from "./client/options.ts"
import type { Payload } from "./client/packet-writer.ts"
import { readProperties } from "./client/properties.ts"
import { pubCommand } from "./client-commands.ts"
import { lines, type Source, sourceOf } from "./payloads.ts"

const hint = 'see "puremq pub --help"'

export async function pub(args: readonly string[]): Promise<void> {
  const options = readArguments(pubCommand, args)
  const properties = readProperties(options)
  const address = addressOf(options)
  const { place } = address
  const topic = options.text("topic") ?? address.topic
  if (topic === undefined) throw new UsageError(`a topic is missing (-t TOPIC); ${hint}`)
  topicName("--topic", topic)
  const request = connectRequest(options, properties, address)
  const repeat = repeatOf(options)
  // In MQTT 3.1.1 a broker cannot tell how many it takes, and some drop what is past that without a word.
  const maximumInFlight = options.number("max-inflight", 1, 65_535) ?? (request.version === 5 ? 20 : 1)
  const common = { qos: qosOf(options), retain: options.flag("retain"), properties: properties.publish }
  const kinds = ["message", "file", "stdin-line", "stdin-file", "null-message"]
  const source = await sourceOf(options, kinds, hint)
  if (source.kind === "lines" && options.text("repeat") !== undefined)
    throw new UsageError("--repeat is about one message, and -l sends one a line")

  const stream = await openStream(options, place)
  // What a session has kept for a subscriber is not ours.
  const client = openClient({ stream, place }, { request, onMessage: () => false, maximumInFlight })
  // Section 3.3.2.3.4: once the broker knows the alias, the topic need not be sent again.
  const aliased = numberOf(properties.publish, PropertyId.TopicAlias) !== undefined
  let first = true
  const message = (payload: Payload): PublishRequest => {
    const named = first || !aliased
    first = false
    return { ...common, topic: named ? topic : "", payload }
  }
  await client.during(async () => {
    await client.connect()
    await publishAll(client, source, repeat, message)
  })
  client.end(0, properties.disconnect)
  await client.closed
}

interface Repeat {
  readonly count: number
  readonly milliseconds: number
}

function repeatOf(options: Arguments): Repeat {
  const count = options.number("repeat", 1, Number.MAX_SAFE_INTEGER) ?? 1
  const word = options.text("repeat-delay") ?? "0"
  const milliseconds = /^(?:\d+\.?\d*|\.\d+)$/.test(word) ? Number(word) * 1000 : Number.NaN
  // Longer ones are none for a timer.
  if (milliseconds <= 0x7fff_ffff) return { count, milliseconds }
  throw new UsageError(
    `--repeat-delay must be a number of seconds from 0 to 2147483, such as 0.5, not "${word}"; ${hint}`,
  )
}

async function publishAll(
  client: StreamClient,
  source: Source,
  { count, milliseconds }: Repeat,
  message: (payload: Payload) => PublishRequest,
): Promise<void> {
  if (source.kind === "lines") return publishLines(client, message)
  for (let i = 0; i < count; i++) {
    if (i > 0 && milliseconds > 0) await pause(client, milliseconds)
    await client.publish(message(source.payload))
  }
}

/** Rejects when the connection fails meanwhile. */
async function pause(client: StreamClient, milliseconds: number): Promise<void> {
  const over = new AbortController()
  await Promise.race([after(milliseconds, undefined, { signal: over.signal }), client.closed]).finally(() =>
    over.abort(),
  )
}

/** Several may be unacknowledged at once. */
async function publishLines(client: StreamClient, message: (payload: Payload) => PublishRequest): Promise<void> {
  const input = process.stdin
  const unacknowledged = new Set<Promise<unknown>>()
  let failure: unknown
  const failed = (error: unknown) => {
    failure ??= error
    input.destroy() // nobody waits for the next line
  }
  client.closed.catch(failed)
  try {
    for await (const line of lines(input)) {
      const { acknowledged } = await client.send(message(line))
      const settled = acknowledged.catch(failed).finally(() => unacknowledged.delete(settled))
      unacknowledged.add(settled)
    }
  } catch (error) {
    failure ??= error
  }
  await Promise.all(unacknowledged)
  if (failure !== undefined) throw failure
}
