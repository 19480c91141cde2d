// What was probably meant by a name that there is no option of.

import { nearest } from "@puremq/tls13/command-line"
import type { Placed } from "./option.ts"

/**
 * Names of Mosquitto, NanoMQ and EMQX, without what joins their words and in small letters, and what comes nearest to them here.
 * Names that are near enough to ours by their letters need no row.
 */
export const namesElsewhere: Readonly<Record<string, string>> = {
  acl: "aclFile",
  allowanonymous: "login.anonymous",
  auth: "login",
  authentication: "login",
  authorization: "aclFile",
  autosaveinterval: "store.flushInterval",
  bind: "listeners.port",
  bindaddress: "listeners.host",
  cacertfile: "listeners.ca",
  cafile: "listeners.ca",
  capath: "listeners.ca",
  certfile: "listeners.cert",
  ciphers: "listeners.suites",
  ciphersuites: "listeners.suites",
  cipherstls13: "listeners.suites",
  clientmaxpacketsize: "limits.maximumPacketSize",
  crlfile: "listeners.crl",
  ecdhcurve: "listeners.groups",
  failifnopeercert: "listeners.clientCertificate",
  datadir: "store.directory",
  folder: "store.directory",
  httpport: "metrics.port",
  keepalivemultiplier: "limits.maximumKeepAlive",
  keyfile: "listeners.key",
  keypass: "listeners.keyPasswordFile",
  listener: "listeners",
  logdest: "log",
  logtype: "log",
  loglevel: "log",
  maxawaitingrel: "limits.receiveMaximum",
  maxclientidlen: "limits.maximumClientIdLength",
  maxconnections: "limits.maximumConnections",
  maxconnrate: "limits.maximumConnectionsPerAddress",
  maxinflight: "limits.maximumInflight",
  maxinflightmessages: "limits.maximumInflight",
  maxkeepalive: "limits.maximumKeepAlive",
  maxmqueuelen: "limits.maximumQueuedMessages",
  maxpacketsize: "limits.maximumPacketSize",
  maxqos: "features.maximumQos",
  maxqosallowed: "features.maximumQos",
  maxqueuedbytes: "limits.maximumQueuedBytes",
  maxqueuedmessages: "limits.maximumQueuedMessages",
  maxretainedmessages: "limits.maximumRetainedMessages",
  maxsubscriptions: "limits.maximumSubscriptions",
  maxtopicalias: "limits.topicAliasMaximum",
  maxtopiclevels: "limits.maximumTopicLevels",
  messagesizelimit: "limits.maximumPayloadSize",
  messagesratelimit: "limits.maximumPublishRate",
  bytesratelimit: "limits.maximumPublishByteRate",
  mqtt: "limits",
  msgqueuelen: "limits.maximumQueuedMessages",
  passwordfile: "login.passwordFile",
  persistence: "store.type",
  persistencelocation: "store.directory",
  persistentclientexpiration: "limits.maximumSessionExpiryInterval",
  prometheus: "metrics",
  protocol: "listeners.type",
  proxyaddress: "listeners.proxyProtocol",
  requirecertificate: "listeners.clientCertificate",
  sessionexpiryinterval: "limits.maximumSessionExpiryInterval",
  sharedsubscription: "features.sharedSubscriptionAvailable",
  sslversions: "listeners.versions",
  sysmsginterval: "sysInterval",
  systopicinterval: "sysInterval",
  tlsversion: "listeners.versions",
  url: "listeners.port",
  useidentityasusername: "listeners.identity",
  users: "login.passwordFile",
  usesubjectasusername: "listeners.identity",
  useusernameasclientid: "listeners.identity",
  verify: "listeners.clientCertificate",
  verifypeer: "listeners.clientCertificate",
  wildcardsubscription: "features.wildcardSubscriptionAvailable",
}

const table: ReadonlyMap<string, string> = new Map(Object.entries(namesElsewhere))

function elsewhere(name: string): string | undefined {
  return table.get(name.replaceAll(/[-_.]/g, "").toLowerCase())
}

/** Of those that are known in the same place. */
export function meantHere(name: string, known: readonly string[]): string | undefined {
  const own = elsewhere(name)?.split(".").at(-1)
  const camel = name.replaceAll(/[-_.]+(\w)/g, (_, letter: string) => letter.toUpperCase())
  return known.find((each) => each === own) ?? nearest(camel, known) ?? nearest(name, known)
}

/** Of all the options there are: its place, such as `limits.maximumPacketSize`. */
export function meantAnywhere(name: string, options: readonly Placed[]): string | undefined {
  const near = nearest(
    name,
    options.map(({ path }) => path.at(-1) ?? ""),
  )
  return namedAnywhere(name, options) ?? (near === undefined ? undefined : first(options, near))
}

/** The same of those that have this very name, here or with others. */
export function namedAnywhere(name: string, options: readonly Placed[]): string | undefined {
  const own = elsewhere(name)
  const known = options.find(({ path }) => path.join(".") === own)
  return first(options, name) ?? (known === undefined ? undefined : placeText(known))
}

/** What is nearest to the top is what most mean. */
function first(options: readonly Placed[], name: string): string | undefined {
  const named = options.filter(({ path }) => path.at(-1) === name)
  const [found] = named.sort((one, other) => one.path.length - other.path.length)
  return found === undefined ? undefined : placeText(found)
}

/** @param meant undefined: nobody knows */
export function unknownText(where: string, meant: string | undefined, known: readonly string[]): string {
  const advice = meant === undefined ? `known here: ${known.join(", ")}` : `did you mean \`${meant}\`?`
  return `${where} is not known; ${advice}`
}

/** Options of a listener stand below its name. */
function placeText({ path, part }: Placed): string {
  const [first = "", ...rest] = path
  if (first !== "listeners" || rest.length === 0) return path.join(".")
  return [first, part?.types?.[0] ?? "tls", ...rest].join(".")
}
