// Rows of the option table: a cluster of brokers.

import { defaultPartitions, defaultRetention } from "../cluster.ts"
import { ConfigError } from "../config.ts"
import type { FileCluster } from "../file-config.ts"
import { choiceOf, list, number, oneOf, text } from "./kinds.ts"
import type { Check, Kind, Need, Rows } from "./option.ts"

/** Read at the start only. */
const fileAtStart: Kind<string> = { ...text, words: "a file name", placeholder: "FILE", file: "at the start" }

const checkServer: Check<string> = (value, where) => {
  const given = text.check(value, where)
  if (given.includes("@")) {
    const what = "an address alone, without user and password: these are for a file, as credentialsFile says"
    throw new ConfigError(`${where} must be ${what}`, where)
  }
  if (/^(nats|tls):\/\/[^\s/]+$/.test(given)) return given
  throw new ConfigError(`${where} must be a server of NATS such as "nats://10.0.0.1:4222", not "${given}"`, where)
}
const server: Kind<string> = {
  ...text,
  words: "an address such as nats://10.0.0.1:4222",
  placeholder: "URL",
  check: checkServer,
  read: checkServer,
}

function nameOf(form: RegExp, characters: string): Kind<string> {
  const check: Check<string> = (value, where) => {
    const given = text.check(value, where)
    if (form.test(given)) return given
    throw new ConfigError(`${where} must be 1 to 64 ${characters}, not "${given}"`, where)
  }
  return { ...text, words: "a name", check, read: check }
}
const clusterName = nameOf(/^[\w-]{1,64}$/, "letters, digits, - and _")
const nodeName = nameOf(/^[\w.-]{1,64}$/, "letters, digits, ., - and _")

function pairedWith(other: "cert" | "key"): Need {
  return {
    words: `\`${other}\``,
    met: (of) => of(other) !== undefined,
    inFile: (where) => `${where}.${other} is missing: a certificate and its key go together`,
    onCommandLine: (flag) => `--${flag} needs ${other}`,
  }
}

export const clusterOptions: Rows<FileCluster> = {
  nats: {
    kind: choiceOf(list(server, "addresses")),
    about:
      "servers of NATS, with JetStream: one is enough to find the others, several outlive it at the start; with one that begins with tls:// every connection is TLS",
    required: true,
  },
  name: {
    kind: clusterName,
    about: "what streams and subjects of the cluster begin with, so that several may share servers",
    default: "puremq",
  },
  node: {
    kind: nodeName,
    about: "what this node is called in logs, the admin API and the dashboard",
    otherwise: "the machine's name",
  },
  partitions: {
    kind: number(1, 64),
    about: "streams that sessions and messages are divided into; the same for all nodes, and for ever",
    default: defaultPartitions,
  },
  replicas: {
    kind: oneOf(1, 3, 5),
    about:
      "servers that keep each stream; with 1 nothing outlives the disk of that server. The same for all nodes: a larger number is that of the streams from then on, and with a smaller one than they have no node starts",
    default: 1,
  },
  retention: {
    kind: number(60, 10 * 365 * 86_400, "seconds"),
    about: "how long a message is kept for sessions that are away",
    default: defaultRetention,
  },
  maximumBytes: {
    kind: number(1_048_576, Number.MAX_SAFE_INTEGER, "bytes"),
    about:
      "bytes that a partition may have; above them QoS 1 and 2 are refused, and new sessions that outlive their connections",
    otherwise: "as many as the servers have",
  },
  credentialsFile: { kind: fileAtStart, about: "credentials for the servers, a `.creds` file of NATS" },
  ca: {
    kind: fileAtStart,
    about: "PEM of the authorities that the servers' certificates may come from",
    otherwise: "those of this machine",
  },
  cert: { kind: fileAtStart, about: "PEM of a client certificate for the servers", needs: [pairedWith("key")] },
  key: { kind: fileAtStart, about: "PEM of its key", needs: [pairedWith("cert")] },
}
