import { type Arguments, readArguments, UsageError } from "@puremq/tls13/command-line"
import { reasonText } from "../mqtt-client/reasons.ts"
import type { Received } from "../mqtt-client/received.ts"
import type { SubscriptionRequest } from "../packet/packets.ts"
import { PropertyId } from "../packet/properties.ts"
import { numberOf, type PropertyValue } from "../packet/property-values.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { matches } from "../routing/filter.ts"
import { addressOf } from "./client/address.ts"
import { openClient } from "./client/connection-error.ts"
import { ClientError } from "./client/errors.ts"
import type { ConnectRequest, StreamClient } from "./client/mqtt-client.ts"
import { openStream } from "./client/open-stream.ts"
import { connectRequest, qosOf, topicFilter } from "./client/options.ts"
import { readProperties } from "./client/properties.ts"
import { subCommand } from "./client-commands.ts"
import { MessageOutput } from "./format/message-output.ts"
import { tell, wordOf } from "./output.ts"

const hint = 'see "puremq sub --help"'
/** Of mosquitto_sub: the time of -W is over. */
const timedOut = 27

/** Resolves with the exit status. */
export async function sub(args: readonly string[]): Promise<number> {
  const options = readArguments(subCommand, args)
  const properties = readProperties(options)
  const address = addressOf(options)
  const { place } = address
  const filters = [...options.texts("topic"), ...(address.topic === undefined ? [] : [address.topic])]
  const leaving = options.texts("unsubscribe")
  if (filters.length === 0 && leaving.length === 0)
    throw new UsageError(`a topic filter is missing (-t FILTER); ${hint}`)
  for (const filter of filters) topicFilter("--topic", filter)
  for (const filter of leaving) topicFilter("--unsubscribe", filter)
  const count = options.number("count", 1, Number.MAX_SAFE_INTEGER)
  const request = withReceiveMaximum(connectRequest(options, properties, address), count)
  const subscriptions = subscriptionsOf(options, filters, request)
  const wait = options.number("wait", 1, 1_000_000)
  const choose = new Choice(options)
  const removes = options.flag("remove-retained")
  const stdout = process.stdout
  const output = new MessageOutput(options, stdout.isTTY, tell)
  const replies = new Set<Promise<unknown>>()
  let seen = 0
  let status = 0
  let over = false

  const stream = await openStream(options, place)
  /** After the acknowledgement of the message that it is called for, and of what was sent meanwhile. */
  const finish = (reasonCode: number = ReasonCode.Success) => {
    if (over) return
    over = true
    setImmediate(() => void Promise.allSettled(replies).then(() => client.end(reasonCode, properties.disconnect)))
  }
  const client = openClient(
    { stream, place },
    {
      request,
      onMessage(message) {
        if (over) return false
        if (choose.ends(message)) {
          finish()
          return false
        }
        if (choose.leavesOut(message)) return true
        if (message.retain && removes) {
          const removed = removeRetained(client, message.topic).finally(() => replies.delete(removed))
          replies.add(removed)
        }
        if (choose.hides(message)) return true
        const text = output.print(message, new Date())
        // A slow reader holds back the broker, which knows what to do with what waits.
        if (text !== undefined && !stdout.write(text)) {
          client.pause()
          stdout.once("drain", () => client.resume())
        }
        seen++
        if (seen === count) finish()
        return true
      },
    },
  )
  // A reader that has seen enough (`| head`) is no failure.
  stdout.on("error", (error) => {
    if (wordOf(error) !== "EPIPE") {
      tell(`cannot write the output: ${wordOf(error)}`)
      status = 1
    }
    client.resume()
    finish()
  })
  // What was wanted may be there before SUBACK: messages that have waited for a session.
  const unlessOver = (error: unknown) => {
    if (!over) throw error
  }
  const work = async () => {
    await client.connect()
    if (wait !== undefined) {
      const timer = setTimeout(() => {
        if (over) return
        status = timedOut
        if (!options.flag("quiet")) tell(`timed out after ${wait} s`)
        finish(willReason(request))
      }, wait * 1000)
      client.closed.finally(() => clearTimeout(timer)).catch(() => undefined)
    }
    const stop = () => finish(willReason(request))
    process.once("SIGINT", stop)
    process.once("SIGTERM", stop)
    if (subscriptions.length > 0) await subscribe(client, subscriptions, properties.subscribe, request)
    if (leaving.length > 0) await unsubscribe(client, leaving, properties.unsubscribe)
  }
  await client.during(work).catch(unlessOver)
  if (options.flag("exit-after-subscribe")) finish()
  await client.closed.catch(unlessOver)
  return status
}

