// Rows of the option table: connections to other brokers.

import type { BridgeTopic } from "../../bridge/topics.ts"
import { parseFilter } from "../../routing/filter.ts"
import { bridgePlace } from "../bridge-place.ts"
import { ConfigError } from "../config.ts"
import type { FileBridge } from "../file-config.ts"
import { group } from "./group.ts"
import { flag, list, milliseconds, number, oneOf, protocolName, text } from "./kinds.ts"
import type { Check, Kind, Need, Rows } from "./option.ts"

/** Read at the start only. */
const fileAtStart: Kind<string> = { ...text, words: "a file name", placeholder: "FILE", file: "at the start" }

function checked(kind: Kind<string>, words: string, check: (value: string) => void): Kind<string> {
  const all: Check<string> = (value, where) => {
    const given = kind.check(value, where)
    try {
      check(given)
    } catch (error) {
      throw new ConfigError(`${where}: ${error instanceof Error ? error.message : String(error)}`, where)
    }
    return given
  }
  return { ...kind, words, check: all, read: all }
}

const filter = checked(text, "a Topic Filter", (value) => {
  if (parseFilter(value, 1024).shareName !== undefined)
    throw new ConfigError("a bridge has no Shared Subscription: write the filter alone")
})

const prefix: Kind<string> = checked(
  { ...text, check: (value, where) => (value === "" ? "" : text.check(value, where)) },
  "a part of a topic",
  (value) => {
    if (/[+#]/.test(value)) throw new ConfigError(`a prefix has no wildcards, not "${value}"`)
  },
)

const bridgeName = checked(text, "a name", (value) => {
  if (!/^[\w.-]{1,64}$/.test(value)) throw new ConfigError(`must be 1 to 64 letters, digits, - _ and ., not "${value}"`)
})

const topicOptions: Rows<BridgeTopic> = {
  filter: { kind: filter, about: "which topics, without the prefix", required: true },
  direction: {
    kind: oneOf("out", "in", "both"),
    about: "from this broker to the other, from the other to this one, or both",
    required: true,
  },
  qos: { kind: oneOf(0, 1, 2), about: "the highest QoS that they are handed on at", default: 1 },
  retain: { kind: flag, about: "a message that is retained on one side is on the other", default: true },
  localPrefix: { kind: prefix, about: "what topics begin with here, and not there", otherwise: "none" },
  remotePrefix: { kind: prefix, about: "what they begin with there, and not here", otherwise: "none" },
}

const tls: Need = {
  words: "an `address` with TLS",
  met: (of) => /^(mqtts|wss):/i.test(String(of("address"))),
  inFile: (where, name) => `${where}.${name} is about TLS: the address must begin with mqtts:// or wss://`,
  onCommandLine: (given) => `--${given} is about TLS`,
}

function together(other: string): Need {
  return {
    words: `\`${other}\``,
    met: (of) => of(other) !== undefined,
    inFile: (where, name) => `${where}.${name} needs ${other}`,
    onCommandLine: (given) => `--${given} needs ${other}`,
  }
}

const bridgeOptions: Rows<FileBridge> = {
  name: { kind: bridgeName, about: "its name, of its session and in the log", required: true },
  address: {
    kind: checked(text, "mqtt(s)://HOST[:PORT], or ws(s)://HOST[:PORT]/PATH", bridgePlace),
    about: "where the other broker is",
    required: true,
  },
  topics: {
    kind: list(group<BridgeTopic>(topicOptions), "objects"),
    about: "what is handed on: of several rules that fit a topic the first counts",
    required: true,
  },
  clientId: { kind: text, about: "its Client Identifier at the other broker", otherwise: "puremq- and its name" },
  version: { kind: oneOf("5.0", "3.1.1"), about: "of MQTT, to the other broker", default: "5.0" },
  username: { kind: text, about: "its User Name there" },
  passwordFile: { kind: fileAtStart, about: "its first line is the password", needs: [together("username")] },
  keepAlive: { kind: number(0, 65_535, "seconds"), about: "Keep Alive", default: 60 },
  sessionExpiry: {
    kind: number(0, 4_294_967_295, "seconds"),
    about: "how long the other broker keeps its session, and what waits in it, while this one is away",
    default: 604_800,
  },
  maximumInflight: {
    kind: number(1, 65_535),
    about: "messages of QoS 1 and 2 that may be under way in each direction",
    default: 100,
  },
  maximumAttempts: {
    kind: number(1, 1_000_000),
    about:
      "how often a message is sent for which there is no room, or for which the connection ends, before it is dropped",
    default: 10,
  },
  retryMinimum: {
    kind: milliseconds(100, 3_600_000),
    about: "time to the next attempt to connect, at first",
    default: 1000,
  },
  retryMaximum: {
    kind: milliseconds(100, 3_600_000),
    about: "the same after many; half of it is chance",
    default: 60_000,
  },
  ca: {
    kind: fileAtStart,
    about: "authorities that the other broker's certificate may come from",
    otherwise: "those of this machine",
    needs: [tls],
  },
  cert: { kind: fileAtStart, about: "a client certificate", needs: [tls, together("key")] },
  key: { kind: fileAtStart, about: "its private key", needs: [tls, together("cert")] },
  keyPasswordFile: { kind: fileAtStart, about: "its first line is the key's password", needs: [together("key")] },
  serverName: {
    kind: text,
    about: "the name that is asked for, and that the other broker's certificate must have",
    otherwise: "the host",
    needs: [tls],
  },
  alpn: {
    kind: list(protocolName, "protocol names (ALPN, RFC 7301)"),
    about: "what is offered, such as x-amzn-mqtt-ca",
    otherwise: "`mqtt`, or `http/1.1` under WebSocket",
    needs: [tls],
  },
  pskIdentity: { kind: text, about: "of a pre-shared key, instead of certificates", needs: [tls, together("pskFile")] },
  pskFile: {
    kind: fileAtStart,
    about: "its first line is the key, 32 hexadecimal digits or more",
    needs: [tls, together("pskIdentity")],
  },
}

export const bridges: Kind<readonly FileBridge[]> = {
  ...list(group<FileBridge>(bridgeOptions), "objects"),
  check: (value, where) => {
    const all = list(group<FileBridge>(bridgeOptions), "objects").check(value, where)
    all.forEach(({ name }, index) => {
      const first = all.findIndex((other) => other.name === name)
      if (first !== index)
        throw new ConfigError(
          `${where}[${index}].name is that of ${where}[${first}] already: "${name}"`,
          `${where}[${index}].name`,
        )
    })
    return all
  },
}
