// Who a command is to the broker: what its options make of CONNECT (MQTT 5.0 section 3.1).

import { randomBytes } from "node:crypto"
import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import { SaslprepError } from "../../access/saslprep.ts"
import { ScramClient } from "../../access/scram-client.ts"
import { scramMethod } from "../../access/scram-messages.ts"
import type { WillRequest } from "../../mqtt-client/packets.ts"
import { encodeText } from "../../packet/bytes.ts"
import { PacketError } from "../../packet/errors.ts"
import { filterFault } from "../../packet/filter-form.ts"
import { guardTopicName } from "../../packet/guard.ts"
import type { Qos } from "../../packet/packets.ts"
import { PropertyId } from "../../packet/properties.ts"
import { numberOf, type PropertyValue } from "../../packet/property-values.ts"
import { pbkdf2 } from "../../platform/node-pbkdf2.ts"
import type { Address } from "./address.ts"
import type { ConnectRequest } from "./mqtt-client.ts"
import { bytesIn, type GivenProperties, textIn } from "./properties.ts"

const never = 0xffff_ffff

const versions = ["5", "3.1.1", "3.1", "311", "31", "4", "mqttv5", "mqttv311", "mqttv31"] as const

type Protocol = Pick<ConnectRequest, "version" | "mqtt31">

function protocolOf(options: Arguments): Protocol {
  const word = options.oneOf("protocol-version", ...versions) ?? "5"
  const digits = word.replace(/^mqttv|\./g, "")
  const mqtt31 = digits === "31"
  return { version: digits.startsWith("5") ? 5 : 4, mqtt31 }
}

/** @throws UsageError */
export function connectRequest(options: Arguments, properties: GivenProperties, address: Address): ConnectRequest {
  const { version, mqtt31 } = protocolOf(options)
  if (version === 4) refuseMqtt5(options)
  const username = address.username ?? options.text("username")
  const password =
    address.password ?? options.text("pw") ?? (username === undefined ? undefined : passwordFromEnvironment())
  if (password !== undefined && username === undefined && version === 4)
    throw new UsageError("-P needs -u: MQTT 3.1.1 has no password without a user name")
  const scram = options.flag("scram") ? scramOf(username, password) : undefined
  const keepsSession = options.flag("disable-clean-session")
  const clientId = clientIdOf(options)
  const expiry = sessionExpiry(options, properties.connect) ?? (keepsSession ? never : 0)
  if (clientId === "" && (version === 5 ? expiry === never : keepsSession))
    throw new UsageError("a session that stays (-c) needs -i ID: it is found again by its Client Identifier")
  return {
    version,
    mqtt31,
    // MQTT 3.1 has no empty one.
    clientId: clientId === "" && mqtt31 ? `puremq-${process.pid}` : clientId,
    cleanStart: !keepsSession,
    keepAlive: options.number("keepalive", 0, 65_535) ?? 60,
    username: username === undefined ? undefined : textIn("--username", username),
    password: password === undefined || scram !== undefined ? undefined : bytesIn("--pw", password),
    will: willOf(options, properties.will),
    properties: withScram(withExpiry(properties.connect, expiry), scram),
    scram,
  }
}

/** Throws UsageError. */
function scramOf(username: string | undefined, password: string | undefined): ScramClient {
  if (username === undefined || password === undefined)
    throw new UsageError("--scram needs -u NAME and a password (-P, or PUREMQ_PASSWORD)")
  try {
    return new ScramClient(username, password, randomBytes(18).toString("base64"), pbkdf2)
  } catch (error) {
    if (error instanceof SaslprepError)
      throw new UsageError(`SCRAM cannot have this user name or password (SASLprep, RFC 4013): ${error.message}`)
    throw error
  }
}

