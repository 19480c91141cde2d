// A request, and the answer to it (MQTT 5.0 section 4.10), as mosquitto_rr.

import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { reasonText } from "../mqtt-client/reasons.ts"
import type { Received } from "../mqtt-client/received.ts"
import { encodeText, sameBytes } from "../packet/bytes.ts"
import { PropertyId } from "../packet/properties.ts"
import type { PropertyValue } from "../packet/property-values.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { addressOf } from "./client/address.ts"
import { openClient } from "./client/connection-error.ts"
import { ClientError } from "./client/errors.ts"
import { openStream } from "./client/open-stream.ts"
import { connectRequest, qosOf, topicName } from "./client/options.ts"
import { readProperties } from "./client/properties.ts"
import { rrCommand } from "./client-commands.ts"
import { MessageOutput } from "./format/message-output.ts"
import { tell } from "./output.ts"
import { sourceOf } from "./payloads.ts"

const hint = 'see "puremq rr --help"'
/** Of mosquitto_rr: the time of -W is over. */
const timedOut = 27

/** Resolves with the exit status. */
export async function rr(args: readonly string[]): Promise<number> {
  const options = readArguments(rrCommand, args)
  const properties = readProperties(options)
  const address = addressOf(options)
  const { place } = address
  const [topic, responseTopic] = [options.text("topic") ?? address.topic, options.text("response-topic")]
  if (topic === undefined) throw new UsageError(`a topic is missing (-t TOPIC); ${hint}`)
  if (responseTopic === undefined) throw new UsageError(`a topic for the response is missing (-e TOPIC); ${hint}`)
  topicName("--topic", topic)
  topicName("--response-topic", responseTopic)
  if (properties.publish.some(({ id }) => id === PropertyId.ResponseTopic))
    throw new UsageError("-e is the Response Topic: leave out -D publish response-topic")
  const request = connectRequest(options, properties, address)
  const wait = options.number("wait", 1, 1_000_000)
  const qos = qosOf(options)
  const output = new MessageOutput(options, process.stdout.isTTY, tell)
  const source = await sourceOf(options, ["message", "file", "stdin-file", "null-message"], hint)
  const payload = source.kind === "one" ? source.payload : new Uint8Array(0)
  const asked: PropertyValue[] = request.version === 5 ? asking(properties.publish, responseTopic) : []
  const freshOnly = options.flag("no-retained")

  let answered = (_message: Received): void => undefined
  const answer = new Promise<Received>((resolve) => {
    answered = resolve
  })
  let waiting = false
  const stream = await openStream(options, place)
  const client = openClient(
    { stream, place },
    {
      request,
      onMessage(message) {
        if (!waiting || (message.retain && freshOnly) || !isAnswer(message, asked)) return true
        waiting = false
        const text = output.print(message, new Date())
        if (text !== undefined) process.stdout.write(text)
        answered(message)
        return true
      },
    },
  )
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<"over">((resolve) => {
    if (wait !== undefined) timer = setTimeout(() => resolve("over"), wait * 1000)
  })
  const work = async (): Promise<"answered"> => {
    await client.connect()
    const subscription = { filter: responseTopic, qos, noLocal: false, retainAsPublished: false }
    const granted = await client.subscribe(
      [{ ...subscription, retainHandling: freshOnly ? 2 : 0 }],
      properties.subscribe,
    )
    const [code = 0] = granted.reasonCodes
    const why = request.version === 4 ? "refused" : reasonText(code, granted.reasonString)
    if (code >= 0x80) throw new ClientError(`the broker refused ${responseTopic}: ${why}`)
    waiting = true
    const { reasonCode } = await client.publish({ topic, payload, qos, retain: false, properties: asked })
    if (waiting && reasonCode === ReasonCode.NoMatchingSubscribers)
      throw new ClientError(`nobody is subscribed to ${topic}: there will be no response`)
    await Promise.race([answer, client.closed])
    return "answered"
  }
  const how = await client.during(() => Promise.race([work(), over])).finally(() => clearTimeout(timer))
  if (how === "over" && !options.flag("quiet")) tell(`no response in ${wait} s`)
  client.end(how === "over" && request.will !== undefined ? ReasonCode.DisconnectWithWill : 0, properties.disconnect)
  await client.closed
  return how === "over" ? timedOut : 0
}

/** What makes a message a request. Without Correlation Data of the caller's it gets some, so as to know its response. */
function asking(given: readonly PropertyValue[], responseTopic: string): PropertyValue[] {
  const asked = [...given, { id: PropertyId.ResponseTopic, value: responseTopic }]
  if (given.some(({ id }) => id === PropertyId.CorrelationData)) return asked
  const random = crypto.randomUUID()
  return [...asked, { id: PropertyId.CorrelationData, value: encodeText(random) }]
}

/** One with other Correlation Data answers somebody else; one without comes from a responder that does not know of any. */
function isAnswer({ properties }: Received, asked: readonly PropertyValue[]): boolean {
  const [theirs, ours] = [properties, asked].map(
    (list) => list.find(({ id }) => id === PropertyId.CorrelationData)?.value,
  )
  if (!(theirs instanceof Uint8Array) || !(ours instanceof Uint8Array)) return true
  return sameBytes(ours, theirs, 0, theirs.length)
}