/** Which messages are printed. */
class Choice {
  readonly #retainedOnly: boolean
  readonly #freshOnly: boolean
  readonly #filteredOut: readonly (readonly string[])[]

  /** Throws UsageError. */
  constructor(options: Arguments) {
    this.#retainedOnly = options.flag("retained-only")
    this.#freshOnly = options.flag("no-retained")
    if (this.#retainedOnly && this.#freshOnly) throw new UsageError("-R and --retained-only leave no message")
    const filters = options.texts("filter-out").map((filter) => topicFilter("--filter-out", filter))
    this.#filteredOut = filters.map((filter) => filter.split("/"))
  }

  /** The first message that is not retained: those that were have all come. */
  ends({ retain }: Received): boolean {
    return this.#retainedOnly && !retain
  }

  leavesOut({ topic }: Received): boolean {
    return this.#filteredOut.some((levels) => matches(levels, topic))
  }

  hides({ retain }: Received): boolean {
    return this.#freshOnly && retain
  }
}

/** Not more than are wanted come at once: what is past them stays with the broker. */
function withReceiveMaximum(request: ConnectRequest, count: number | undefined): ConnectRequest {
  const given = numberOf(request.properties, PropertyId.ReceiveMaximum)
  if (request.version !== 5 || given !== undefined || count === undefined || count > 20) return request
  return { ...request, properties: [...request.properties, { id: PropertyId.ReceiveMaximum, value: count }] }
}

function subscriptionsOf(
  options: Arguments,
  filters: readonly string[],
  { version }: ConnectRequest,
): readonly SubscriptionRequest[] {
  const retainAsPublished = options.flag("retain-as-published")
  if (retainAsPublished && version === 4)
    throw new UsageError("--retain-as-published is of MQTT 5.0 only: leave out --protocol-version")
  // Those that nobody prints need not come, unless they are to be removed.
  const retainHandling = options.flag("no-retained") && !options.flag("remove-retained") ? 2 : 0
  return filters.map((filter) => ({ filter, qos: qosOf(options), noLocal: false, retainAsPublished, retainHandling }))
}

async function subscribe(
  client: StreamClient,
  subscriptions: readonly SubscriptionRequest[],
  properties: readonly PropertyValue[],
  { version }: ConnectRequest,
): Promise<void> {
  const { reasonCodes, reasonString } = await client.subscribe(subscriptions, properties)
  reasonCodes.forEach((code, i) => {
    if (code < 0x80) return
    // MQTT 3.1.1 has no other one.
    const why = version === 4 ? "refused" : reasonText(code, reasonString)
    throw new ClientError(`the broker refused ${subscriptions[i]?.filter}: ${why}`)
  })
}

async function unsubscribe(
  client: StreamClient,
  filters: readonly string[],
  properties: readonly PropertyValue[],
): Promise<void> {
  const { reasonCodes, reasonString } = await client.unsubscribe(filters, properties)
  reasonCodes.forEach((code, i) => {
    if (code >= 0x80)
      throw new ClientError(`the broker refused to end ${filters[i]}: ${reasonText(code, reasonString)}`)
  })
}

/** A retained message without payload is none. */
async function removeRetained(client: StreamClient, topic: string): Promise<void> {
  await client
    .publish({ topic, payload: new Uint8Array(0), qos: 1, retain: true, properties: [] })
    .catch((error: Error) => tell(`cannot remove the retained message of ${topic}: ${error.message}`))
}

/** As Mosquitto's tools do: a command that is stopped from outside did not end as it should have. */
function willReason({ will }: ConnectRequest): number {
  return will === undefined ? ReasonCode.Success : ReasonCode.DisconnectWithWill
}