function withScram(connect: readonly PropertyValue[], scram: ScramClient | undefined): readonly PropertyValue[] {
  if (scram === undefined) return connect
  const { AuthenticationMethod, AuthenticationData } = PropertyId
  if (connect.some(({ id }) => id === AuthenticationMethod || id === AuthenticationData))
    throw new UsageError("the Authentication Method is given by --scram and by -D connect: one of them at most")
  return [
    ...connect,
    { id: AuthenticationMethod, value: scramMethod },
    { id: AuthenticationData, value: scram.first() },
  ]
}

function refuseMqtt5(options: Arguments): void {
  if (options.flag("scram")) throw new UsageError("--scram is of MQTT 5.0 only: leave out --protocol-version")
  const option = ["session-expiry", "property"].find((name) => options.text(name) ?? options.texts(name)[0])
  if (option !== undefined) throw new UsageError(`--${option} is of MQTT 5.0 only: leave out --protocol-version`)
}

function clientIdOf(options: Arguments): string {
  const [id, prefix] = [options.text("id"), options.text("id-prefix")]
  if (id !== undefined && prefix !== undefined) throw new UsageError("-i and -I: one of them at most")
  return textIn(
    prefix === undefined ? "--id" : "--id-prefix",
    prefix === undefined ? (id ?? "") : `${prefix}${process.pid}`,
  )
}

/** Seconds; undefined: not said. */
function sessionExpiry(options: Arguments, connect: readonly PropertyValue[]): number | undefined {
  const word = options.text("session-expiry")
  const property = numberOf(connect, PropertyId.SessionExpiryInterval)
  if (word === undefined) return property
  if (property !== undefined)
    throw new UsageError("the Session Expiry Interval is given by -x and by -D connect: one of them at most")
  if (word === "-1" || word === "\u221e") return never
  const seconds = /^\d+$/.test(word) ? Number(word) : Number.NaN
  if (seconds <= never) return seconds
  throw new UsageError(
    `--session-expiry must be a whole number of seconds from 0 to ${never}, or -1 for never, not "${word}"`,
  )
}

function withExpiry(connect: readonly PropertyValue[], seconds: number): readonly PropertyValue[] {
  if (seconds === 0 || numberOf(connect, PropertyId.SessionExpiryInterval) !== undefined) return connect
  return [...connect, { id: PropertyId.SessionExpiryInterval, value: seconds }]
}

function willOf(options: Arguments, properties: readonly PropertyValue[]): WillRequest | undefined {
  const topic = options.text("will-topic")
  if (topic === undefined) {
    const [option] = ["will-payload", "will-qos", "will-retain"].filter(
      (name) => options.flag(name) || options.text(name) !== undefined,
    )
    if (option !== undefined) throw new UsageError(`--${option} needs --will-topic: where the will goes`)
    if (properties.length > 0) throw new UsageError("-D will needs --will-topic: where the will goes")
    return undefined
  }
  return {
    topic: topicName("--will-topic", topic),
    payload: bytesIn("--will-payload", options.text("will-payload") ?? ""),
    qos: qosOf(options, "will-qos"),
    retain: options.flag("will-retain"),
    properties,
  }
}

export function qosOf(options: Arguments, name: string = "qos"): Qos {
  const qos = options.oneOf(name, "0", "1", "2") ?? "0"
  return qos === "2" ? 2 : qos === "1" ? 1 : 0
}

/** A word of the command line that can be published to. Throws UsageError. @param what begins the sentence */
export function topicName(what: string, word: string): string {
  try {
    guardTopicName(textIn(what, word))
  } catch (error) {
    if (error instanceof PacketError) throw new UsageError(`${what} "${word}": ${error.message}`)
    throw error
  }
  return word
}

/** A word of the command line that can be subscribed to. Throws UsageError. @param what begins the sentence */
export function topicFilter(what: string, word: string): string {
  const bytes = encodeText(textIn(what, word))
  const fault = filterFault(bytes, 0, bytes.length)
  if (fault !== undefined) throw new UsageError(`${what} "${word}": ${fault.what} [${fault.rule}]`)
  return word
}

function passwordFromEnvironment(): string | undefined {
  const { PUREMQ_PASSWORD } = process.env
  return PUREMQ_PASSWORD
}
