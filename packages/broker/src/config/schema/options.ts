// The option table: everything that a configuration file may hold. What may be set on the command line says so.

import { usualOrder } from "../../access/opinion.ts"
import type { Features } from "../../session/features.ts"
import type { ServerReferenceConfig, StoreConfig } from "../config.ts"
import type { FileCluster, FileConfig, FileHttpLogin, FileJwt, FileLogin, FileWebhook } from "../file-config.ts"
import { admin } from "./admin.ts"
import { bridges } from "./bridges.ts"
import { clusterOptions } from "./cluster.ts"
import { group } from "./group.ts"
import { httpLoginOptions, jwtOptions, webhookOptions } from "./hooks.ts"
import { choiceOf, fileName, flag, list, number, oneOf, serverNames, text } from "./kinds.ts"
import { featureOptions, limitOptions } from "./limits.ts"
import { listenerParts } from "./listener.ts"
import { listeners } from "./listeners.ts"
import { metricsKind } from "./metrics.ts"
import type { Need, Rows } from "./option.ts"
import { storeOptions } from "./store.ts"

const aServer: Need = {
  words: "`server`",
  met: (of) => of("server") !== undefined,
  inFile: (where) => `${where}.server is missing`,
  onCommandLine: (flag) => `--${flag} needs --server-reference`,
}

/** Whoever named it and has none of it would let in nobody, or everybody who comes by another. */
function whoIsAsked(means: "jwt" | "http"): Need {
  return {
    words: `\`${means}\`, where that is in it`,
    met: (of) => {
      const order = of("order")
      return !Array.isArray(order) || !order.includes(means) || of(means) !== undefined
    },
    inFile: (where, name) =>
      `${where}.${name} has ${means}, and there is no ${where}.${means}: add it, or leave ${means} out`,
    onCommandLine: (flag) => `--${flag} has ${means}, and there is no login.${means}`,
  }
}

export const serverReferenceOptions: Rows<ServerReferenceConfig> = {
  server: {
    kind: serverNames,
    about: "where clients are to go, such as broker-2.example:8883",
    required: true,
    flag: { name: "server-reference", section: "listeners", otherwise: "none" },
  },
  when: {
    kind: oneOf("always", "closing"),
    about:
      "every CONNECT is refused with 0x9C and the reference (3.1.1: 3), or who is connected gets both in DISCONNECT when the broker closes",
    default: "closing",
    needs: [aServer],
    flag: { name: "server-reference-when", section: "listeners", placeholder: "WHEN" },
  },
}

export const options: Rows<FileConfig> = {
  listeners: { kind: listeners(listenerParts), about: "where the broker listens, one at least" },
  login: {
    kind: group<FileLogin>({
      passwordFile: {
        kind: fileName,
        about: 'users, written by "puremq passwd", or by mosquitto_passwd; then nobody gets in without a login',
        reload: "new connections",
        flag: { name: "password-file", section: "rights" },
      },
      anonymous: {
        kind: flag,
        about: "let clients without login in all the same",
        otherwise: "only where nothing else is a login",
        reload: "new connections",
        flag: { name: "anonymous", section: "rights" },
      },
      certificates: {
        kind: flag,
        about: "a verified client certificate is a login",
        default: true,
        reload: "new connections",
      },
      order: {
        kind: choiceOf(list(oneOf(...usualOrder), usualOrder.join(", "))),
        needs: [whoIsAsked("jwt"), whoIsAsked("http")],
        about:
          "who is asked first; each lets the client in, refuses it, or has no opinion, and then the next is asked. One that is left out is not asked",
        otherwise: usualOrder.join(", "),
        reload: "new connections",
      },
      jwt: { kind: group<FileJwt>(jwtOptions), about: "tokens (JWT) in the place of passwords" },
      http: { kind: group<FileHttpLogin>(httpLoginOptions), about: "a server that is asked, see [hooks](hooks.md)" },
    }),
    about: "who gets in",
  },
  aclFile: {
    kind: fileName,
    about: "who may read and write which topics, in our form or in that of Mosquitto",
    reload: "at once",
    flag: { name: "acl", section: "rights" },
  },
  disconnectRevoked: {
    kind: flag,
    about:
      "when files are read again, also disconnect clients whose user was deleted or has another password, whose certificate would be refused now, or that have a subscription which is no longer allowed. Without it they stay; what is not allowed ends at once in any case",
    default: false,
    reload: "at once",
    flag: { name: "disconnect-revoked", section: "rights" },
  },
  limits: { kind: group<Record<string, number>>(limitOptions), about: "what clients may cost" },
  features: { kind: group<Partial<Features>>(featureOptions), about: "what of MQTT is offered" },
  store: {
    kind: group<StoreConfig>(storeOptions),
    about: "where sessions, retained messages and what waits for clients are kept",
  },
  cluster: {
    kind: group<FileCluster>(clusterOptions),
    about: "other brokers that this one is one with, see [clusters](cluster.md); then there is no `store`",
    otherwise: "none",
  },
  serverReference: {
    kind: group<ServerReferenceConfig>(serverReferenceOptions),
    about: "another server that clients are sent to (MQTT 5.0 section 4.11); MQTT 3.1.1 has no word for it",
  },
  queuePolicy: {
    kind: oneOf("drop-newest", "drop-oldest", "disconnect"),
    about:
      "what becomes of a message at QoS 1 or 2 for which a session has no room: it is dropped, the oldest that wait for the session are, or the client is disconnected with 0x97, and the message dropped; one that nobody has room for is refused, not acknowledged",
    default: "drop-newest",
    flag: { name: "queue-policy", section: "limits", placeholder: "WHAT" },
  },
  checkPayloadFormat: {
    kind: flag,
    about:
      "refuse a message or will whose Payload Format Indicator says UTF-8 (section 3.3.2.3.2) and whose payload is not, with 0x99",
    default: false,
    flag: { name: "check-payload-format", section: "rights" },
  },
  bridges: { kind: bridges, about: "connections to other brokers, over which messages are handed on" },
  webhooks: {
    kind: list(group<FileWebhook>(webhookOptions), "objects, one for each"),
    about:
      "servers that are told who connects and goes, who is refused, and which handshakes fail, see [hooks](hooks.md)",
    otherwise: "none",
  },
  metrics: {
    kind: metricsKind,
    about: "metrics for Prometheus at http://HOST:PORT/metrics, or https:// with a certificate",
    otherwise: "off",
    flag: { name: "metrics", section: "watching" },
  },
  admin: {
    kind: admin,
    about: "the admin API (docs/admin.md), over HTTP or TLS",
    otherwise: "off",
    flag: { name: "admin", section: "watching" },
  },
  reload: {
    kind: number(1, 86_400, "seconds"),
    about:
      "look at these files, the users and the access control list every so often, and take all of them when some have changed; SIGHUP does it at once. Connections stay open. When one of the files cannot be used, nothing changes and the log says why",
    otherwise: "only SIGHUP",
    flag: { name: "reload", section: "certificates" },
  },
  sysInterval: {
    kind: number(0, 86_400, "seconds"),
    about: "time between two rounds of the topics $SYS/#; 0 turns them off",
    default: 10,
  },
  responseInformation: {
    kind: text,
    about: "sent to MQTT 5.0 clients that ask for it, with %c as the Client Identifier (section 3.2.2.3.15)",
  },
  log: {
    kind: oneOf("text", "json", "otel", "none"),
    about:
      "one line for each handshake, client and failure: as text, as JSON, or as JSON in the log data model of OpenTelemetry",
    default: "text",
    flag: { name: "log", section: "watching", placeholder: "FORMAT" },
  },
}
